//! How a run ended, and how the runs of a file did.

use std::fmt;

use seedbed::proto::Path;

use crate::invariant::InvariantName;
use crate::milestone::Milestone;
use crate::oracle::Violation;
use crate::oracle::blocked::{Wait, WaitKind};
use crate::scenario::{Expected, Scenario};

/// How one run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every invariant held, and everything got done.
    Pass,
    /// An invariant was broken.
    Violation(Box<Violation>),
    /// Every invariant held, and somebody waits for ever.
    Blocked(Vec<Wait>),
    /// Every invariant held and everything got done, but the run reached a milestone that its file
    /// rules out.
    RuledOut(Milestone),
    /// The code under test, or the simulator, panicked.
    Panic(String),
}

impl Verdict {
    /// The word for it in reports.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Violation(_) => "violation",
            Verdict::Blocked(_) => "blocked",
            Verdict::RuledOut(_) => "ruled_out",
            Verdict::Panic(_) => "panic",
        }
    }

    /// The invariant that was broken, if one was.
    pub fn invariant(&self) -> Option<InvariantName> {
        match self {
            Verdict::Violation(violation) => Some(violation.invariant),
            Verdict::Pass | Verdict::Blocked(_) | Verdict::RuledOut(_) | Verdict::Panic(_) => None,
        }
    }
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
    /// For each scripted fault whether it struck, then for each message rule whether it applied.
    pub fired: Vec<bool>,
    /// The paths that an operator has given up because only lost disks had what was in them.
    pub given_up: Vec<Path>,
}

impl RunReport {
    /// How often `milestone` was reached.
    pub fn count(&self, milestone: Milestone) -> u64 {
        self.counts.get(milestone.index()).copied().unwrap_or(0)
    }

    /// Is this one run what the file expects of a run that shows what it is about?
    ///
    /// `blocks = M` says that the run got to M and does not leave it, so somebody has to wait for
    /// what comes after M:
    ///
    /// | M | somebody waits |
    /// |---|---|
    /// | `participant_in_doubt` | for a decision |
    /// | `decided` | for an acknowledgement |
    /// | `lock_queued`, `lock_granted` | for a lock whose holder is dead |
    /// | `transaction_begun`, `request_retried` and the other `request_...` | for an answer |
    /// | any other | for anything |
    pub fn is_as_expected(&self, expected: &Expected) -> bool {
        match (expected, &self.verdict) {
            (Expected::Pass, Verdict::Pass) => true,
            (Expected::Violates(name), Verdict::Violation(violation)) => {
                violation.invariant == *name
            }
            (Expected::Blocks(milestone), Verdict::Blocked(waits)) => {
                let kind = wait_after(*milestone);
                let is_it = |wait: &Wait| kind.is_none_or(|kind| wait.kind == kind);
                self.count(*milestone) > 0 && waits.iter().any(is_it)
            }
            (Expected::Pass | Expected::Violates(_) | Expected::Blocks(_), _) => false,
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

/// What somebody waits for who has got to `milestone` and does not leave it; `None` for anything.
fn wait_after(milestone: Milestone) -> Option<WaitKind> {
    match milestone {
        Milestone::PARTICIPANT_IN_DOUBT => Some(WaitKind::InDoubt),
        Milestone::DECIDED => Some(WaitKind::Unacknowledged),
        Milestone::LOCK_QUEUED | Milestone::LOCK_GRANTED => Some(WaitKind::BehindTheDead),
        Milestone::TRANSACTION_BEGUN
        | Milestone::REQUEST_RETRIED
        | Milestone::REQUEST_DONE
        | Milestone::REQUEST_REFUSED
        | Milestone::REQUEST_UNKNOWN => Some(WaitKind::Unanswered),
        _ => None,
    }
}

/// How the runs of a file went, all together.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// Runs.
    pub runs: u64,
    /// Runs that ended as the file expects.
    pub as_expected: u64,
    /// The seeds of runs that contradict the file, with their verdicts; the first few.
    pub failures: Vec<RunReport>,
    /// How many contradict it.
    pub failed: u64,
    /// Milestones over all runs.
    pub counts: Vec<u64>,
    /// Scripted faults that struck in some run.
    pub fired: Vec<bool>,
    /// The first seed that showed what the file is about.
    pub first_as_expected: Option<u64>,
}

/// How a file did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileVerdict {
    /// As it says.
    AsExpected,
    /// Some run ended otherwise.
    Failed,
    /// No run ended otherwise, but what the file is about never came up: this is why.
    Vacuous(String),
}

impl FileReport {
    /// How many failing runs are kept whole.
    pub const KEPT: usize = 10;

    /// Takes in the report of one run of `scenario`.
    pub fn add(&mut self, scenario: &Scenario, run: RunReport) {
        self.runs += 1;
        // A run that panicked has counted nothing.
        self.counts.resize(self.counts.len().max(run.counts.len()), 0);
        self.counts.iter_mut().zip(&run.counts).for_each(|(sum, count)| *sum += count);
        self.fired.resize(self.fired.len().max(run.fired.len()), false);
        self.fired.iter_mut().zip(&run.fired).for_each(|(any, fired)| *any |= fired);
        let expected = &scenario.expect.verdict;
        if run.is_as_expected(expected) {
            self.as_expected += 1;
            let first = self.first_as_expected.get_or_insert(run.seed);
            *first = run.seed.min(*first);
        }
        if run.contradicts(expected) {
            self.failed += 1;
            if self.failures.len() < Self::KEPT {
                self.failures.push(run);
            }
        }
    }

    /// What is to be said of the file.
    pub fn verdict(&self, scenario: &Scenario) -> FileVerdict {
        if self.failed > 0 {
            return FileVerdict::Failed;
        }
        if self.as_expected == 0 {
            return FileVerdict::Vacuous(format!("no seed {}", Wanted(&scenario.expect.verdict)));
        }
        let missed = |milestone: &&Milestone| self.counts.get(milestone.index()) == Some(&0);
        if let Some(milestone) = scenario.expect.reached.iter().find(missed) {
            return FileVerdict::Vacuous(format!("no seed reached `{milestone}`"));
        }
        if let Some(fault) = self.fired.iter().position(|fired| !fired) {
            let faults = scenario.faults.len();
            return FileVerdict::Vacuous(match fault.checked_sub(faults) {
                None => format!("fault number {} never struck", fault + 1),
                Some(rule) => format!("message rule number {} never applied", rule + 1),
            });
        }
        FileVerdict::AsExpected
    }
}

struct Wanted<'a>(&'a Expected);

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expected::Pass => f.write_str("passed"),
            Expected::Violates(invariant) => write!(f, "violated `{invariant}`"),
            Expected::Blocks(milestone) => write!(f, "was blocked after `{milestone}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seedbed::proto::{NodeId, Time};

    fn blocked(kinds: &[WaitKind], reached: Milestone) -> RunReport {
        let wait = |&kind| Wait {
            kind,
            who: NodeId::storage(1),
            for_what: String::new(),
            since: Time::ZERO,
            released_by: String::new(),
        };
        let mut counts = vec![0; Milestone::COUNT];
        counts[reached.index()] = 1;
        RunReport {
            seed: 1,
            verdict: Verdict::Blocked(kinds.iter().map(wait).collect()),
            steps: 0,
            sim_ns: 0,
            digest: 0,
            messages: 0,
            forced_writes: 0,
            counts,
            fired: Vec::new(),
            given_up: Vec::new(),
        }
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
