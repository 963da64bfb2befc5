//! The types of the file service, and the three kinds of machine as one.

use std::sync::Arc;

use super::client::Client;
use super::control::Control;
use super::node::Node;
use super::{
    Command, Config, Decided, Defect, FileService, Input, Message, Notice, Outbox, Record, Reply,
    Request, Timer, Voted,
};
use crate::machine::log::OnCorruption;
use crate::machine::{Boot, Class, Machine, System, Time};

/// A machine of the file service.
#[expect(clippy::large_enum_variant, reason = "there are few machines, and each is stepped often")]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Process {
    /// The central node.
    Control(Control),
    /// A storage node.
    Storage(Node),
    /// A client.
    Client(Client),
}

impl Process {
    /// The same machine under other settings, in the state that it is in.
    #[must_use]
    pub fn reconfigured(&self, config: &Arc<Config>) -> Process {
        let config = config.clone();
        match self {
            Process::Control(control) => Process::Control(control.reconfigured(config)),
            Process::Storage(node) => Process::Storage(node.reconfigured(config)),
            Process::Client(client) => Process::Client(client.reconfigured(config)),
        }
    }
}

impl System for FileService {
    type Config = Config;
    type Message = Message;
    type Record = Record;
    type Request = Request;
    type Reply = Reply;
    type Notice = Notice;
    type Command = Command;
    type Timer = Timer;
    type Machine = Process;

    fn recover(config: &Arc<Config>, boot: Boot<'_, FileService>) -> Process {
        let (config, Boot { id, incarnation, now, log }) = (config.clone(), boot);
        match id.class() {
            Class::Control => Process::Control(Control::recover(config, now, log)),
            Class::Node => Process::Storage(Node::recover(config, id, incarnation, now, log)),
            Class::Client => Process::Client(Client::start(config, id, incarnation)),
        }
    }

    /// A vote or a decision that changes nothing takes no room that a reader would miss. A decision
    /// with participants may finish what its coordinator executed while there was room.
    fn fits_on_a_full_disk(config: &Config, record: &Record) -> bool {
        let is_new_work = match record {
            Record::Voted(Voted { changes, .. }) => !changes.is_empty(),
            Record::Decided(Decided { participants, changes, .. }) => {
                participants.is_empty() && !changes.is_empty()
            }
            Record::Queued { .. } => true,
            // What finishes, refuses or remembers something, or moves it.
            Record::Promised { .. } | Record::Declined { .. } | Record::Applied { .. } => false,
            Record::RolledBack { .. } | Record::Over { .. } | Record::Settled { .. } => false,
            Record::Mark { .. } | Record::Answered { .. } | Record::Forgotten { .. } => false,
            Record::Stored { .. } | Record::Left { .. } | Record::LockOver { .. } => false,
            Record::Granted { .. } | Record::LastToken { .. } | Record::Born { .. } => false,
            Record::Entered { .. } | Record::Pulled { .. } | Record::Complete { .. } => false,
            Record::Reset { .. } | Record::GaveUp { .. } | Record::Admitted { .. } => false,
            Record::Recorded { .. } | Record::Lost { .. } | Record::Wanted { .. } => false,
            Record::Announced { .. } | Record::Activated { .. } | Record::Converged { .. } => false,
            Record::LossAccepted { .. } | Record::LongestLease { .. } => false,
        };
        !is_new_work || config.defects.has(Defect::FullDiskIgnored)
    }

    fn on_corruption(config: &Config) -> OnCorruption {
        match config.defects.has(Defect::CorruptRecordSkipped) {
            true => OnCorruption::Skip,
            false => OnCorruption::Refuse,
        }
    }
}

impl Machine<FileService> for Process {
    fn step(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        match self {
            Process::Control(control) => control.step(now, input, out),
            Process::Storage(node) => node.step(now, input, out),
            Process::Client(client) => client.step(now, input, out),
        }
    }

    fn next_deadline(&self) -> Option<(Time, &Timer)> {
        match self {
            Process::Control(control) => control.next_deadline(),
            Process::Storage(node) => node.next_deadline(),
            Process::Client(client) => client.next_deadline(),
        }
    }
}
