//! What coverage counts, by name: a *cell* is something that a seed can have tried.
//!
//! | cell | seen where |
//! |---|---|
//! | `crash/participant_in_doubt` | a fault of this kind struck a machine that was in this phase |
//! | `crash+wipe` | the second fault struck while the first was in effect |
//! | `lost/prepare`, `doubled/prepare`, `delayed/prepare` | that became of such a message |
//! | `record_lost/voted`, `torn/voted` | a crash did that to such a record |
//! | `refused/queue_full` | a user was told this reason |
//! | `situation/wipe_in_doubt` | the run got into it |

mod fault_kind;
mod seeds;

use std::fmt;

use crate::name::Name;
use crate::under_test::{Coverage, Phase, Reason, Situation, UnderTest};

pub use fault_kind::{FaultKind, GeneralFault};
pub use seeds::Seeds;

/// Something that a run can have tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell<S: UnderTest> {
    /// The fault struck a machine in this phase.
    Strike(FaultKind<S>, Phase<S>),
    /// The second fault struck while the first was in effect.
    Pair(FaultKind<S>, FaultKind<S>),
    /// This became of a message of the kind.
    Message(MessageFate, S::MessageKind),
    /// A crash did this to a record of the kind.
    Record(RecordFate, S::RecordKind),
    /// A user was told this reason.
    Refused(Reason<S>),
    /// The run got into this.
    Situation(Situation<S>),
}

/// What can become of a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageFate {
    /// It did not arrive.
    Lost,
    /// It appeared twice.
    Doubled,
    /// It was under way for longer than its link takes at most.
    Delayed,
}

/// What a crash can do to a record that is not durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordFate {
    /// It is not there any more, or not as a whole.
    Lost,
    /// A part of it is there.
    Torn,
}

impl MessageFate {
    /// Every fate.
    pub const ALL: &[MessageFate] =
        &[MessageFate::Lost, MessageFate::Doubled, MessageFate::Delayed];

    /// The name used in scenario files and matrices.
    pub fn name(self) -> &'static str {
        match self {
            MessageFate::Lost => "lost",
            MessageFate::Doubled => "doubled",
            MessageFate::Delayed => "delayed",
        }
    }
}

impl RecordFate {
    /// Every fate.
    pub const ALL: &[RecordFate] = &[RecordFate::Lost, RecordFate::Torn];

    /// The name used in scenario files and matrices.
    pub fn name(self) -> &'static str {
        match self {
            RecordFate::Lost => "record_lost",
            RecordFate::Torn => "torn",
        }
    }
}

impl<S: UnderTest> Cell<S> {
    /// Every cell that some run of some file may see.
    pub fn all() -> impl Iterator<Item = Cell<S>> {
        let phases = |kind| Phase::<S>::ALL.iter().map(move |phase| Cell::Strike(kind, *phase));
        let strikes = FaultKind::all().flat_map(phases);
        let then = |first| FaultKind::all().map(move |then| Cell::Pair(first, then));
        let pairs = FaultKind::all().flat_map(then);
        let messages = MessageFate::ALL
            .iter()
            .flat_map(|fate| S::MessageKind::ALL.iter().map(|kind| Cell::Message(*fate, *kind)));
        let records = RecordFate::ALL
            .iter()
            .flat_map(|fate| S::RecordKind::ALL.iter().map(|kind| Cell::Record(*fate, *kind)));
        let refused = Reason::<S>::ALL.iter().map(|reason| Cell::Refused(*reason));
        let situations = Situation::<S>::ALL.iter().map(|situation| Cell::Situation(*situation));
        let others = messages.chain(records).chain(refused).chain(situations);
        let all = strikes.chain(pairs).chain(others);
        all.filter(|cell| cell.is_possible())
    }

    /// Each of them with its name.
    pub fn names() -> impl Iterator<Item = (String, Cell<S>)> {
        Cell::all().map(|cell| (cell.to_string(), cell))
    }

    /// May any run see it?
    pub fn is_possible(self) -> bool {
        match self {
            Cell::Strike(kind, phase) => {
                let classes = S::Coverage::classes(phase);
                kind.strikes().iter().any(|class| classes.contains(class))
            }
            Cell::Pair(first, _) => first.lasts(),
            Cell::Message(..) | Cell::Refused(_) | Cell::Situation(_) => true,
            Cell::Record(_, kind) => S::is_logged(kind),
        }
    }

    /// What is seen, in one line.
    pub fn summary(self) -> String {
        match self {
            Cell::Strike(kind, phase) => format!("{}; {}", kind.summary(), phase.summary()),
            Cell::Pair(first, then) => format!("`{then}` strikes while `{first}` is in effect"),
            Cell::Message(MessageFate::Lost, kind) => {
                format!("a `{}` message does not arrive", kind.name())
            }
            Cell::Message(MessageFate::Doubled, kind) => {
                format!("a `{}` message appears twice", kind.name())
            }
            Cell::Message(MessageFate::Delayed, kind) => {
                format!("a `{}` message takes longer than its link takes at most", kind.name())
            }
            Cell::Record(RecordFate::Lost, kind) => {
                format!("a crash loses a `{}` record", kind.name())
            }
            Cell::Record(RecordFate::Torn, kind) => {
                format!("a crash tears a `{}` record", kind.name())
            }
            Cell::Refused(reason) => format!("a user is refused with `{}`", reason.name()),
            Cell::Situation(situation) => situation.summary().to_owned(),
        }
    }
}

impl<S: UnderTest> fmt::Display for Cell<S> {
    /// The name used in scenario files.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Strike(kind, phase) => write!(f, "{kind}/{}", phase.name()),
            Cell::Pair(first, then) => write!(f, "{first}+{then}"),
            Cell::Message(fate, kind) => write!(f, "{}/{}", fate.name(), kind.name()),
            Cell::Record(fate, kind) => write!(f, "{}/{}", fate.name(), kind.name()),
            Cell::Refused(reason) => write!(f, "refused/{}", reason.name()),
            Cell::Situation(situation) => write!(f, "situation/{}", situation.name()),
        }
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use std::collections::BTreeSet;

    use crate::file_service::Cell;

    #[test]
    fn no_two_cells_have_one_name() {
        let names: Vec<String> = Cell::names().map(|(name, _)| name).collect();
        let distinct: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names.len(), distinct.len());
        for name in ["crash/participant_in_doubt", "crash+wipe", "lost/entered", "torn/voted"] {
            assert!(distinct.contains(name), "{name}");
        }
    }

    #[test]
    fn what_no_run_of_any_file_can_see_is_no_cell() {
        let names: BTreeSet<String> = Cell::names().map(|(name, _)| name).collect();
        for name in ["slow_disk/client_asking", "wipe/lock_server_line", "bump+crash", "torn/mark"]
        {
            assert!(!names.contains(name), "{name}");
        }
    }
}
