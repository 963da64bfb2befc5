//! How a run ended, and how the runs of a file did.

mod effect;
mod fairness;
mod file;
mod nearest;
mod requests;
mod spinning;

use std::collections::BTreeSet;
use std::fmt;

use crate::cell::Cell;
use crate::invariant::InvariantName;
use crate::milestone::Milestone;
use crate::oracle::Violation;
use crate::oracle::blocked::Wait;
use crate::scenario::Expected;
use crate::text::Thousands;
use crate::under_test::UnderTest;

pub use effect::Effect;
pub use fairness::{Share, Shares};
pub use file::{FileReport, FileVerdict};
pub use nearest::{Most, Nearest};
pub use requests::RequestCounts;
pub use spinning::Spinning;

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<S: UnderTest> {
    /// Every invariant held, and every wait has ended.
    Pass,
    /// An invariant was broken.
    Violation(Box<Violation<S>>),
    /// An invariant of progress was broken: what was done is right, and it is not enough.
    Starved(Box<Violation<S>>),
    /// Every invariant held, and some machine or user waits for ever.
    Blocked(Vec<Wait>),
    /// More events happened in a second than a cluster of this size may have: the run does not end.
    Spinning(Box<Spinning>),
    /// A pass but for a request's answer, or the state at the end: the file wants another.
    Unexpected(Box<Finding>),
    /// A pass but for a milestone that the run reached and its file rules out.
    RuledOut {
        /// Which.
        milestone: Milestone<S>,
        /// How often the run reached it.
        times: u64,
        /// How often it may.
        at_most: u64,
    },
    /// The code under test, or the simulator, panicked.
    Panic(String),
}

impl<S: UnderTest> Verdict<S> {
    /// The word for it in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Violation(_) => "violation",
            Verdict::Starved(_) => "starved",
            Verdict::Blocked(_) => "blocked",
            Verdict::Spinning(_) => "spinning",
            Verdict::Unexpected(_) => "unexpected",
            Verdict::RuledOut { .. } => "ruled_out",
            Verdict::Panic(_) => "panic",
        }
    }

    /// How a run ends that breaks an invariant.
    pub fn of_violation(violation: Violation<S>) -> Verdict<S> {
        match violation.invariant.is_of_progress() {
            true => Verdict::Starved(Box::new(violation)),
            false => Verdict::Violation(Box::new(violation)),
        }
    }

    /// How a run ends in which machines and users wait like this, if one does.
    pub fn of_waits(waits: Vec<Wait>) -> Option<Verdict<S>> {
        if waits.is_empty() { None } else { Some(Verdict::Blocked(waits)) }
    }

    /// How an invariant was broken, if one was.
    pub fn violation(&self) -> Option<&Violation<S>> {
        match self {
            Verdict::Violation(violation) | Verdict::Starved(violation) => Some(violation),
            Verdict::Pass | Verdict::Blocked(_) | Verdict::Spinning(_) => None,
            Verdict::Unexpected(_) | Verdict::RuledOut { .. } | Verdict::Panic(_) => None,
        }
    }

    /// The invariant that was broken, if one was.
    pub fn invariant(&self) -> Option<InvariantName<S>> {
        self.violation().map(|violation| violation.invariant)
    }
}

impl<S: UnderTest> fmt::Display for Verdict<S> {
    /// How the run ended, in one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Pass => f.write_str("pass"),
            Verdict::Violation(violation) => {
                write!(f, "violation of {} at step {}", violation.invariant, violation.step)
            }
            Verdict::Starved(violation) => {
                write!(f, "starved: {} at step {}", violation.invariant, violation.step)
            }
            Verdict::Blocked(waits) => match waits.first() {
                Some(wait) => write!(f, "blocked: {} waits for {}", wait.machine, wait.for_what),
                None => f.write_str("blocked"),
            },
            Verdict::Spinning(spinning) => write!(f, "spinning: {spinning}"),
            Verdict::Unexpected(finding) => write!(f, "unexpected: {finding}"),
            Verdict::RuledOut { milestone, at_most: 0, .. } => {
                write!(f, "ruled out: the run reached `{milestone}`, which it never may")
            }
            Verdict::RuledOut { milestone, times, at_most } => {
                let (times, most) = (Thousands(*times), Thousands(*at_most));
                write!(f, "ruled out: the run reached `{milestone}` {times} times, and may {most}")
            }
            Verdict::Panic(text) => {
                write!(f, "panic: {}", text.lines().next().unwrap_or_default())
            }
        }
    }
}

/// What a file expects of a request, or of the end of a run, and how it is instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of what, in words.
    pub of: String,
    /// What the file expects, in words.
    pub expected: String,
    /// What there is instead, in words.
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { of, expected, found } = self;
        write!(f, "{of}: the file expects {expected}; {found}")
    }
}

/// Whether one of the effects that a file writes out has struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fired {
    /// Has the run come to it?
    pub has_fired: bool,
    /// How often came what it waits for: the milestone of the fault, a message that matches.
    pub times: u32,
}

/// Everything that is known of a run when it is over.
#[derive(Clone, Debug)]
pub struct RunReport<S: UnderTest> {
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict<S>,
    /// Steps taken.
    pub steps: u64,
    /// Simulated nanoseconds.
    pub sim_ns: u64,
    /// Equal exactly if everything that happened was equal.
    pub digest: u64,
    /// Messages sent.
    pub messages: u64,
    /// Records that something waited for.
    pub forced_writes: u64,
    /// How often each milestone was reached, by [`Milestone::index`].
    pub counts: Vec<u64>,
    /// Whether each [`Effect`] of the file has struck, in their order.
    pub fired: Vec<Fired>,
    /// Users' requests by how they ended.
    pub requests: RequestCounts,
    /// Those of which the file does not say how they end.
    pub unstated: RequestCounts,
    /// What each client of the workload got done beside its equals.
    pub shares: Vec<Share>,
    /// What the operator has given up because only lost disks had it, in words.
    pub given_up: Vec<String>,
    /// The cells that were seen, if that was watched.
    pub covered: BTreeSet<Cell<S>>,
}

impl<S: UnderTest> RunReport<S> {
    /// The report of a run that has counted nothing, because it panicked.
    pub fn without_figures(seed: u64, verdict: Verdict<S>) -> RunReport<S> {
        RunReport {
            seed,
            verdict,
            steps: 0,
            sim_ns: 0,
            digest: 0,
            messages: 0,
            forced_writes: 0,
            counts: Vec::new(),
            fired: Vec::new(),
            requests: RequestCounts::default(),
            unstated: RequestCounts::default(),
            shares: Vec::new(),
            given_up: Vec::new(),
            covered: BTreeSet::new(),
        }
    }

    /// How often `milestone` was reached.
    pub fn count(&self, milestone: Milestone<S>) -> u64 {
        self.counts.get(milestone.index()).copied().unwrap_or(0)
    }

    /// Is this one run what the file expects of a run that shows what it is about?
    ///
    /// `blocks = M` says that the run got to M and does not leave it, so some machine has to wait
    /// for what comes after M, where the system says what that is; else for anything.
    pub fn is_as_expected(&self, expected: &Expected<S>) -> bool {
        match (expected, &self.verdict) {
            (Expected::Pass, Verdict::Pass) => true,
            (Expected::Violates(name), verdict) => verdict.invariant() == Some(*name),
            (Expected::Blocks(milestone), Verdict::Blocked(waits)) => {
                let kinds = S::waits_after(*milestone);
                let is_it = |wait: &Wait| kinds.is_empty() || kinds.contains(&wait.kind);
                self.count(*milestone) > 0 && waits.iter().any(is_it)
            }
            (Expected::Pass | Expected::Blocks(_), _) => false,
        }
    }

    /// Does this one run contradict what the file expects of all its runs? A file that expects a
    /// violation may pass with some seeds, because what it is about did not come up.
    pub fn contradicts(&self, expected: &Expected<S>) -> bool {
        match expected {
            Expected::Pass => !self.is_as_expected(expected),
            Expected::Violates(_) | Expected::Blocks(_) => {
                !self.is_as_expected(expected) && self.verdict != Verdict::Pass
            }
        }
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::file_service::oracle::blocked::kind;
    use crate::file_service::{Milestone, RunReport, Verdict};
    use crate::oracle::blocked::WaitKind;
    use seedbed::machine::{NodeId, Time};

    fn blocked(kinds: &[WaitKind], reached: Milestone) -> RunReport {
        let wait = |&kind| Wait {
            kind,
            machine: NodeId::node(1),
            for_what: String::new(),
            since: Time::ZERO,
            released_by: String::new(),
        };
        let mut counts = vec![0; Milestone::PLACES];
        counts[reached.index()] = 1;
        let verdict = Verdict::Blocked(kinds.iter().map(wait).collect());
        RunReport { counts, ..RunReport::without_figures(1, verdict) }
    }

    #[test]
    fn blocks_asks_for_a_wait_of_the_kind_that_belongs_to_the_milestone() {
        let kinds = [
            (Milestone::PARTICIPANT_IN_DOUBT, kind::IN_DOUBT),
            (Milestone::DECIDED, kind::UNACKNOWLEDGED),
            (Milestone::LOCK_QUEUED, kind::BEHIND_THE_DEAD),
            (Milestone::LOCK_GRANTED, kind::BEHIND_THE_DEAD),
            (Milestone::TRANSACTION_BEGUN, WaitKind::UNANSWERED),
            (Milestone::REQUEST_RETRIED, WaitKind::UNANSWERED),
        ];
        for (milestone, its) in kinds {
            let expected = Expected::Blocks(milestone);
            for (_, kind) in kinds {
                let run = blocked(&[kind], milestone);
                assert_eq!(run.is_as_expected(&expected), kind == its, "{milestone} {kind:?}");
                assert_eq!(run.contradicts(&expected), kind != its, "{milestone} {kind:?}");
                let both = blocked(&[kind, its], milestone);
                assert!(both.is_as_expected(&expected), "{milestone} {kind:?}");
            }
            assert!(!blocked(&[its], Milestone::CRASHED).is_as_expected(&expected));
        }
        let any = blocked(&[WaitKind::UNANSWERED], Milestone::CRASHED);
        assert!(any.is_as_expected(&Expected::Blocks(Milestone::CRASHED)));
    }
}
