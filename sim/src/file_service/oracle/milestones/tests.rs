//! Milestones of made-up steps.

use seedbed::machine::Incarnation;
use seedbed::proto::{
    Admission, Arcs, AttemptEnd, Chunk, Ended, Epoch, FromCentre, Member, Membership, Message, No,
    Notice, Pull, PullEnd, Retry, Settings, ToCentre, TxnMessage, Verdict, View, Vote, Wanted,
};

use super::*;
use crate::file_service::oracle::tests::{
    abort, applied, c, commit, decided, n, path, prepare, request, rolled_back, txn, voted,
};
use crate::file_service::scenario::Part;
use crate::oracle::Model as _;
use crate::oracle::milestones;
use crate::world::PacketId;

const CONTROL: NodeId = NodeId::CONTROL;

/// What is shown to the milestones, one thing after the other.
struct Show {
    world: World,
    model: Model,
    milestones: milestones::Milestones<FileService>,
}

impl Show {
    fn new() -> Show {
        Show::of(Settings { members: (1..=4).map(n).collect(), ..Settings::default() })
    }

    fn of(settings: Settings) -> Show {
        let world = World::of_config(Config::new(settings).unwrap(), 1);
        Show { world, model: Model::default(), milestones: milestones::Milestones::new() }
    }

    fn see(&mut self, seen: &Seen<'_>) -> &mut Show {
        self.model.step += 1;
        self.milestones.begin(self.model.step);
        self.model.update(seen, &self.world);
        self.milestones.see(seen, &self.model, self.world.config());
        self
    }

    fn sends(&mut self, from: NodeId, to: NodeId, message: &Message) -> &mut Show {
        self.see(&Seen::Sent { packet: PacketId(0), from, to, message })
    }

    fn receives(&mut self, from: NodeId, to: NodeId, message: &Message) -> &mut Show {
        self.see(&Seen::Received { packet: PacketId(0), from, to, message })
    }

    fn forces(&mut self, node: NodeId, record: &Record) -> &mut Show {
        self.see(&Seen::Appended { node, position: 0, record, forced: true });
        self.see(&Seen::Durable { node, position: 0, record })
    }

    fn crashes(&mut self, node: NodeId) -> &mut Show {
        self.see(&Seen::Crashed { node })
    }

    /// `members` become a view and it comes into force.
    fn views(&mut self, epoch: u32, members: &[(u16, u32)]) -> &mut Show {
        self.announces(epoch, members);
        self.forces(CONTROL, &Record::Activated { epoch: Epoch(epoch) })
    }

    fn announces(&mut self, epoch: u32, members: &[(u16, u32)]) -> &mut Show {
        let view = View {
            epoch: Epoch(epoch),
            members: members.iter().map(|(node, number)| member(*node, *number)).collect(),
            replicas: 3,
            virtual_nodes: 20,
            lock_lease: Default::default(),
            membership_lease: Default::default(),
            given_up: [].into(),
        };
        self.forces(CONTROL, &Record::Announced { view })
    }

    fn count(&self, milestone: Milestone) -> u64 {
        self.milestones.count(milestone)
    }

    /// The machine that plays `role` in what the last thing has reached.
    #[track_caller]
    fn bound(&self, milestone: Milestone, role: Part) -> Option<NodeId> {
        let reached =
            self.milestones.reached().iter().find(|reached| reached.milestone == milestone);
        let reached = reached.expect("the milestone is reached by what happened last");
        self.milestones.of_system().bind(role, reached, &self.world, &self.model)
    }
}

fn member(node: u16, number: u32) -> Member {
    Member { node: n(node), admission: Admission(number) }
}

fn wanted(nodes: &[u16]) -> Record {
    let nodes = nodes.iter().map(|node| n(*node)).collect();
    let wanted = Wanted { nodes, ..Config::new(Settings::default()).unwrap().wanted() };
    Record::Wanted { wanted }
}

fn pull(epoch: u32, pull: u32) -> Message {
    let (level, owner, incarnation) = (Epoch(epoch - 1), Admission(1), Incarnation(1));
    let arcs = Arcs::all();
    Message::Pull(Pull { epoch: Epoch(epoch), pull, incarnation, level, owner, arcs, after: None })
}

fn chunk(epoch: u32, pull: u32, end: Option<PullEnd>) -> Message {
    let (epoch, incarnation) = (Epoch(epoch), Incarnation(1));
    let (files, answers) = (Default::default(), Default::default());
    Message::Chunk(Chunk {
        epoch,
        pull,
        incarnation,
        after: None,
        files,
        doubtful: Arcs::default(),
        answers,
        end,
    })
}

fn entered(epoch: u32) -> Record {
    Record::Entered { epoch: Epoch(epoch), complete: Arcs::default() }
}

fn completed(epoch: u32) -> Message {
    Message::ToCentre(ToCentre::Completed { admission: Admission(1), epoch: Epoch(epoch) })
}

const FOUR: &[(u16, u32)] = &[(1, 1), (2, 2), (3, 3), (4, 4)];

#[test]
fn who_comes_and_goes_with_a_view_is_told_apart() {
    let mut show = Show::new();
    show.forces(CONTROL, &wanted(&[1, 2, 3]));
    show.forces(CONTROL, &Record::Admitted { member: member(1, 1), incarnation: Incarnation(1) });
    assert_eq!(show.bound(Milestone::NODE_ADMITTED, Part::Joiner), Some(n(1)));
    show.views(1, &[(1, 1), (2, 2), (3, 3)]);
    assert_eq!(show.count(Milestone::NODE_JOINED), 0, "the first view has no view before it");
    show.announces(2, &[(1, 1), (3, 3), (4, 4)]);
    assert_eq!(show.bound(Milestone::NODE_DECLARED_GONE, Part::Leaver), Some(n(2)));
    assert_eq!(show.bound(Milestone::NODE_JOINED, Part::Joiner), Some(n(4)));
    assert_eq!(show.bound(Milestone::VIEW_ANNOUNCED, Part::Joiner), Some(n(4)));
    show.announces(3, &[(1, 1), (2, 2), (3, 5)]);
    assert_eq!(show.count(Milestone::NODE_REJOINED), 2, "n2 is back, n3 has a new disk");
    assert_eq!(show.count(Milestone::NODE_DECLARED_GONE), 2, "n2 before, n3 with its old disk");
    assert_eq!(show.bound(Milestone::NODE_LEFT, Part::Leaver), Some(n(4)));
    show.forces(CONTROL, &Record::Converged { epoch: Epoch(3) });
    let departed =
        Message::ToCentre(ToCentre::Departed { admission: Admission(4), epoch: Epoch(3) });
    show.receives(n(4), CONTROL, &departed);
    assert_eq!(show.bound(Milestone::NODE_DEPARTED, Part::Leaver), Some(n(4)));
    show.receives(n(4), CONTROL, &departed);
    assert_eq!(show.count(Milestone::NODE_DEPARTED), 1);
    assert_eq!(show.count(Milestone::VIEW_ANNOUNCED), 3);
    assert_eq!(show.count(Milestone::VIEW_SETTLED), 1);
}

#[test]
fn a_view_in_force_without_word_from_a_member_means_that_its_lease_is_over() {
    let mut show = Show::new();
    show.views(1, &[(1, 1), (2, 2), (3, 3)]).announces(2, &[(1, 1), (2, 2)]);
    for (node, number) in [(1, 1), (2, 2)] {
        let entered = Message::ToCentre(ToCentre::Entered {
            admission: Admission(number),
            epoch: Epoch(2),
            open: [].into(),
        });
        show.receives(n(node), CONTROL, &entered);
    }
    show.forces(CONTROL, &Record::Activated { epoch: Epoch(2) });
    assert_eq!(show.count(Milestone::MEMBERSHIP_LEASE_EXPIRED), 1);
    assert_eq!(show.bound(Milestone::MEMBERSHIP_LEASE_EXPIRED, Part::Leaver), Some(n(3)));
    assert_eq!(show.count(Milestone::VIEW_ACTIVE), 2);
}

#[test]
fn a_hand_over_begins_with_the_first_pull_and_is_done_when_the_node_says_so() {
    let mut show = Show::new();
    show.sends(n(1), n(2), &pull(2, 1));
    assert_eq!(show.bound(Milestone::HAND_OVER_BEGUN, Part::Receiver), Some(n(1)));
    assert_eq!(show.bound(Milestone::Sent(pull(2, 1).kind()), Part::Source), Some(n(2)));
    let nothing = PullEnd { complete: Arcs::default(), witnessed: Arcs::all() };
    show.sends(n(2), n(1), &chunk(2, 1, Some(nothing.clone())));
    assert_eq!(show.bound(Milestone::WITNESS_ANSWERED, Part::Source), Some(n(2)));
    show.receives(n(2), n(1), &chunk(2, 1, Some(nothing)));
    show.crashes(n(2));
    assert_eq!(show.count(Milestone::SOURCE_CRASHED), 0, "it had told all that it knew");
    show.sends(n(1), n(3), &pull(2, 2));
    let all = PullEnd { complete: Arcs::all(), witnessed: Arcs::default() };
    show.receives(n(3), n(1), &chunk(2, 2, Some(all)));
    show.forces(n(1), &Record::Complete { epoch: Epoch(2), arcs: Arcs::all() });
    assert_eq!(show.bound(Milestone::ARC_COMPLETED, Part::Source), Some(n(3)));
    show.sends(n(1), CONTROL, &completed(2));
    assert_eq!(show.bound(Milestone::HAND_OVER_DONE, Part::Receiver), Some(n(1)));
    show.sends(n(1), CONTROL, &completed(2)).crashes(n(1));
    assert_eq!(show.count(Milestone::HAND_OVER_BEGUN), 1);
    assert_eq!(show.count(Milestone::HAND_OVER_DONE), 1);
    assert_eq!(show.count(Milestone::HAND_OVER_INTERRUPTED), 0);
}

#[test]
fn crashes_and_new_epochs_interrupt_a_hand_over() {
    let mut show = Show::new();
    show.sends(n(1), n(2), &pull(2, 1)).crashes(n(2));
    assert_eq!(show.bound(Milestone::SOURCE_CRASHED, Part::Receiver), Some(n(1)));
    show.sends(n(1), n(3), &pull(2, 2)).forces(n(1), &entered(3));
    assert_eq!(show.count(Milestone::HAND_OVER_INTERRUPTED), 2);
    show.sends(n(1), n(3), &pull(2, 2)); // it had waited for the disk
    assert_eq!(show.count(Milestone::HAND_OVER_BEGUN), 1);
    show.sends(n(1), n(3), &pull(3, 3)).crashes(n(1));
    assert_eq!(show.bound(Milestone::RECEIVER_CRASHED, Part::Source), Some(n(3)));
    assert_eq!(show.count(Milestone::HAND_OVER_BEGUN), 2);
    assert_eq!(show.count(Milestone::HAND_OVER_INTERRUPTED), 3);
}

#[test]
fn a_chunk_that_leaves_a_path_out_waits_for_a_decision() {
    let mut show = Show::new();
    let mut left_out = chunk(2, 1, None);
    show.sends(n(2), n(1), &left_out);
    if let Message::Chunk(Chunk { doubtful, .. }) = &mut left_out {
        *doubtful = Arcs::of([(1, 1)]);
    }
    show.sends(n(2), n(1), &left_out);
    assert_eq!(show.count(Milestone::HAND_OVER_WAITS_FOR_DECISION), 1);
    assert_eq!(show.bound(Milestone::HAND_OVER_WAITS_FOR_DECISION, Part::Source), Some(n(2)));
}

#[test]
fn doubts_are_found_whether_the_vote_or_the_view_comes_first() {
    let mut show = Show::new();
    show.views(1, &FOUR[..3]).forces(CONTROL, &Record::Converged { epoch: Epoch(1) });
    let paths: Vec<String> = (0..8).map(|number| format!("/file/{number}")).collect();
    for (counter, at) in (1..).zip(&paths[..4]) {
        show.forces(n(2), &voted(txn(counter), at, 1, "x"));
    }
    assert_eq!(show.count(Milestone::IN_DOUBT_ON_A_MOVING_ARC), 0);
    show.announces(2, FOUR);
    let moves = |show: &Show, all: &[String]| {
        all.iter().filter(|at| show.milestones.of_system().views.moves(&path(at))).count() as u64
    };
    let before = moves(&show, &paths[..4]);
    assert!(before > 0, "n4 owns three quarters");
    assert_eq!(show.count(Milestone::IN_DOUBT_ON_A_MOVING_ARC), before);
    for (counter, at) in (5..).zip(&paths[4..]) {
        show.forces(n(2), &voted(txn(counter), at, 1, "x"));
    }
    let all = moves(&show, &paths);
    assert_eq!(show.count(Milestone::IN_DOUBT_ON_A_MOVING_ARC), all);
    show.forces(CONTROL, &Record::Converged { epoch: Epoch(2) });
    show.forces(n(2), &voted(txn(9), &paths[0], 1, "x"));
    assert_eq!(show.count(Milestone::IN_DOUBT_ON_A_MOVING_ARC), all);
}

#[test]
fn a_decision_is_late_once_if_a_hand_over_has_voided_the_vote() {
    let mut show = Show::new();
    show.forces(n(2), &voted(txn(1), "/a", 1, "x")).forces(n(2), &voted(txn(2), "/b", 1, "x"));
    let files = [(path("/a"), Default::default())].into();
    show.forces(n(2), &Record::Pulled { files, answers: [].into(), replaced: Arcs::default() });
    show.receives(n(1), n(2), &commit(txn(2))).receives(n(1), n(2), &abort(txn(1)));
    assert_eq!(show.bound(Milestone::LATE_DECISION, Part::Coordinator), Some(n(1)));
    show.receives(n(1), n(2), &abort(txn(1))).forces(n(2), &rolled_back(txn(1)));
    show.forces(n(2), &Record::Complete { epoch: Epoch(2), arcs: Arcs::all() });
    show.forces(n(2), &applied(txn(2))).receives(n(1), n(2), &commit(txn(2)));
    assert_eq!(show.count(Milestone::LATE_DECISION), 1);
}

#[test]
fn a_doubt_is_resolved_where_the_centre_has_told_of_it() {
    let mut show = Show::new();
    let resolved = |txn| {
        Message::FromCentre(FromCentre::Resolved {
            admission: Admission(1),
            txn,
            verdict: Verdict::Committed([].into()),
        })
    };
    show.forces(n(2), &voted(txn(1), "/a", 1, "x")).forces(n(2), &applied(txn(3)));
    show.receives(CONTROL, n(2), &resolved(txn(3)));
    show.receives(CONTROL, n(2), &resolved(txn(1))).forces(n(2), &applied(txn(1)));
    assert_eq!(show.count(Milestone::DOUBT_RESOLVED), 1);
}

#[test]
fn a_refusal_counts_where_it_is_made_and_not_where_it_is_passed_on() {
    let mut show = Show::new();
    let no =
        Message::Txn(TxnMessage::Executed { txn: txn(1), vote: Vote::No(No::Epoch(Epoch(3))) });
    let end = AttemptEnd::Retry(Retry::Epoch(Epoch(3)));
    let ended = |number| {
        Message::Ended(Ended { request: request(1, number), attempt: 1, end: end.clone() })
    };
    show.sends(n(1), n(2), &prepare(txn(1), &[n(2)], &[]));
    show.sends(n(2), n(1), &no).receives(n(2), n(1), &no);
    show.sends(n(1), c(1), &ended(1));
    assert_eq!(show.count(Milestone::STALE_EPOCH_REFUSED), 1);
    show.sends(n(1), c(1), &ended(2));
    assert_eq!(show.count(Milestone::STALE_EPOCH_REFUSED), 2);
    let not_ready = AttemptEnd::Retry(Retry::NotReady);
    let not_ready = Message::Ended(Ended { request: request(1, 3), attempt: 1, end: not_ready });
    show.sends(n(1), c(1), &not_ready);
    assert_eq!(show.count(Milestone::NOT_READY_REFUSED), 1);
}

#[test]
fn a_participant_of_a_file_owned_it_in_the_epoch_of_the_transaction() {
    let members = (1..=4).map(n).collect();
    let mut show =
        Show::of(Settings { members, membership: Membership::Managed, ..Settings::default() });
    show.views(1, &[(1, 1), (2, 1)]);
    show.sends(n(1), n(2), &prepare(txn(1), &[n(2)], &["/a"]));
    show.views(2, &[(3, 1), (4, 1)]);
    show.forces(n(1), &decided(txn(1), &[n(2)], "/a", 1, "x"));
    let reached = show.milestones.reached().iter().find(|all| all.milestone == Milestone::DECIDED);
    let of_file = reached
        .expect("it is decided")
        .meaning(&Filter { path: Some(path("/a")), ..Filter::default() });
    let bound =
        show.milestones.of_system().bind(Part::Participant, &of_file, &show.world, &show.model);
    assert_eq!(bound, Some(n(2)), "and not one of the members by now");
}

#[test]
fn a_client_learns_of_a_view() {
    let mut show = Show::new();
    let view = show.world.config().first_layout().view().clone();
    show.see(&Seen::Noticed { client: c(1), notice: &Notice::View(view) });
    assert_eq!(show.count(Milestone::VIEW_LEARNT), 1);
}

#[test]
fn a_transaction_is_open_at_a_machine_that_leaves_its_epoch() {
    let mut show = Show::new();
    let mut asks_for_votes = prepare(txn(1), &[n(2), n(3)], &["/a"]);
    if let Message::Txn(TxnMessage::Prepare { work, .. }) = &mut asks_for_votes {
        *work = Some([].into());
    }
    show.sends(n(1), n(2), &asks_for_votes);
    show.forces(n(2), &voted(txn(1), "/a", 1, "x"));
    show.forces(n(3), &entered(2));
    assert_eq!(show.count(Milestone::EPOCH_LEFT_IN_DOUBT), 0, "n3 has not voted");
    show.forces(n(2), &entered(2));
    assert_eq!(show.count(Milestone::EPOCH_LEFT_IN_DOUBT), 1);
    let coordinator = show.bound(Milestone::EPOCH_LEFT_IN_DOUBT, Part::Coordinator);
    assert_eq!(coordinator, Some(n(1)));
    assert_eq!(show.count(Milestone::EPOCH_LEFT_UNDECIDED), 0);
    show.forces(n(1), &entered(2));
    assert_eq!(show.count(Milestone::EPOCH_LEFT_UNDECIDED), 1);
    show.forces(n(2), &rolled_back(txn(1)));
    show.forces(n(2), &entered(3));
    assert_eq!(show.count(Milestone::EPOCH_LEFT_IN_DOUBT), 1, "it knows the decision");
}
