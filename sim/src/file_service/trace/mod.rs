//! How what happens in the file service is told: its messages, records and whatever else is its
//! own.

mod message;
mod paths_on_ring;
mod record;
#[cfg(test)]
mod tests;
mod words;

use seedbed::proto::{Arcs, FileService};

use crate::trace;

pub use crate::trace::{durable, event, fact, lines, links};
pub use message::{Routine, Topic, message, routine};
pub use paths_on_ring::Places;
pub use record::record;
pub use words::file;

pub(super) use message::no;
pub(super) use words::{answer, command, notice, reply, request, settings, timer, wanted};

/// How much is said.
pub type Detail<'a> = trace::Detail<'a, FileService>;

impl Detail<'_> {
    /// Where: `on 3 arcs, 8.5 %`; `nowhere`.
    pub(super) fn on(self, arcs: &Arcs) -> String {
        match self {
            Detail::Brief | Detail::Whole => words::on(arcs),
            Detail::Report(places) | Detail::Contents(places) => places.on(arcs),
        }
    }

    /// The paths that lie there, where it is known which of them matter.
    pub(super) fn paths_on(self, arcs: &Arcs) -> String {
        match self {
            Detail::Brief | Detail::Whole => String::new(),
            Detail::Report(places) | Detail::Contents(places) => places.paths_on(arcs),
        }
    }
}
