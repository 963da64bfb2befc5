//! Short ways to make things happen by hand, for the tests of single invariants, and a scheduler
//! for real runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::proto::{
    AcceptedLoss, Action, Age, Arcs, AttemptEnd, Config, Contents, Epoch, File, Header,
    Incarnation, Known, LowWater, Member, Membership, Message, No, NodeId, Operation, Outcome,
    Path, Record, Reply, Request, RequestId, Session, Settings, Span, Terms, Time, Token, TxnId,
    Version, View, Vote,
};

use crate::oracle::blocked::{Missed, who_is_missed};
use crate::oracle::{Breach, Invariant, Model, Oracle, Seen, Violation};
use crate::world::{Event, Fact, Loss, PacketId, Rot, Step, World};

/// One invariant and what it is shown: every call is a step of its own.
pub struct Play<I> {
    invariant: I,
    model: Model,
    drive: Drive,
    logs: BTreeMap<NodeId, Log>,
    one_step: bool,
    breach: Option<Breach>,
}

#[derive(Default)]
struct Log {
    end: u64,
    pending: Vec<(u64, Record)>,
}

impl<I: Invariant> Play<I> {
    /// Three storage nodes, all of them owners of every path, and a client.
    pub fn new(invariant: I) -> Play<I> {
        let settings = Settings { replicas: 3, ..Settings::default() };
        let drive = Drive::new(settings, 1);
        let (model, logs) = (Model::default(), BTreeMap::new());
        Play { invariant, model, drive, logs, one_step: false, breach: None }
    }

    /// Three storage nodes that wait for a view, two owners for each path, and a client.
    pub fn managed(invariant: I) -> Play<I> {
        let settings = Settings { membership: Membership::Managed, ..Settings::default() };
        let drive = Drive::new(settings, 1);
        let (model, logs) = (Model::new(drive.world.config()), BTreeMap::new());
        Play { invariant, model, drive, logs, one_step: false, breach: None }
    }

    /// From here on it is so late.
    pub fn at_ms(&mut self, ms: u64) {
        self.model.now = Time::ZERO + Span::from_millis(ms);
    }

    /// The centre announces a view of these nodes and puts it into force.
    pub fn views(&mut self, epoch: u32, nodes: &[NodeId]) {
        self.forces(NodeId::CONTROL, announced(epoch, nodes));
        self.forces(NodeId::CONTROL, activated(epoch));
    }

    /// A node is born, and enters the epoch complete on all the ring.
    pub fn is_complete(&mut self, node: NodeId, epoch: u32) {
        self.forces(node, born());
        self.forces(node, entered(epoch, Arcs::all()));
    }

    /// A node that is up has a heartbeat of this moment answered.
    pub fn is_leased(&mut self, node: NodeId, epoch: u32) {
        let (admission, epoch) = (Config::FIRST_ADMISSION, Epoch(epoch));
        let incarnation = self.model.lives.get(&node).copied().unwrap_or_default();
        let (asked, settled) = (self.model.now, Epoch(0));
        let answered = Some(asked);
        let beat = Message::Heartbeat { admission, incarnation, known: epoch, asked, answered };
        self.sends(node, NodeId::CONTROL, beat);
        let accepted = AcceptedLoss::default();
        let alive = Message::Alive { incarnation, asked, epoch, settled, accepted };
        self.sends(NodeId::CONTROL, node, alive.clone());
        self.receives(NodeId::CONTROL, node, alive);
    }

    pub fn loses_its_disk(&mut self, node: NodeId) {
        self.crashes(node);
        self.logs.remove(&node);
        self.see(&Seen::Wiped { node });
    }

    /// The owners of a path in an epoch, and the first node that is none.
    pub fn owners_in(&self, epoch: u32, of: &str) -> (Vec<NodeId>, NodeId) {
        let config = self.drive.world.config();
        let placement = self.model.views.placement(config, Epoch(epoch)).expect("a view");
        let owners: Vec<NodeId> = placement.owners(config, &path(of)).collect();
        let other = (1..=9).map(n).find(|node| !owners.contains(node)).expect("one of nine");
        (owners, other)
    }

    /// What a node owns in an epoch.
    pub fn owned_in(&self, epoch: u32, node: NodeId) -> Arcs {
        let config = self.drive.world.config();
        self.model.views.placement(config, Epoch(epoch)).expect("a view").owned_by(node)
    }

    pub fn position(&self, of: &str) -> u64 {
        self.drive.world.config().position(&path(of))
    }

    /// Nothing is broken so far.
    #[track_caller]
    pub fn holds(&self) {
        assert_eq!(self.breach, None);
    }

    /// Nothing was broken before `last`, and that breaks it.
    #[track_caller]
    pub fn breaks(&mut self, last: impl FnOnce(&mut Play<I>)) -> Breach {
        self.holds();
        last(self);
        let breach = self.breach.take().expect("a breach");
        assert_eq!(breach.now.step, self.model.step, "what has happened now");
        breach
    }

    pub fn in_one_step(&mut self, what: impl FnOnce(&mut Play<I>)) {
        self.model.step += 1;
        self.one_step = true;
        what(self);
        self.one_step = false;
    }

    pub fn sends(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.see(&Seen::Sent { packet: PacketId(0), from, to, message: &message });
    }

    pub fn receives(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.see(&Seen::Received { packet: PacketId(0), from, to, message: &message });
    }

    /// Appends a forced record; a crash may lose it.
    pub fn appends(&mut self, node: NodeId, record: Record) {
        let log = self.logs.entry(node).or_default();
        let position = log.end;
        log.end += 1;
        log.pending.push((position, record.clone()));
        self.see(&Seen::Appended { node, position, record: &record, forced: true });
    }

    pub fn syncs(&mut self, node: NodeId) {
        let pending = std::mem::take(&mut self.logs.entry(node).or_default().pending);
        for (position, record) in pending {
            self.see(&Seen::Durable { node, position, record: &record });
        }
    }

    pub fn forces(&mut self, node: NodeId, record: Record) {
        self.appends(node, record);
        self.syncs(node);
    }

    pub fn crashes(&mut self, node: NodeId) {
        let log = self.logs.entry(node).or_default();
        log.end -= log.pending.len() as u64;
        log.pending.clear();
        self.see(&Seen::Crashed { node });
    }

    pub fn starts(&mut self, node: NodeId) {
        let incarnation = self.model.lives.get(&node).copied().unwrap_or_default().next();
        self.see(&Seen::Started { node, incarnation });
    }

    pub fn wants(&mut self, request: RequestId, wanted: Request) {
        self.see(&Seen::Requested { request, wanted: &wanted });
    }

    /// A user asks for `operations`, and the client begins.
    pub fn asks(&mut self, request: RequestId, operations: &[Operation]) {
        self.wants(request, Request::Files { operations: operations.into(), coordinator: None });
        self.begins(request, operations);
    }

    pub fn begins(&mut self, request: RequestId, operations: &[Operation]) {
        let session = Session { node: Incarnation(1), number: 1, lowest: 1 };
        let (epoch, age) = (Epoch(1), Age { first_attempt: Time::ZERO, request });
        let operations = operations.into();
        let begin =
            Message::Begin { session, epoch, request, attempt: 1, lowest: 1, age, operations };
        self.sends(c(1), n(1), begin);
    }

    pub fn replies(&mut self, request: RequestId, reply: Reply) {
        self.see(&Seen::Replied { request, reply: &reply });
    }

    /// Who cannot pull what it owns.
    pub fn missed(&self) -> Vec<Missed> {
        who_is_missed(&self.model, &self.drive.world)
    }

    pub fn ends(&mut self) {
        let result = self.invariant.at_end(&self.model, &self.drive.world);
        self.breach = self.breach.take().or(result.err());
    }

    pub fn owners(&self, of: &str) -> Vec<NodeId> {
        self.drive.world.config().first_layout().ring().owners(&path(of)).to_vec()
    }

    /// Starts `node` in the world behind the play too.
    pub fn really_starts(&mut self, node: NodeId) {
        self.drive.start(node);
        let incarnation = self.drive.world.host(node).incarnation();
        self.see(&Seen::Started { node, incarnation });
    }

    pub fn really_restarts(&mut self, node: NodeId) {
        self.drive.crash(node);
        self.crashes(node);
        self.really_starts(node);
    }

    /// Makes all nodes of the world behind the play, `node` among them, store a file.
    pub fn really_stores(&mut self, node: NodeId, at: &str, version: u64, contents: &str) {
        self.drive.start_all();
        self.drive.run(Span::from_secs(1)); // where membership is managed, there is no view before
        for _ in 0..version {
            self.drive.ask(1, vec![write(at, contents)]);
            self.drive.run(Span::from_secs(1));
        }
        let file = &self.drive.world.host(node).storage().expect("it is up").files()[&path(at)];
        assert_eq!((file.version, &file.contents), (Version(version), &Some(contents.into())));
    }

    /// Makes `node` begin a transaction for real and get no further: nobody else is up.
    pub fn really_begins(&mut self, node: NodeId, operation: Operation) {
        let at = operation.path.clone();
        self.drive.start(c(1));
        self.drive.ask_at(1, vec![operation], Some(node));
        self.drive.run(Span::from_millis(10));
        assert!(self.drive.world.host(node).storage().expect("it is up").is_pinned(&at));
    }

    fn see(&mut self, seen: &Seen<'_>) {
        self.model.step += u64::from(!self.one_step);
        self.model.update(seen, &self.drive.world);
        if self.breach.is_none() && self.invariant.interest().has(seen.slot()) {
            self.breach = self.invariant.see(seen, &self.model, &self.drive.world).err();
        }
    }
}

/// A world and the simplest scheduler there is: every message and every sync takes a millisecond,
/// unless there is weather.
pub struct Drive {
    pub world: World,
    pub oracle: Oracle,
    pub violation: Option<Violation>,
    pub replies: Vec<(RequestId, Reply)>,
    /// Draws latencies, losses and copies.
    pub weather: Option<Draw>,
    step: Step,
    facts: Vec<Fact>,
    queue: BTreeMap<(Time, u64), Event>,
    queued: u64,
}

impl Drive {
    pub fn new(settings: Settings, clients: u16) -> Drive {
        let world = World::new(Config::new(settings).expect("good settings"), clients);
        let oracle = Oracle::new(&world, None);
        let (violation, replies, step) = (None, Vec::new(), Step::new());
        let (weather, queue) = (None, BTreeMap::new());
        Drive {
            world,
            oracle,
            violation,
            replies,
            weather,
            step,
            facts: Vec::new(),
            queue,
            queued: 0,
        }
    }

    pub fn start_all(&mut self) {
        let nodes: Vec<NodeId> = self.world.nodes().collect();
        for node in
            nodes.into_iter().filter(|node| !self.world.host(*node).is_up()).collect::<Vec<_>>()
        {
            self.start(node);
        }
    }

    pub fn start(&mut self, node: NodeId) {
        self.apply(self.world.now(), Event::Start { node, rot: None });
    }

    pub fn start_rotten(&mut self, node: NodeId, rot: Rot) {
        self.apply(self.world.now(), Event::Start { node, rot: Some(rot) });
    }

    pub fn crash(&mut self, node: NodeId) {
        self.crash_keeping(node, 0);
    }

    pub fn crash_keeping(&mut self, node: NodeId, kept: u32) {
        self.queue.retain(|_, event| !matches!(event, Event::Synced(synced) if *synced == node));
        self.apply(self.world.now(), Event::Crash { node, kept, torn: 0, checkpointed: false });
    }

    /// Client `client` asks for `operations`.
    pub fn ask(&mut self, client: u16, operations: Vec<Operation>) -> RequestId {
        self.ask_at(client, operations, None)
    }

    pub fn ask_at(
        &mut self,
        client: u16,
        operations: Vec<Operation>,
        coordinator: Option<NodeId>,
    ) -> RequestId {
        self.request(client, Request::Files { operations: operations.into(), coordinator })
    }

    pub fn request(&mut self, client: u16, request: Request) -> RequestId {
        let (client, request) = (c(client), Arc::new(request));
        self.apply(self.world.now(), Event::Request { client, request });
        let facts = &self.step.facts;
        let id = facts.iter().find_map(|fact| match fact {
            Fact::Requested { request } => Some(*request),
            _ => None,
        });
        id.expect("a request has an id")
    }

    /// Applies everything that is due within `span`.
    pub fn run(&mut self, span: Span) {
        let end = self.world.now() + span;
        while let Some((at, event)) = self.next(end) {
            self.apply(at, event);
        }
    }

    /// Runs step by step until `done`, looking at each step; says whether that ever was.
    pub fn run_until(&mut self, mut done: impl FnMut(&Step) -> bool) -> bool {
        let end = self.world.now() + Span::from_secs(1);
        while let Some((at, event)) = self.next(end) {
            self.apply(at, event);
            if done(&self.step) {
                return true;
            }
        }
        false
    }

    pub fn reply(&self, request: RequestId) -> Option<&Reply> {
        self.replies.iter().find(|(id, _)| *id == request).map(|(_, reply)| reply)
    }

    fn next(&mut self, end: Time) -> Option<(Time, Event)> {
        let now = self.world.now();
        let up = self.world.nodes().filter(|node| self.world.host(*node).is_up());
        let wakes = up.filter_map(|node| Some((self.world.next_wake(node)?.max(now), node)));
        let wake = wakes.min();
        let queued = self.queue.first_key_value().map(|((at, _), _)| *at);
        match (wake, queued) {
            (Some((at, node)), queued) if queued.is_none_or(|queued| at < queued) => {
                (at <= end).then_some((at, Event::Wake(node)))
            }
            (_, Some(at)) if at <= end => {
                let (_, event) = self.queue.pop_first().expect("something is queued");
                Some((at, self.unless_down(event)))
            }
            (_, _) => None,
        }
    }

    fn unless_down(&self, event: Event) -> Event {
        match event {
            Event::Deliver(packet) => {
                let to = self.world.network().get(packet).expect("it is in flight").to;
                match self.world.host(to).is_up() {
                    true => event,
                    false => Event::Drop(packet, Loss::Down),
                }
            }
            other => other,
        }
    }

    fn apply(&mut self, at: Time, event: Event) {
        self.world.apply(at, event, &mut self.step);
        for fact in std::mem::take(&mut self.step.facts) {
            match &fact {
                Fact::Sent { packet, .. } => self.send(at, *packet),
                Fact::Copied { packet } => self.queue_later(at, Event::Deliver(*packet)),
                Fact::SyncBegan { node } => self.queue_later(at, Event::Synced(*node)),
                Fact::Replied { request, reply } => self.replies.push((*request, reply.clone())),
                _ => {}
            }
            self.facts.push(fact);
        }
        std::mem::swap(&mut self.facts, &mut self.step.facts);
        self.facts.clear();
        if self.violation.is_none() {
            self.violation = self.oracle.observe(&self.world, &self.step).err();
        }
    }

    fn send(&mut self, at: Time, packet: PacketId) {
        let fate = self.weather.as_mut().map_or(99, |draw| draw.below(100));
        let due = at + self.delay();
        match fate {
            0..5 => self.queue(due, Event::Drop(packet, Loss::Network)),
            _ => self.queue(due, Event::Deliver(packet)),
        }
        if (5..15).contains(&fate) {
            self.queue(at, Event::Duplicate(packet));
        }
    }

    fn delay(&mut self) -> Span {
        let draw = self.weather.as_mut();
        Span::from_micros(draw.map_or(1000, |draw| match draw.below(20) {
            0 => 1000 * (1 + draw.below(3000)),
            _ => 100 + draw.below(5000),
        }))
    }

    fn queue_later(&mut self, at: Time, event: Event) {
        let due = at + self.delay();
        self.queue(due, event);
    }

    fn queue(&mut self, at: Time, event: Event) {
        self.queued += 1;
        self.queue.insert((at, self.queued), event);
    }
}

/// Numbers that look drawn (SplitMix64).
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % end
    }
}

pub fn n(number: u16) -> NodeId {
    NodeId::storage(number)
}

pub fn c(number: u16) -> NodeId {
    NodeId::client(number)
}

pub fn path(text: &str) -> Path {
    Path::new(text).expect("a path")
}

pub fn request(number: u32) -> RequestId {
    RequestId { client: c(1), incarnation: Incarnation(1), number }
}

/// A transaction of n1.
pub fn txn(counter: u32) -> TxnId {
    txn_of(n(1), counter)
}

pub fn txn_of(coordinator: NodeId, counter: u32) -> TxnId {
    let (admission, incarnation) = (Config::FIRST_ADMISSION, Incarnation(1));
    TxnId { coordinator, admission, incarnation, counter }
}

fn file(version: u64, contents: Option<&str>, fence: u64) -> File {
    let contents = contents.map(Contents::from);
    File { version: Version(version), contents, fence: Token(fence) }
}

fn vote_record(txn: TxnId, at: &str, file: File) -> Record {
    Record::Voted {
        txn,
        epoch: Config::FIRST_EPOCH,
        request: request(1),
        participants: [].into(),
        paths: [path(at)].into(),
        voided: [].into(),
        changes: [(path(at), file)].into(),
        results: [].into(),
        operations: 1,
    }
}

pub fn voted(txn: TxnId, at: &str, version: u64, contents: &str) -> Record {
    vote_record(txn, at, file(version, Some(contents), 0))
}

/// The view of these nodes, with two owners for each path.
pub fn view(epoch: u32, nodes: &[NodeId]) -> View {
    let Settings { virtual_nodes, lock_lease, membership_lease, .. } = Settings::default();
    let (epoch, members, replicas) = (Epoch(epoch), members(nodes), 2);
    View { epoch, members, replicas, virtual_nodes, lock_lease, membership_lease }
}

pub fn announced(epoch: u32, nodes: &[NodeId]) -> Record {
    Record::Announced { view: view(epoch, nodes) }
}

pub fn activated(epoch: u32) -> Record {
    Record::Activated { epoch: Epoch(epoch) }
}

pub fn born() -> Record {
    Record::Born { admission: Config::FIRST_ADMISSION }
}

pub fn entered(epoch: u32, complete: Arcs) -> Record {
    Record::Entered { epoch: Epoch(epoch), complete }
}

pub fn complete(epoch: u32, arcs: Arcs) -> Record {
    Record::Complete { epoch: Epoch(epoch), arcs }
}

/// A part of what was pulled: this file.
pub fn pulled(at: &str, version: u64, contents: &str) -> Record {
    let files = [(path(at), file(version, Some(contents), 0))].into();
    Record::Pulled { files, answers: [].into(), replaced: Arcs::default() }
}

/// The operator gives up everything that is lost, in the epochs up to this one.
pub fn loss_accepted() -> Record {
    let accepted = AcceptedLoss { epoch: Epoch(3), admission: seedbed::proto::Admission(u32::MAX) };
    Record::LossAccepted { accepted }
}

/// A vote in this epoch.
pub fn voted_in(epoch: u32, txn: TxnId, at: &str, version: u64, contents: &str) -> Record {
    let mut record = voted(txn, at, version, contents);
    if let Record::Voted { epoch: of, .. } = &mut record {
        *of = Epoch(epoch);
    }
    record
}

pub fn voted_gone(txn: TxnId, at: &str, version: u64) -> Record {
    vote_record(txn, at, file(version, None, 0))
}

/// The nodes under their first admission.
pub fn members(nodes: &[NodeId]) -> Arc<[Member]> {
    let admission = Config::FIRST_ADMISSION;
    nodes.iter().map(|&node| Member { node, admission }).collect()
}

fn decision(
    request: RequestId,
    txn: TxnId,
    participants: &[NodeId],
    changes: &[(Path, File)],
    answer: &[Outcome],
) -> Record {
    let (participants, changes) = (members(participants), changes.into());
    let (epoch, answer) = (Config::FIRST_EPOCH, answer.into());
    Record::Decided { txn, epoch, request, participants, changes, answer }
}

pub fn decided(
    txn: TxnId,
    participants: &[NodeId],
    at: &str,
    version: u64,
    contents: &str,
) -> Record {
    decided_for(request(1), txn, participants, at, version, contents)
}

pub fn decided_for(
    request: RequestId,
    txn: TxnId,
    participants: &[NodeId],
    at: &str,
    version: u64,
    contents: &str,
) -> Record {
    let changes = [(path(at), file(version, Some(contents), 0))];
    decision(request, txn, participants, &changes, &[changed(version)])
}

pub fn deleted(request: RequestId, txn: TxnId, at: &str, version: u64) -> Record {
    decision(request, txn, &[], &[(path(at), file(version, None, 0))], &[changed(version)])
}

/// A commit that leaves the path fenced with `token`.
pub fn fenced(
    request: RequestId,
    txn: TxnId,
    at: &str,
    version: u64,
    contents: &str,
    token: u64,
) -> Record {
    let contents = Some(contents).filter(|_| version > 0);
    let changes = [(path(at), file(version, contents, token))];
    decision(request, txn, &[], &changes, &[changed(version)])
}

/// A commit that changes nothing at its coordinator.
pub fn read_decided(request: RequestId, txn: TxnId, answer: &[Outcome]) -> Record {
    decision(request, txn, &[], &[], answer)
}

pub fn applied(txn: TxnId) -> Record {
    Record::Applied { txn, request: request(1), answer: [].into() }
}

pub fn rolled_back(txn: TxnId) -> Record {
    Record::RolledBack { txn }
}

pub fn promised(txn: TxnId) -> Record {
    Record::Promised { txn }
}

pub fn over(txn: TxnId) -> Record {
    Record::Over { txn }
}

fn header(txn: TxnId, low_water: u32) -> Header {
    let low_water = LowWater { incarnation: txn.incarnation, counter: low_water };
    Header { txn, low_water }
}

pub fn prepare(txn: TxnId, participants: &[NodeId]) -> Message {
    let request = request(1);
    let terms = Terms {
        request,
        attempt: 1,
        lowest: 1,
        age: Age { first_attempt: Time::ZERO, request },
        participants: members(participants),
        operations: 1,
    };
    let (header, epoch, paths) = (header(txn, 0), Config::FIRST_EPOCH, [].into());
    Message::Prepare { header, epoch, terms, paths, work: None }
}

pub fn vote_yes(txn: TxnId) -> Message {
    Message::Executed { txn, vote: Vote::Yes([].into()) }
}

pub fn vote_no(txn: TxnId) -> Message {
    Message::Executed { txn, vote: Vote::No(No::Conflict) }
}

pub fn commit(txn: TxnId) -> Message {
    let voter = Config::FIRST_ADMISSION;
    Message::Commit { header: header(txn, 0), voter, answer: [].into() }
}

pub fn committed(txn: TxnId) -> Message {
    Message::Committed { txn }
}

pub fn abort(txn: TxnId) -> Message {
    abort_marked(txn, 0)
}

pub fn abort_marked(txn: TxnId, low_water: u32) -> Message {
    Message::Abort { header: header(txn, low_water) }
}

pub fn told_aborted(txn: TxnId) -> Message {
    Message::Told { txn, known: Known::Aborted }
}

pub fn read_of(request: RequestId, at: &str) -> Message {
    Message::Read { epoch: Config::FIRST_EPOCH, request, attempt: 1, path: path(at) }
}

pub fn ended_done(request: RequestId, answer: &[Outcome]) -> Message {
    Message::Ended { request, attempt: 1, end: AttemptEnd::Done(answer.into()) }
}

pub fn changed(version: u64) -> Outcome {
    Outcome::Changed(Version(version))
}

pub fn found(version: u64, contents: Option<&str>) -> Outcome {
    Outcome::Found(Version(version), contents.map(Contents::from))
}

fn operation(at: &str, action: Action) -> Operation {
    Operation { path: path(at), action, token: None }
}

pub fn write(at: &str, contents: &str) -> Operation {
    operation(at, Action::Write(contents.into(), None))
}

pub fn read(at: &str) -> Operation {
    operation(at, Action::Read)
}

pub fn delete(at: &str) -> Operation {
    operation(at, Action::Delete(None))
}

pub fn rename(from: &str, to: &str) -> Operation {
    operation(from, Action::Rename(path(to), None))
}

pub fn claim(at: &str, token: u64) -> Operation {
    with_token(operation(at, Action::Claim), token)
}

pub fn with_token(operation: Operation, token: u64) -> Operation {
    Operation { token: Some(Token(token)), ..operation }
}

pub fn acquire(at: &str) -> Request {
    Request::Acquire { path: path(at), wait: true }
}
