//! What a transaction and a lock cost, to the message, the record and the microsecond.
//!
//! How it is counted: N is the number of participants apart from the coordinator. A message counts
//! if both ends are storage nodes; what clients and storage nodes say to each other does not, and a
//! message to oneself never happens. A record counts as forced if something waits for it. There are
//! no faults, every message takes the same time d, every sync the time s.
//!
//! | | messages | forced records |
//! |---|---|---|
//! | two-phase, commit | 4N | 2N + 1 |
//! | two-phase, abort by one no, y = N - 1 voted yes | 2N + y | y |
//! | two-phase, abort by several no, y voted yes | 2N + N - 1 | y |
//! | two-phase, the coordinator's own part refuses | 0 | 0 |
//! | staged, commit | 6N | 2N + 1 |
//! | staged, abort by one no, y = N - 1 voted yes | 4N + y | y |
//! | staged, abort by several no, y voted yes | 4N + N - 1 | y |
//! | staged, the coordinator's own part refuses | 3N | 0 |
//!
//! The coordinator decides at the first no it hears and tells all other participants, also those
//! whose no is on its way.
//!
//! A coordinator that owns none of the paths is not cheaper or dearer for each participant: its
//! decision is one forced record either way. But there is one participant more: R owners are N = R
//! where the coordinator is none of them, and N = R - 1 where it is one.

use std::sync::Arc;

use seedbed::machine::{Class, NodeId, Span, Time};
use seedbed::proto::{
    Action, CommitMode, Config, Contents, FileService, MessageKind, Operation, Path, RecordKind,
    Reply, Request, Settings,
};
use seedbed_sim::file_service::{Event, Fact, Stage, Step, World};
use seedbed_sim::world::{Times, Watcher};

/// How long a message takes: d.
const LATENCY: Span = Span::from_millis(7);
/// How long a sync takes: s.
const SYNC: Span = Span::from_micros(1_300);

/// Counts what is sent and forced.
#[derive(Clone, Debug, Default)]
struct Ledger {
    /// Messages between storage nodes.
    messages: u64,
    /// Messages between a client and the lock server, by kind.
    locking: Vec<MessageKind>,
    /// Messages between a client and a storage node.
    asking: u64,
    /// Forced records of storage nodes.
    forced: u64,
    /// Forced records of the lock server.
    forced_by_lock_server: u64,
    /// Grants in the lock server's log.
    grants: u64,
    /// The last request, and when it was made.
    asked: Time,
    /// The last answer, and when it was given.
    answered: Option<(Time, Reply)>,
}

impl Watcher<FileService> for Ledger {
    fn watch(&mut self, _world: &World, step: &Step) {
        for fact in &step.facts {
            match fact {
                Fact::Requested { .. } => self.asked = step.at,
                Fact::Sent { from, to, message, .. } => {
                    assert_ne!(from, to, "a message to oneself");
                    match (from.class(), to.class()) {
                        (Class::Node, Class::Node) => self.messages += 1,
                        (Class::Control, _) | (_, Class::Control) => {
                            self.locking.push(message.kind());
                        }
                        (Class::Client, _) | (_, Class::Client) => self.asking += 1,
                    }
                }
                Fact::Appended { node, record, forced, .. } => {
                    self.grants += u64::from(record.kind() == RecordKind::Granted);
                    match node.class() {
                        Class::Node => self.forced += u64::from(*forced),
                        Class::Control => self.forced_by_lock_server += u64::from(*forced),
                        Class::Client => panic!("a client has no log"),
                    }
                }
                Fact::Replied { reply, .. } => self.answered = Some((step.at, reply.clone())),
                _ => {}
            }
        }
    }
}

impl Ledger {
    /// How long the client waited for its answer.
    fn waited(&self) -> Span {
        self.answered.as_ref().expect("it was answered").0.since(self.asked)
    }

    fn reply(&self) -> &Reply {
        &self.answered.as_ref().expect("it was answered").1
    }
}

/// A cluster of seven nodes whose clients have talked to every node before, so that sessions are
/// known.
fn stage(commit: CommitMode, replicas: usize, clients: u16) -> Stage<Ledger> {
    let members = (1..=7).map(NodeId::node).collect();
    let settings = Settings { members, commit, replicas, ..Settings::default() };
    let config = Config::new(settings).expect("settings that make sense");
    let mut stage = Stage::new(World::of_config(config, clients), Ledger::default());
    stage.times = Times::new(LATENCY, SYNC);
    stage.start_all();
    stage.settle();
    stage.watcher = Ledger::default();
    for client in (1..=clients).map(NodeId::client) {
        for node in (1..=7).map(NodeId::node) {
            // No operation: refused at once, by the node alone.
            stage
                .request(client, Request::Files { operations: [].into(), coordinator: Some(node) });
            stage.settle();
        }
    }
    let said = std::mem::take(&mut stage.watcher);
    assert_eq!((said.messages, said.forced), (0, 0), "getting to know each other changes nothing");
    stage
}

fn owners(config: &Config, path: &Path) -> Vec<NodeId> {
    config.first_layout().ring().owners(path).to_vec()
}

fn path(name: &str) -> Path {
    Path::new(name).expect("a path")
}

fn operation(path: &Path, action: Action) -> Operation {
    Operation { path: path.clone(), action, token: None }
}

/// One request of c1, from beginning to end.
fn cost(stage: &mut Stage<Ledger>, coordinator: NodeId, operations: &[Operation]) -> Ledger {
    let (operations, coordinator) = (operations.into(), Some(coordinator));
    stage.request(NodeId::client(1), Request::Files { operations, coordinator });
    stage.settle();
    std::mem::take(&mut stage.watcher)
}

fn write(path: &Path) -> Operation {
    operation(path, Action::Write(Contents::from("x"), None))
}

/// The path, and a coordinator that owns it or does not, such that there are `n` participants.
fn with_participants(
    n: usize,
    commit: CommitMode,
    is_owner: bool,
) -> (Stage<Ledger>, Path, NodeId) {
    let replicas = if is_owner { n + 1 } else { n };
    let stage = stage(commit, replicas, 1);
    let path = path("/some/file");
    let owners = owners(stage.world.config(), &path);
    let wanted = |node: &NodeId| owners.contains(node) == is_owner;
    let coordinator = (1..=7).map(NodeId::node).find(wanted).expect("there are enough nodes");
    (stage, path, coordinator)
}

#[test]
fn two_phase_commit_costs_four_messages_for_each_participant() {
    for (n, is_owner) in cases() {
        let (mut stage, path, at) = with_participants(n as usize, CommitMode::TwoPhase, is_owner);
        let cost = cost(&mut stage, at, &[write(&path)]);
        assert!(matches!(cost.reply(), Reply::Done(_)), "{:?}", cost.reply());
        assert_eq!((cost.messages, cost.forced), (4 * n, 2 * n + 1), "N = {n}, {is_owner}");
    }
}

#[test]
fn staged_commit_costs_six_messages_for_each_participant() {
    for (n, is_owner) in cases() {
        let (mut stage, path, at) = with_participants(n as usize, CommitMode::Staged, is_owner);
        let cost = cost(&mut stage, at, &[write(&path)]);
        assert!(matches!(cost.reply(), Reply::Done(_)), "{:?}", cost.reply());
        assert_eq!((cost.messages, cost.forced), (6 * n, 2 * n + 1), "N = {n}, {is_owner}");
    }
}

#[test]
fn an_owner_as_coordinator_saves_one_participant() {
    for replicas in 1..=5 {
        for (commit, each) in [(CommitMode::TwoPhase, 4), (CommitMode::Staged, 6)] {
            let (mut owner, path, at) = with_participants(replicas - 1, commit, true);
            let of_owner = cost(&mut owner, at, &[write(&path)]);
            let (mut other, path, at) = with_participants(replicas, commit, false);
            let of_other = cost(&mut other, at, &[write(&path)]);
            assert_eq!(of_other.messages - of_owner.messages, each);
            assert_eq!(of_other.forced - of_owner.forced, 2);
        }
    }
}

/// N = 1 to 5, with the coordinator among the owners and not.
fn cases() -> impl Iterator<Item = (u64, bool)> {
    (1..=5).flat_map(|n| [(n, true), (n, false)])
}

/// Single-owner paths: one that n1 coordinates, and one for each of `n` other nodes.
fn on_one_node_each(stage: &Stage<Ledger>, n: usize) -> Vec<Path> {
    let mut found: Vec<Option<Path>> = vec![None; 7];
    for i in 0..200 {
        let path = path(&format!("/file{i}"));
        let owner = usize::from(owners(stage.world.config(), &path)[0].number());
        found[owner - 1].get_or_insert(path);
    }
    found.into_iter().take(n + 1).map(|path| path.expect("200 paths reach every node")).collect()
}

/// Aborts a transaction over `n` participants, each owning one path, because some refuse.
fn abort(n: usize, commit: CommitMode, refusers: Refusers) -> Ledger {
    let mut stage = stage(commit, 1, 1);
    let paths = on_one_node_each(&stage, n);
    let n1 = NodeId::node(1);
    let (refused, asked) = match refusers {
        Refusers::Coordinator => (&paths[..1], &paths[..]),
        Refusers::Participants(noes) => (&paths[n + 1 - noes..], &paths[1..]),
    };
    for path in refused {
        cost(&mut stage, n1, &[write(path)]);
    }
    let create = |path: &Path| operation(path, Action::Create(Contents::from("x")));
    let operations: Vec<Operation> = asked.iter().map(create).collect();
    let cost = cost(&mut stage, n1, &operations);
    assert!(matches!(cost.reply(), Reply::Refused(_)), "{:?}", cost.reply());
    cost
}

#[derive(Clone, Copy)]
enum Refusers {
    Coordinator,
    Participants(usize),
}

#[test]
fn two_phase_abort_by_one_no_costs_an_abort_for_each_yes() {
    for n in 1..=5 {
        let cost = abort(n as usize, CommitMode::TwoPhase, Refusers::Participants(1));
        let yes = n - 1;
        assert_eq!((cost.messages, cost.forced), (2 * n + yes, yes), "N = {n}");
    }
}

#[test]
fn staged_abort_by_one_no_costs_an_abort_for_each_yes() {
    for n in 1..=5 {
        let cost = abort(n as usize, CommitMode::Staged, Refusers::Participants(1));
        let yes = n - 1;
        assert_eq!((cost.messages, cost.forced), (4 * n + yes, yes), "N = {n}");
    }
}

#[test]
fn an_abort_goes_to_all_but_the_first_that_said_no() {
    for (n, noes) in (1..=5).flat_map(|n| (1..=n).map(move |noes| (n, noes))) {
        for (commit, rounds) in [(CommitMode::TwoPhase, 2), (CommitMode::Staged, 4)] {
            let cost = abort(n as usize, commit, Refusers::Participants(noes as usize));
            let expected = (rounds * n + n - 1, n - noes);
            assert_eq!((cost.messages, cost.forced), expected, "N = {n}, {noes} said no");
        }
    }
}

/// In two phases the coordinator executes its own part before it asks a participant; staged, all
/// are ready by then, and must be told.
#[test]
fn a_no_of_the_coordinator_itself_forces_nothing() {
    for n in 1..=5 {
        let cost = abort(n as usize, CommitMode::TwoPhase, Refusers::Coordinator);
        assert_eq!((cost.messages, cost.forced), (0, 0), "two-phase, N = {n}");
        let cost = abort(n as usize, CommitMode::Staged, Refusers::Coordinator);
        assert_eq!((cost.messages, cost.forced), (3 * n, 0), "staged, N = {n}");
    }
}

#[test]
fn a_rename_costs_one_look_more_where_the_coordinator_does_not_own_the_source() {
    let mut stage = stage(CommitMode::TwoPhase, 1, 1);
    let paths = on_one_node_each(&stage, 3);
    let (n1, n2) = (NodeId::node(1), NodeId::node(2));
    cost(&mut stage, n1, &[write(&paths[1])]);
    let rename =
        |from: usize, to: usize| operation(&paths[from], Action::Rename(paths[to].clone(), None));
    // n1 owns neither: two participants, and the fetch.
    let cost_there = cost(&mut stage, n1, &[rename(1, 2)]);
    assert!(matches!(cost_there.reply(), Reply::Done(_)));
    assert_eq!((cost_there.messages, cost_there.forced), (4 * 2 + 2, 2 * 2 + 1));
    // n2 owns the target only: one participant, and the fetch.
    let cost_back = cost(&mut stage, n2, &[rename(2, 1)]);
    assert!(matches!(cost_back.reply(), Reply::Done(_)));
    assert_eq!((cost_back.messages, cost_back.forced), (4 + 2, 2 + 1));
    // n2 owns the source.
    let cost_again = cost(&mut stage, n2, &[rename(1, 3)]);
    assert!(matches!(cost_again.reply(), Reply::Done(_)));
    assert_eq!((cost_again.messages, cost_again.forced), (4, 2 + 1));
}

/// Begin, Prepare, the forced vote, Executed, the forced decision, Ended: 4d + 2s. Staged, Ready
/// and Execute come in between: 6d + 2s. A path with one owner needs Begin, the forced decision and
/// Ended: 2d + s. None of it grows with N.
#[test]
fn a_client_waits_for_four_messages_and_two_syncs_or_six_if_staged() {
    let time = |messages, syncs| LATENCY.times(messages) + SYNC.times(syncs);
    for (n, is_owner) in cases() {
        for (commit, messages) in [(CommitMode::TwoPhase, 4), (CommitMode::Staged, 6)] {
            let (mut stage, path, at) = with_participants(n as usize, commit, is_owner);
            let cost = cost(&mut stage, at, &[write(&path)]);
            assert_eq!(cost.waited(), time(messages, 2), "N = {n}, {commit:?}");
        }
    }
    for commit in [CommitMode::TwoPhase, CommitMode::Staged] {
        let (mut stage, path, at) = with_participants(0, commit, true);
        let cost = cost(&mut stage, at, &[write(&path)]);
        assert_eq!((cost.waited(), cost.messages, cost.forced), (time(2, 1), 0, 1));
    }
}

#[test]
fn a_read_costs_one_round_trip_and_nothing_else() {
    let mut stage = stage(CommitMode::Staged, 3, 1);
    let path = path("/some/file");
    stage.request(
        NodeId::client(1),
        Request::Files { operations: [operation(&path, Action::Read)].into(), coordinator: None },
    );
    stage.settle();
    let cost = std::mem::take(&mut stage.watcher);
    assert_eq!((cost.asking, cost.messages, cost.forced), (2, 0, 0));
    assert_eq!(cost.waited(), LATENCY.times(2));
}

/// Four messages with the lock server and, for the claim, a transaction over all owners of the
/// path: two messages with its coordinator, and what a commit costs.
#[test]
fn an_uncontended_lock_costs_four_messages_and_a_claim() {
    for (commit, each) in [(CommitMode::TwoPhase, 4), (CommitMode::Staged, 6)] {
        for replicas in 1..=5_u64 {
            let mut stage = stage(commit, replicas as usize, 1);
            let (c1, path) = (NodeId::client(1), path("/lock"));
            stage.request(c1, Request::Acquire { path: path.clone(), wait: true });
            stage.settle();
            assert!(matches!(stage.watcher.reply(), Reply::Acquired(_)));
            // Acquire, both records in one sync, Granted; then the claim by an owner.
            let claim = if replicas == 1 { (2, 1) } else { (each, 2) };
            let claimed = LATENCY.times(claim.0) + SYNC.times(claim.1);
            assert_eq!(stage.watcher.waited(), LATENCY.times(2) + SYNC + claimed);
            stage.request(c1, Request::Release { path });
            stage.settle();
            let cost = std::mem::take(&mut stage.watcher);
            assert_eq!(cost.reply(), &Reply::Released);
            use MessageKind::{Acquire, Granted, Release, Released};
            assert_eq!(cost.locking, [Acquire, Granted, Release, Released]);
            let n = replicas - 1;
            assert_eq!((cost.asking, cost.messages), (2, each * n), "R = {replicas}");
            assert_eq!(cost.forced, 2 * n + 1);
            assert_eq!(cost.forced_by_lock_server, 2, "its place in line, and the grant");
        }
    }
}

/// A release wakes one waiter, not all: n grants for n waiters, where a herd would need n(n+1)/2
/// answers.
#[test]
fn waiters_cost_a_grant_each() {
    for n in 1..=8_u16 {
        let mut stage = stage(CommitMode::TwoPhase, 1, n);
        let path = path("/lock");
        for client in (1..=n).map(NodeId::client) {
            stage.request(client, Request::Acquire { path: path.clone(), wait: true });
        }
        for client in (1..=n).map(NodeId::client) {
            stage.settle();
            let holds = matches!(stage.watcher.reply(), Reply::Acquired(_));
            assert!(holds, "{client} of {n}: {:?}", stage.watcher.reply());
            let request = Arc::new(Request::Release { path: path.clone() });
            stage.apply(Event::Request { client, request });
        }
        stage.settle();
        let cost = std::mem::take(&mut stage.watcher);
        let sent = |kind| cost.locking.iter().filter(|sent| **sent == kind).count();
        assert_eq!(sent(MessageKind::Granted), usize::from(n));
        assert_eq!(cost.locking.len(), 4 * usize::from(n));
        assert_eq!(cost.grants, u64::from(n));
    }
}
