//! Where a node is complete, over views, leases and restarts.

use super::*;
use crate::machine::Span;
use crate::proto::{Settings, View};

const NODE: u16 = 1;

fn config() -> Arc<Config> {
    let members = (1..=4).map(NodeId::node).collect();
    let membership = Membership::Managed;
    let settings = Settings { members, membership, replicas: 2, ..Settings::default() };
    Config::new(settings).expect("sound settings")
}

fn view(epoch: u32, members: &[u16]) -> View {
    let member = |n: &u16| Member { node: NodeId::node(*n), admission: Admission((*n).into()) };
    View {
        epoch: Epoch(epoch),
        members: members.iter().map(member).collect(),
        replicas: 2,
        virtual_nodes: 8,
        lock_lease: Span::from_secs(10),
        membership_lease: Span::from_secs(2),
        given_up: Arc::default(),
    }
}

fn admitted(config: &Config) -> Standing {
    let mut standing = Standing::new(config, NodeId::node(NODE));
    standing.replay_born(Admission(NODE.into()));
    standing
}

fn learn(standing: &mut Standing, config: &Config, views: &[View], settled: u32) {
    standing.learn(config, views, Epoch(settled), &[]);
}

fn pull_all(standing: &mut Standing) {
    let missing = standing.missing().clone();
    standing.complete(&missing);
}

#[test]
fn a_node_stays_complete_where_it_has_been_an_owner_without_interruption() {
    let config = config();
    let mut standing = admitted(&config);
    learn(&mut standing, &config, &[view(1, &[1, 2, 3])], 0);
    pull_all(&mut standing);
    let before = standing.claim(Epoch(1)).expect("not given up");
    // It hears of two views at once, and was an owner in both.
    learn(&mut standing, &config, &[1, 2, 3].map(|e| view(e, &[1, 2, 3])), 1);
    assert_eq!(standing.claim(Epoch(3)), Some(before));
    assert!(standing.missing().is_empty());
    assert_eq!(standing.claim(Epoch(2)), Some(Arcs::default()), "it never entered that epoch");
}

#[test]
fn a_node_is_not_complete_over_an_epoch_in_which_it_was_no_owner() {
    let config = config();
    let mut standing = admitted(&config);
    learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
    pull_all(&mut standing);
    let views = [view(1, &[1, 2]), view(2, &[2, 3]), view(3, &[1, 2])];
    learn(&mut standing, &config, &views, 1);
    assert_eq!(standing.claim(Epoch(3)), Some(Arcs::default()));
    assert_eq!(*standing.missing(), Arcs::all());
}

#[test]
fn without_the_views_between_nothing_stays_complete() {
    let config = config();
    let mut standing = admitted(&config);
    learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
    pull_all(&mut standing);
    learn(&mut standing, &config, &[view(4, &[1, 2])], 4);
    assert_eq!(*standing.missing(), Arcs::all());
}

#[test]
fn another_admission_of_the_name_owns_nothing() {
    let config = config();
    let mut standing = Standing::new(&config, NodeId::node(NODE));
    standing.replay_born(Admission(9));
    learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
    assert!(!standing.is_member() && standing.missing().is_empty());
    assert_eq!(standing.check(&config, Time::ZERO, Epoch(1), []), Err(Closed::NotReady));
}

#[test]
fn a_lease_is_for_one_epoch_and_only_ever_extended() {
    let config = config();
    let mut standing = admitted(&config);
    learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
    standing.extend_lease(Epoch(2), Time::MAX);
    let open = |standing: &Standing, at| standing.check(&config, at, Epoch(1), []).is_ok();
    assert!(!open(&standing, Time::ZERO), "the lease was for another epoch");
    standing.extend_lease(Epoch(1), Time::from_nanos(10));
    standing.extend_lease(Epoch(1), Time::from_nanos(5));
    assert!(open(&standing, Time::from_nanos(9)) && !open(&standing, Time::from_nanos(10)));
    learn(&mut standing, &config, &[view(1, &[1, 2]), view(2, &[1, 2, 3])], 1);
    assert!(!open(&standing, Time::ZERO));
}

#[test]
fn claims_that_were_dropped_can_be_told_no_more() {
    let config = config();
    let mut standing = admitted(&config);
    learn(&mut standing, &config, &[view(1, &[1, 2])], 0);
    pull_all(&mut standing);
    assert_eq!(standing.drop_older_claims(), None, "it has not settled");
    learn(&mut standing, &config, &[view(1, &[1, 2]), view(2, &[1, 2])], 0);
    standing.learn_settled(Epoch(2));
    let keeps = Arcs::all();
    assert_eq!(standing.drop_older_claims(), Some(Record::GaveUp { epoch: Epoch(2), keeps }));
    assert_eq!(standing.claim(Epoch(1)), None);
    assert_eq!(standing.drop_older_claims(), None, "once is enough");
}

#[test]
fn recovery_gives_the_same_standing_but_for_what_only_a_life_knows() {
    let config = config();
    let mut standing = admitted(&config);
    let mut records = vec![Record::Born { admission: Admission(NODE.into()) }];
    records.extend(standing.learn(&config, &[view(1, &[1, 2])], Epoch(0), &[]));
    let missing = standing.missing().clone();
    records.push(standing.complete(&missing));
    let replayed = |records: &[Record]| {
        let mut standing = Standing::new(&config, NodeId::node(NODE));
        for record in records {
            match record {
                Record::Born { admission } => standing.replay_born(*admission),
                Record::Entered { epoch, complete } => standing.replay_entered(*epoch, complete),
                Record::Complete { epoch, arcs } => standing.replay_complete(*epoch, arcs),
                Record::GaveUp { epoch, .. } => standing.replay_gave_up(*epoch),
                _ => unreachable!("not about a standing"),
            }
        }
        standing
    };
    let again = replayed(&records);
    assert_eq!((again.epoch(), again.known()), (Epoch(1), Epoch(0)));
    assert_eq!(again.claim(Epoch(1)), standing.claim(Epoch(1)));
    let mut checkpoint = Vec::new();
    standing.snapshot(&mut checkpoint);
    assert_eq!(replayed(&checkpoint), again);
}
