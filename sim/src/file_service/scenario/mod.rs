//! What a scenario of the file service says, beside what every system's may.

mod answer;
mod asked;
mod examples;
mod filter;
mod grammar;
mod limits;
mod moment;
mod part;
mod possible;
mod request;
mod settings;
mod shared;
mod stored;
mod swarm;
#[cfg(test)]
mod tests;
mod values;
mod wishes;
mod workload;

use seedbed::proto::FileService;

use crate::scenario;

pub use answer::Answer;
pub use filter::{Filter, TxnName};
pub use part::{Part, roles_of};
pub use possible::is_of_managed;
pub(super) use request::written as written_request;
pub use request::{Ask, Verb};
pub use stored::Stored;
pub use swarm::SwarmKey;
pub use wishes::{Options, Wish, WishKind, Wishes};
pub use workload::{Workload, WorkloadKind};

pub(super) use answer::is_possible;
pub(super) use asked::{acquires, renames};
pub(super) use filter::{FILTERS, is_about_a_request};
pub(super) use grammar::{extra, tables};
pub(super) use moment::moments;
pub(super) use possible::{goes_beyond_limits, may_block, written_by};
pub(super) use request::grammar::REQUESTS;

/// What a file says.
pub type Scenario = scenario::Scenario<FileService>;
/// A script of a file.
pub type Script = scenario::Script<FileService>;
/// A scripted fault of a file.
pub type ScriptedFault = scenario::ScriptedFault<FileService>;
/// What is drawn before the run.
pub type Swarm = scenario::Swarm<FileService>;
/// How a file names a machine.
pub type Target = scenario::Target<FileService>;

/// How the tables of a file are read and checked.
pub(super) mod reading {
    pub(in crate::file_service) use super::filter::read as filter;
    pub(in crate::file_service) use super::limits::check as check_limits;
    pub(in crate::file_service) use super::possible::{
        check_answers, why_never, why_never_violated,
    };
    pub(in crate::file_service) use super::request::{asked_first, read as request, with_first};
    pub(in crate::file_service) use super::settings::read as settings;
    pub(in crate::file_service) use super::stored::{must_be_written, read as stored};
    pub(in crate::file_service) use super::swarm::{
        check as check_swarm, check_with_file, most_drawn, put_drawn,
    };
    pub(in crate::file_service) use super::workload::read as workload;
}
