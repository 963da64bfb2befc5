//! What a reader of a report has to know of the cluster: where paths are stored, which settings
//! matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::client::Client;
use seedbed::proto::control::Control;
use seedbed::proto::node::Node;
use seedbed::proto::ring::Ring;
use seedbed::proto::{CommitMode, Config, Membership, Process, Record};

use super::subject_of::{Subject, Subjects};
use super::trace::{self, Detail, Places};

/// More paths than this are not told apart.
const PATHS: usize = 6;

/// The paths that `subjects` name, and where they are stored.
pub(super) fn places(config: &Arc<Config>, subjects: &Subjects) -> Places {
    let paths = subjects.iter().filter_map(|subject| match subject {
        Subject::Path(path) => Some(path.clone()),
        _ => None,
    });
    Places::new(config.clone(), paths.take(PATHS).collect())
}

/// What a machine holds, in words: of its log what a checkpoint would say, and what is volatile.
pub(super) fn state(machine: &Process, detail: Detail<'_>) -> Vec<String> {
    match machine {
        Process::Storage(node) => of_node(node, detail),
        Process::Control(control) => of_control(control, detail),
        Process::Client(client) => of_client(client),
    }
}

fn in_words(records: &[Record], detail: Detail<'_>) -> Vec<String> {
    records.iter().map(|record| trace::record(record, detail)).collect()
}

fn of_node(node: &Node, detail: Detail<'_>) -> Vec<String> {
    let mut state = in_words(&node.durable_state(), detail);
    if let Detail::Report(places) = detail {
        let unpinned = places.paths().iter().filter(|path| !node.is_pinned(path));
        let unpinned = unpinned.filter(|path| node.files().contains_key(*path));
        state.extend(unpinned.map(|path| format!("{path} is not pinned")));
    }
    state.push(format!("it is in {}", node.epoch()));
    state.extend(node.unrecorded_entry().map(|epoch| {
        format!("as far as it knows, the centre has not recorded its report on entering {epoch}")
    }));
    state.extend(node.ring().and_then(order_of_ties));
    state.extend(node.leased_until().map(|end| format!("its lease as a member ends at {end}")));
    state.extend(node.pinned().filter_map(|path| {
        let (_, txn) = node.pin_of(path)?;
        Some(format!("{path} is pinned for {txn}"))
    }));
    state.extend(node.waiting().map(|(_, txn, _)| format!("{txn} waits for pins")));
    state.extend(
        node.waiting_reads()
            .map(|(request, path)| format!("{request} waits to read {path}, which is pinned")),
    );
    state
}

/// In which order points stand that share a place of the ring; `None` if none do.
fn order_of_ties(ring: &Ring) -> Option<String> {
    let pairs = ring.points().zip(ring.points().skip(1));
    let mut tied = pairs.filter(|(first, second)| first.hash == second.hash).peekable();
    tied.peek()?;
    let mut behind: BTreeMap<NodeId, BTreeSet<NodeId>> = BTreeMap::new();
    for (first, second) in tied.filter(|(first, second)| first.node > second.node) {
        behind.entry(second.node).or_default().insert(first.node);
    }
    let said = behind.iter().map(|(node, others)| {
        let others: Vec<String> = others.iter().map(NodeId::to_string).collect();
        format!("{node} stands behind {}", others.join(", "))
    });
    let said: Vec<String> = said.collect();
    let order = match said.is_empty() {
        true => "their nodes stand in the order of their names".to_owned(),
        false => said.join(", "),
    };
    Some(format!("a ring on which, where points share a place, {order}"))
}

fn of_control(control: &Control, detail: Detail<'_>) -> Vec<String> {
    let mut state = in_words(&control.durable_state(), detail);
    state.extend(control.held_locks().map(|(path, request, token, until)| {
        format!("{request} holds {path} under {token}, its lease ends at {until}")
    }));
    state
}

fn of_client(client: &Client) -> Vec<String> {
    let held = client.held_locks();
    let held = held.map(|(path, token, until)| {
        format!("it believes to hold {path} under {token}, its lease ends at {until}")
    });
    let open = client.open_requests();
    let open = open.map(|(request, attempt)| format!("{request} is open, attempt {attempt}"));
    held.chain(open).collect()
}

/// The settings that matter to a report about `subjects`.
pub(super) fn that_matter(config: &Arc<Config>, subjects: &Subjects) -> Vec<String> {
    let copies = match config.replicas {
        1 => "each file on one of them".to_owned(),
        many => format!("each file on {many} of them"),
    };
    let mut settings = vec![format!("{} storage nodes at first, {copies}", config.members.len())];
    let places = places(config, subjects);
    if !places.paths().is_empty() {
        settings.push(format!("at first {}", places.owners(config.first_layout())));
    }
    if config.membership == Membership::Managed {
        let lease = config.membership_lease;
        settings
            .push(format!("the centre (control) decides on members, whose leases last {lease}"));
    }
    if subjects.iter().any(|subject| matches!(subject, Subject::Txn(_))) {
        settings.push(match config.commit {
            CommitMode::Staged => "a commit pins first, then executes and votes".to_owned(),
            CommitMode::TwoPhase => "a commit has the two classic phases".to_owned(),
        });
    }
    settings
}
