//! How a run ended, and how the runs of a file did.

mod effect;
mod fairness;
mod file;
mod nearest;
mod requests;
mod spinning;

use std::collections::BTreeSet;
use std::fmt;

use seedbed::proto::Path;

use crate::cell::Cell;
use crate::file_service::InvariantName;
use crate::file_service::Milestone;
use crate::file_service::oracle::Violation;
use crate::file_service::oracle::blocked::{Wait, WaitKind};
use crate::scenario::Expected;
use crate::text::Thousands;

pub use effect::Effect;
pub use fairness::{Share, Shares};
pub use file::{FileReport, FileVerdict};
pub use nearest::{Most, Nearest};
pub use requests::RequestCounts;
pub use spinning::Spinning;

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant held, and every wait has ended.
    Pass,
    /// An invariant was broken.
    Violation(Box<Violation>),
    /// An invariant of progress was broken: what was done is right, and it is not enough.
    Starved(Box<Violation>),
    /// Every invariant held, and some machine or user waits for ever.
    Blocked(Vec<Wait>),
    /// More events happened in a second than a cluster of this size may have: the run does not end.
    Spinning(Box<Spinning>),
    /// A pass but for a request's answer, or what is stored at the end: the file wants another.
    Unexpected(Box<Finding>),
    /// A pass but for a milestone that the run reached and its file rules out.
    RuledOut {
        /// Which.
        milestone: Milestone,
        /// How often the run reached it.
        times: u64,
        /// How often it may.
        at_most: u64,
    },
    /// The code under test, or the simulator, panicked.
    Panic(String),
}

impl Verdict {
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
    pub fn of_violation(violation: Violation) -> Verdict {
        match violation.invariant.is_of_progress() {
            true => Verdict::Starved(Box::new(violation)),
            false => Verdict::Violation(Box::new(violation)),
        }
    }

    /// How a run ends in which machines and users wait like this, if one does.
    pub fn of_waits(waits: Vec<Wait>) -> Option<Verdict> {
        if waits.is_empty() { None } else { Some(Verdict::Blocked(waits)) }
    }

    /// How an invariant was broken, if one was.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Verdict::Violation(violation) | Verdict::Starved(violation) => Some(violation),
            Verdict::Pass | Verdict::Blocked(_) | Verdict::Spinning(_) => None,
            Verdict::Unexpected(_) | Verdict::RuledOut { .. } | Verdict::Panic(_) => None,
        }
    }

    /// The invariant that was broken, if one was.
    pub fn invariant(&self) -> Option<InvariantName> {
        self.violation().map(|violation| violation.invariant)
    }
}

impl fmt::Display for Verdict {
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

/// What a file expects of a request or of a stored file, and how it is instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Of which request or path, in words.
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

/// What came of one of the effects that a file writes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fired {
    /// Has the run come to it?
    pub has_fired: bool,
    /// How often came what it waits for: the milestone of the fault, a message that matches.
    pub times: u32,
}

/// Everything that is known of a run when it is over.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
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
    /// What came of each [`Effect`] of the file, in their order.
    pub fired: Vec<Fired>,
    /// Users' requests by how they ended.
    pub requests: RequestCounts,
    /// Those of which the file does not say how they end.
    pub unstated: RequestCounts,
    /// What each client of the workload got done beside its equals.
    pub shares: Vec<Share>,
    /// The paths that an operator has given up because only lost disks had what was in them.
    pub given_up: Vec<Path>,
    /// The cells that were seen, if that was watched.
    pub covered: BTreeSet<Cell>,
}

impl RunReport {
    /// The report of a run that has counted nothing, because it panicked.
    pub fn without_figures(seed: u64, verdict: Verdict) -> RunReport {
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
    pub fn count(&self, milestone: Milestone) -> u64 {
        self.counts.get(milestone.index()).copied().unwrap_or(0)
    }

    /// Is this one run what the file expects of a run that shows what it is about?
    ///
    /// `blocks = M` says that the run got to M and does not leave it, so some machine has to wait
    /// for what comes after M:
    ///
    /// | M | a machine waits |
    /// |---|---|
    /// | `participant_in_doubt` | for a decision |
    /// | `decided` | for an acknowledgement |
    /// | `lock_queued`, `lock_granted` | for a lock whose holder is dead, or waits in turn |
    /// | `transaction_begun`, `request_retried` and the other `request_...` | for an answer |
    /// | any other | for anything |
    pub fn is_as_expected(&self, expected: &Expected) -> bool {
        match (expected, &self.verdict) {
            (Expected::Pass, Verdict::Pass) => true,
            (Expected::Violates(name), verdict) => verdict.invariant() == Some(*name),
            (Expected::Blocks(milestone), Verdict::Blocked(waits)) => {
                let kinds = waits_after(*milestone);
                let is_it = |wait: &Wait| kinds.is_empty() || kinds.contains(&wait.kind);
                self.count(*milestone) > 0 && waits.iter().any(is_it)
            }
            (Expected::Pass | Expected::Blocks(_), _) => false,
        }
    }

    /// Does this one run contradict what the file expects of all its runs? A file that expects a
    /// violation may pass with some seeds, because what it is about did not come up.
    pub fn contradicts(&self, expected: &Expected) -> bool {
        match expected {
            Expected::Pass => !self.is_as_expected(expected),
            Expected::Violates(_) | Expected::Blocks(_) => {
                !self.is_as_expected(expected) && self.verdict != Verdict::Pass
            }
        }
    }
}

/// Kinds of wait of a run that has got to `milestone` and does not leave it; none for any kind.
fn waits_after(milestone: Milestone) -> &'static [WaitKind] {
    match milestone {
        Milestone::PARTICIPANT_IN_DOUBT => &[WaitKind::InDoubt],
        Milestone::DECIDED => &[WaitKind::Unacknowledged],
        Milestone::LOCK_QUEUED | Milestone::LOCK_GRANTED => {
            &[WaitKind::BehindTheDead, WaitKind::Deadlock]
        }
        Milestone::TRANSACTION_BEGUN
        | Milestone::REQUEST_RETRIED
        | Milestone::REQUEST_DONE
        | Milestone::REQUEST_REFUSED
        | Milestone::REQUEST_UNKNOWN => &[WaitKind::Unanswered],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed::machine::{NodeId, Time};

    fn blocked(kinds: &[WaitKind], reached: Milestone) -> RunReport {
        let wait = |&kind| Wait {
            kind,
            machine: NodeId::storage(1),
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
            (Milestone::PARTICIPANT_IN_DOUBT, WaitKind::InDoubt),
            (Milestone::DECIDED, WaitKind::Unacknowledged),
            (Milestone::LOCK_QUEUED, WaitKind::BehindTheDead),
            (Milestone::LOCK_GRANTED, WaitKind::BehindTheDead),
            (Milestone::TRANSACTION_BEGUN, WaitKind::Unanswered),
            (Milestone::REQUEST_RETRIED, WaitKind::Unanswered),
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
        let any = blocked(&[WaitKind::Unanswered], Milestone::CRASHED);
        assert!(any.is_as_expected(&Expected::Blocks(Milestone::CRASHED)));
    }
}
