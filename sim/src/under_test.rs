//! What the testbed needs to know of the system under test.
//!
//! A [`System`] says what its machines do. [`UnderTest`] says what its messages and records are
//! called, what they are about, and what can be reached in a run of it.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use seedbed::machine::{NodeId, System};

use crate::invariant::ListedInvariant;
use crate::milestone::Milestone;
use crate::name::Name;
use crate::oracle::{Invariant, Model};
use crate::subject::{Subject, Subjects};
use crate::world::World;

/// A system that the testbed can run and judge.
pub trait UnderTest: System {
    /// Kinds of message.
    type MessageKind: Name;
    /// Kinds of record.
    type RecordKind: Name;
    /// Milestones of this system, beside those that every system has.
    type Milestone: Name;
    /// What its steps are about.
    type Subject: Subject;

    /// Invariants of this system, beside those of the simulated world itself.
    type Invariant: ListedInvariant;
    /// What the outside knows of a run.
    type Model: Model<Self>;
    /// What users ask for, drawn from the seed.
    type Workload: Clone + Debug + Eq + Hash + Send + Sync;
    /// What the simulation knows of a request that it asks when everything had its time.
    type Probe: Clone + Debug;

    /// The kind of a message.
    fn message_kind(message: &Self::Message) -> Self::MessageKind;

    /// The kind of a record.
    fn record_kind(record: &Self::Record) -> Self::RecordKind;

    /// Does a log get such records by themselves? Others stand in checkpoints only.
    fn is_logged(_kind: Self::RecordKind) -> bool {
        true
    }

    /// The milestone that comes before this one in its story, if any does.
    fn follows(_milestone: Self::Milestone) -> Option<Milestone<Self>> {
        None
    }

    /// Takes in what a message that goes `from` one machine `to` another is about.
    fn about_message(
        from: NodeId,
        to: NodeId,
        message: &Self::Message,
        subjects: &mut Subjects<Self::Subject>,
    );

    /// Takes in what a record of `node` is about.
    fn about_record(node: NodeId, record: &Self::Record, subjects: &mut Subjects<Self::Subject>);

    /// Takes in what a request is about, beside itself.
    fn about_request(_request: &Self::Request, _subjects: &mut Subjects<Self::Subject>) {}

    /// Takes in what a wake-up is about.
    fn about_timer(_timer: &Self::Timer, _subjects: &mut Subjects<Self::Subject>) {}

    /// Takes in what a user is told unasked.
    fn about_notice(_notice: &Self::Notice, _subjects: &mut Subjects<Self::Subject>) {}

    /// What the outside knows before anything has happened.
    fn model(config: &Arc<Self::Config>) -> Self::Model;

    /// The checker of an invariant, for a run that starts with `world`; `None` where it has nothing
    /// to look at in such a run.
    fn invariant(
        name: Self::Invariant,
        world: &World<Self>,
        workload: Option<&Self::Workload>,
    ) -> Option<Box<dyn Invariant<Self>>>;
}
