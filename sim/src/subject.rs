//! What steps, milestones and the facts of a violation are about.
//!
//! A *subject* is a thing of the system under test: a request, a machine, an election. Two steps
//! that are about one subject belong to one story, and a report tells stories.

use std::collections::BTreeSet;
use std::fmt::{self, Debug, Display};

use seedbed::machine::{NodeId, RequestId};

use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Step};

/// Something that a step, a milestone or a fact of a violation can be about.
pub trait Subject:
    Clone + Debug + Display + Ord + Send + Sync + From<RequestId> + From<NodeId> + 'static
{
    /// What it is to a story that it comes up in.
    fn standing(&self) -> Standing;
}

/// What a subject is to a story that it comes up in: a report chooses by it which steps it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// A request of a user.
    Request,
    /// What the system does for a request under a name of its own: an attempt.
    Attempt,
    /// What requests are about, such as a register. Where one of the two above is named it is only
    /// its circumstance.
    Object,
    /// What happens without a request, such as an election.
    Undertaking,
    /// What goes on between two machines, such as a transfer of data.
    Exchange,
    /// What is kept up all the time by messages that tell little, such as a session.
    Upkeep,
    /// A machine. Where anything else is named it is only where that happens.
    Machine,
}

impl Standing {
    /// Is it a request, or what is done for one?
    pub fn is_deed(self) -> bool {
        matches!(self, Standing::Request | Standing::Attempt)
    }
}

/// The subjects of a system that has no type of its own for them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plain {
    /// A request of a user.
    Request(RequestId),
    /// What happens without a request, by its name: `election of n2`.
    Undertaking(String),
    /// A machine: its clock, its log, its disk.
    Machine(NodeId),
}

impl Subject for Plain {
    fn standing(&self) -> Standing {
        match self {
            Plain::Request(_) => Standing::Request,
            Plain::Undertaking(_) => Standing::Undertaking,
            Plain::Machine(_) => Standing::Machine,
        }
    }
}

impl From<RequestId> for Plain {
    fn from(request: RequestId) -> Plain {
        Plain::Request(request)
    }
}

impl From<NodeId> for Plain {
    fn from(machine: NodeId) -> Plain {
        Plain::Machine(machine)
    }
}

impl Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Plain::Request(request) => Display::fmt(request, f),
            Plain::Undertaking(name) => f.write_str(name),
            Plain::Machine(machine) => Display::fmt(machine, f),
        }
    }
}

/// What something is about, all in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects<T>(BTreeSet<T>);

impl<T> Default for Subjects<T> {
    fn default() -> Subjects<T> {
        Subjects(BTreeSet::new())
    }
}

impl<T: Subject> Subjects<T> {
    /// One subject.
    pub fn of(subject: impl Into<T>) -> Subjects<T> {
        Subjects::default().and(subject)
    }

    /// These and `subject`.
    #[must_use]
    pub fn and(mut self, subject: impl Into<T>) -> Subjects<T> {
        self.add(subject);
        self
    }

    /// Takes in `subject`.
    pub fn add(&mut self, subject: impl Into<T>) {
        self.0.insert(subject.into());
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is `subject` one of them?
    pub fn has(&self, subject: &T) -> bool {
        self.0.contains(subject)
    }

    /// Is one of them among `others`?
    pub fn meet(&self, others: &Subjects<T>) -> bool {
        !self.0.is_disjoint(&others.0)
    }

    /// Keeps those that `wanted` holds for.
    pub fn retain(&mut self, wanted: impl FnMut(&T) -> bool) {
        self.0.retain(wanted);
    }
}

impl<T: Display> Display for Subjects<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

impl<T: Ord> FromIterator<T> for Subjects<T> {
    fn from_iter<I: IntoIterator<Item = T>>(subjects: I) -> Subjects<T> {
        Subjects(subjects.into_iter().collect())
    }
}

impl<T: Ord> Extend<T> for Subjects<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, subjects: I) {
        self.0.extend(subjects);
    }
}

/// What `step` is about.
pub fn of_step<S: UnderTest>(step: &Step<S>) -> Subjects<S::Subject> {
    let mut subjects = of_event(step);
    for (node, _, record) in &step.durable {
        S::about_record(*node, record, &mut subjects);
    }
    step.facts.iter().for_each(|fact| add_fact(fact, &mut subjects));
    subjects
}

/// What the event of `step` is about.
pub fn of_event<S: UnderTest>(step: &Step<S>) -> Subjects<S::Subject> {
    let mut subjects = Subjects::default();
    if let Some(packet) = &step.packet {
        S::about_message(packet.from, packet.to, &packet.message, &mut subjects);
    }
    if let Some(timer) = &step.timer {
        S::about_timer(timer, &mut subjects);
    }
    if let Some(node) = step.event.changes_machine() {
        subjects.add(node);
    }
    if let Event::Request { request, .. } = &step.event {
        S::about_request(request, &mut subjects);
    }
    subjects
}

/// What one fact is about.
pub fn of_fact<S: UnderTest>(fact: &Fact<S>) -> Subjects<S::Subject> {
    let mut subjects = Subjects::default();
    add_fact(fact, &mut subjects);
    subjects
}

/// What a message that goes `from` one machine `to` another is about.
pub fn of_message<S: UnderTest>(
    from: NodeId,
    to: NodeId,
    message: &S::Message,
) -> Subjects<S::Subject> {
    let mut subjects = Subjects::default();
    S::about_message(from, to, message, &mut subjects);
    subjects
}

/// What a record of `node` is about.
pub fn of_record<S: UnderTest>(node: NodeId, record: &S::Record) -> Subjects<S::Subject> {
    let mut subjects = Subjects::default();
    S::about_record(node, record, &mut subjects);
    subjects
}

fn add_fact<S: UnderTest>(fact: &Fact<S>, subjects: &mut Subjects<S::Subject>) {
    match fact {
        Fact::Requested { request } | Fact::Replied { request, .. } => subjects.add(*request),
        Fact::Sent { from, to, message, .. } => S::about_message(*from, *to, message, subjects),
        Fact::Appended { node, record, .. } => S::about_record(*node, record, subjects),
        Fact::Noticed { notice, .. } => S::about_notice(notice, subjects),
        Fact::Checkpointed { node, .. }
        | Fact::Forgot { node, .. }
        | Fact::Started { node, .. }
        | Fact::RefusedToStart { node, .. }
        | Fact::ToldOfDisk { node, .. }
        | Fact::Wiped { node } => subjects.add(*node),
        Fact::Copied { .. } | Fact::SyncBegan { .. } | Fact::Durable { .. } => {}
    }
}
