//! All that the testbed knows of the file service.

pub mod coverage;
pub mod figures;
pub mod history;
pub mod invariant;
pub mod jepsen;
pub mod milestone;
pub mod oracle;
mod owners;
pub mod probes;
pub mod refusal;
pub mod scenario;
mod setting;
pub mod subject_of;
mod system;
mod terms;
pub mod trace;
pub mod users;

use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::client::Client;
use seedbed::proto::node::Node;
use seedbed::proto::{Config, FileService, Process};

use crate::cast::Cast;
use crate::world;

pub use invariant::InvariantName;
pub use milestone::Milestone;
pub use scenario::Scenario;
pub use subject_of::{Subject, Subjects, Topic, Transfer};

/// A cluster of the file service.
pub type World = world::World<FileService>;
/// A machine of the file service.
pub type Host = world::Host<FileService>;
/// Something that happens to the file service.
pub type Event = world::Event<FileService>;
/// What came of an event.
pub type Fact = world::Fact<FileService>;
/// One event and what came of it.
pub type Step = world::Step<FileService>;
/// A message in flight.
pub type Packet = world::Packet<FileService>;
/// A disk of the file service.
pub type Disk = world::Disk<FileService>;
/// The network of the file service.
pub type Network = world::Network<FileService>;
/// A run.
pub type Simulation<'a> = crate::simulation::Simulation<'a, FileService>;
/// The steps of a run.
pub type History = crate::report::History<FileService>;
/// Everything that is known of a run when it is over.
pub type RunReport = crate::verdict::RunReport<FileService>;
/// How a run ended.
pub type Verdict = crate::verdict::Verdict<FileService>;
/// How the runs of a file went, all together.
pub type FileReport = crate::verdict::FileReport<FileService>;
/// How a file did.
pub type FileVerdict = crate::verdict::FileVerdict<FileService>;
/// Something that a run can try.
pub type Cell = crate::cell::Cell<FileService>;
/// A kind of fault.
pub type FaultKind = crate::cell::FaultKind<FileService>;
/// A kind of fault that a seed may draw.
pub type ChaosKind = crate::fault::ChaosKind<FileService>;
/// A plain scheduler of a cluster of the file service.
pub type Stage<W> = world::Stage<FileService, W>;

impl World {
    /// The machines of `config` and `clients` clients, all down, with empty disks.
    ///
    /// # Panics
    /// If the members are not `n1`, `n2`, ... in this order.
    pub fn of_config(config: Arc<Config>, clients: u16) -> World {
        World::with_spare(config, 0, clients)
    }

    /// The same with `spare` storage nodes more, numbered after the members of `config`.
    ///
    /// # Panics
    /// If the members are not `n1`, `n2`, ... in this order.
    pub fn with_spare(config: Arc<Config>, spare: u16, clients: u16) -> World {
        let nodes = config.members.len() as u16;
        let expected = (1..=nodes).map(NodeId::node);
        assert!(config.members.iter().copied().eq(expected), "members are n1, n2, ...");
        World::new(config, Cast { control: true, nodes, spare, clients })
    }
}

impl Host {
    /// The storage node that runs here, if one does.
    pub fn storage(&self) -> Option<&Node> {
        match self.process() {
            Some(Process::Storage(node)) => Some(node),
            Some(Process::Control(_) | Process::Client(_)) | None => None,
        }
    }

    /// The client that runs here, if one does.
    pub fn client(&self) -> Option<&Client> {
        match self.process() {
            Some(Process::Client(client)) => Some(client),
            Some(Process::Control(_) | Process::Storage(_)) | None => None,
        }
    }
}
