//! The centre by itself: what it may announce, activate and settle, and when, against the rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use seedbed::machine::{Incarnation, NodeId, Span, Time};
use seedbed::proto::control::Control;
use seedbed::proto::lease::LeaseTerms;
use seedbed::proto::{
    Admission, Command, Config, Effect, Epoch, FromCentre, Input, Member, Membership, Message,
    Outbox, Record, Settings, ToCentre, View,
};

const LEASE: Span = Span::from_millis(800);

fn config() -> Arc<Config> {
    let members = (1..=3).map(NodeId::node).collect();
    let settings = Settings {
        members,
        membership: Membership::Managed,
        membership_lease: LEASE,
        ..Settings::default()
    };
    Config::new(settings).expect("sound settings")
}

/// The centre on a disk that is always in time.
struct Centre {
    config: Arc<Config>,
    control: Control,
    out: Outbox,
    log: Vec<Record>,
    now: Time,
    sent: Vec<(NodeId, Arc<Message>)>,
}

impl Centre {
    fn new() -> Centre {
        let config = config();
        let now = Time::ZERO;
        let control = Control::recover(config.clone(), now, &[]);
        let (out, log, sent) = (Outbox::new(0), Vec::new(), Vec::new());
        let mut centre = Centre { config, control, out, log, now, sent };
        centre.pass(Span::ZERO);
        centre
    }

    fn step(&mut self, input: Input<'_>) {
        self.control.step(self.now, input, &mut self.out);
        while let Some(append) = self.out.take_record() {
            self.log.push(append.record);
        }
        while let Some(effect) = self.out.pop(self.log.len() as u64) {
            if let Effect::Send(to, message) = effect {
                self.sent.push((to, message));
            }
        }
    }

    fn hears(&mut self, from: NodeId, message: Message) {
        self.step(Input::Message(from, &message));
    }

    /// Time passes, and the centre is woken whenever it wants to be.
    fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while let Some((at, timer)) = self.control.next_deadline().filter(|(at, _)| *at <= until) {
            let timer = timer.clone();
            self.now = self.now.max(at);
            self.step(Input::Wake(timer));
        }
        self.now = until;
    }

    fn restart(&mut self) {
        self.control = Control::recover(self.config.clone(), self.now, &self.log);
        self.out = Outbox::new(self.log.len() as u64);
        self.pass(Span::ZERO);
    }

    fn views(&self) -> impl Iterator<Item = &View> {
        self.log.iter().filter_map(|record| match record {
            Record::Announced { view } => Some(view),
            _ => None,
        })
    }

    fn active(&self) -> Epoch {
        let activated = self.log.iter().filter_map(|record| match record {
            Record::Activated { epoch } => Some(*epoch),
            _ => None,
        });
        activated.max().unwrap_or_default()
    }

    fn names(&self) -> Vec<NodeId> {
        let newest = self.views().last().expect("a view was announced");
        newest.members.iter().map(|member| member.node).collect()
    }
}

/// A storage node as the centre sees it: it does what it is told, when the test lets it.
#[derive(Default)]
struct Nodes {
    known: BTreeMap<NodeId, (Admission, Epoch)>,
    /// How often each has lost its disk.
    wiped: BTreeMap<NodeId, u32>,
}

impl Nodes {
    /// `node` asks to be admitted if it has to, and sends a heartbeat.
    fn beats(&mut self, centre: &mut Centre, node: NodeId) {
        let incarnation = Incarnation(1 + self.wiped.get(&node).copied().unwrap_or_default());
        let (admission, known) = *self.known.entry(node).or_insert_with(|| {
            centre.sent.clear();
            centre.hears(node, Message::ToCentre(ToCentre::Admit { incarnation }));
            let number = centre.sent.iter().find_map(|(to, message)| match &**message {
                Message::FromCentre(FromCentre::Admitted { admission, .. }) if *to == node => {
                    Some(*admission)
                }
                _ => None,
            });
            (number.expect("every node is admitted"), Epoch::default())
        });
        let asked = centre.now;
        let answered = Some(asked);
        let beat = Message::ToCentre(ToCentre::Heartbeat {
            admission,
            incarnation,
            known,
            asked,
            answered,
        });
        centre.hears(node, beat);
    }

    /// `node` comes back without what it knew; its old number.
    fn loses_its_disk(&mut self, node: NodeId) -> Admission {
        *self.wiped.entry(node).or_default() += 1;
        self.known.remove(&node).expect("it was admitted").0
    }

    /// `node` enters the newest view, and says so.
    fn enters(&mut self, centre: &mut Centre, node: NodeId) {
        let Some(newest) = centre.views().last().map(|view| view.epoch) else { return };
        let Some((admission, known)) = self.known.get_mut(&node) else { return };
        *known = newest;
        let message = Message::ToCentre(ToCentre::Entered {
            admission: *admission,
            epoch: newest,
            open: [].into(),
        });
        centre.hears(node, message);
    }

    fn completes(&mut self, centre: &mut Centre, node: NodeId) {
        if let Some(&(admission, epoch)) = self.known.get(&node) {
            centre.hears(node, Message::ToCentre(ToCentre::Completed { admission, epoch }));
        }
    }
}

fn n(number: u16) -> NodeId {
    NodeId::node(number)
}

/// Three members in the first view, all in it and under a lease.
fn begun() -> (Centre, Nodes) {
    let (mut centre, mut nodes) = (Centre::new(), Nodes::default());
    (1..=3).for_each(|number| nodes.beats(&mut centre, n(number)));
    (1..=3).for_each(|number| nodes.enters(&mut centre, n(number)));
    (1..=3).for_each(|number| nodes.beats(&mut centre, n(number)));
    assert_eq!((centre.active(), centre.names()), (Epoch(1), vec![n(1), n(2), n(3)]));
    (centre, nodes)
}

/// All of `numbers` beat four times in a lease, for so long.
fn live(centre: &mut Centre, nodes: &mut Nodes, numbers: &[u16], quarters: u32) {
    for _ in 0..quarters {
        centre.pass(LEASE.fraction(4));
        numbers.iter().for_each(|number| nodes.beats(centre, n(*number)));
    }
}

#[test]
fn a_silent_member_is_left_out_once_its_lease_has_surely_ended() {
    let (mut centre, mut nodes) = begun();
    let given = centre.now;
    live(&mut centre, &mut nodes, &[1, 2], 4);
    assert_eq!(centre.views().count(), 1, "its lease may still run");
    live(&mut centre, &mut nodes, &[1, 2], 1);
    assert_eq!(centre.names(), [n(1), n(2)]);
    let terms = LeaseTerms { length: LEASE, drift_max_ppm: centre.config.drift_max_ppm };
    assert!(centre.now >= terms.giver_until(given));
}

#[test]
fn a_view_is_active_once_all_have_left_the_one_before() {
    let (mut centre, mut nodes) = begun();
    centre.step(Input::Command(&Command::Leave(n(3))));
    assert_eq!(centre.names(), [n(1), n(2)]);
    nodes.enters(&mut centre, n(1));
    nodes.enters(&mut centre, n(2));
    assert_eq!(centre.active(), Epoch(1), "the leaver may still serve");
    nodes.enters(&mut centre, n(3));
    assert_eq!(centre.active(), Epoch(2));
}

#[test]
fn there_is_one_view_at_a_time() {
    let (mut centre, mut nodes) = begun();
    centre.step(Input::Command(&Command::Leave(n(3))));
    centre.step(Input::Command(&Command::Leave(n(2))));
    assert_eq!(centre.views().count(), 2, "the next waits until this one is active");
    (1..=3).for_each(|number| nodes.enters(&mut centre, n(number)));
    assert_eq!(centre.names(), [n(1)]);
}

#[test]
fn the_last_member_is_never_left_out() {
    let (mut centre, mut nodes) = begun();
    centre.pass(LEASE.times(20));
    assert!(centre.views().all(|view| !view.members.is_empty()));
    nodes.beats(&mut centre, n(1));
    nodes.enters(&mut centre, n(1));
    nodes.beats(&mut centre, n(1));
    assert!(centre.names().contains(&n(1)));
}

#[test]
fn an_epoch_has_settled_when_every_owner_is_complete() {
    let (mut centre, mut nodes) = begun();
    let settled = |centre: &Centre| centre.log.contains(&Record::Converged { epoch: Epoch(1) });
    nodes.completes(&mut centre, n(1));
    nodes.completes(&mut centre, n(2));
    assert!(!settled(&centre));
    nodes.completes(&mut centre, n(3));
    assert!(settled(&centre));
}

#[test]
fn after_a_restart_suspicion_starts_afresh() {
    let (mut centre, mut nodes) = begun();
    live(&mut centre, &mut nodes, &[1, 2], 3);
    centre.restart();
    live(&mut centre, &mut nodes, &[1, 2], 4);
    assert_eq!(centre.views().count(), 1, "n3 has a full lease from the restart");
    live(&mut centre, &mut nodes, &[1, 2], 1);
    assert_eq!(centre.names(), [n(1), n(2)]);
}

#[test]
fn a_pause_of_the_centre_is_no_reason_to_suspect_a_node() {
    let (mut centre, mut nodes) = begun();
    centre.now = centre.now + LEASE.times(10); // it was not woken
    centre.pass(Span::ZERO);
    (1..=3).for_each(|number| nodes.beats(&mut centre, n(number)));
    assert_eq!(centre.views().count(), 1);
}

#[test]
fn a_node_that_has_lost_its_disk_gets_another_number() {
    let (mut centre, mut nodes) = begun();
    let old = nodes.loses_its_disk(n(2));
    nodes.beats(&mut centre, n(2));
    let (new, _) = nodes.known[&n(2)];
    assert!(new > old);
    let member = Member { node: n(2), admission: new };
    assert!(centre.views().last().is_some_and(|view| view.has(member)));
    centre.sent.clear();
    let beat = Message::ToCentre(ToCentre::Heartbeat {
        admission: old,
        incarnation: Incarnation(1),
        known: Epoch(1),
        asked: centre.now,
        answered: Some(centre.now),
    });
    centre.hears(n(2), beat);
    assert_eq!(centre.sent, [], "the old number is dead");
}

#[test]
fn a_life_is_given_one_number_however_often_it_asks() {
    let (mut centre, mut nodes) = begun();
    let asks = |centre: &mut Centre, life| {
        centre.sent.clear();
        centre.hears(n(2), Message::ToCentre(ToCentre::Admit { incarnation: Incarnation(life) }));
        std::mem::take(&mut centre.sent)
    };
    let (admission, _) = nodes.known[&n(2)];
    let again =
        Message::FromCentre(FromCentre::Admitted { incarnation: Incarnation(1), admission });
    assert_eq!(asks(&mut centre, 1), [(n(2), again.into())]);
    nodes.loses_its_disk(n(2));
    nodes.beats(&mut centre, n(2));
    assert_eq!(asks(&mut centre, 1), [], "that life is over");
}

#[test]
fn a_node_that_does_not_hear_the_centre_is_no_member_for_long() {
    let (mut centre, mut nodes) = begun();
    let deaf = n(3);
    let (admission, known) = nodes.known[&deaf];
    let answered = Some(centre.now);
    for _ in 0..40 {
        centre.pass(LEASE.fraction(4));
        for node in [n(1), n(2)] {
            nodes.beats(&mut centre, node);
            nodes.enters(&mut centre, node);
        }
        let asked = centre.now;
        let incarnation = Incarnation(1);
        let beat = Message::ToCentre(ToCentre::Heartbeat {
            admission,
            incarnation,
            known,
            asked,
            answered,
        });
        centre.hears(deaf, beat);
    }
    assert_eq!(centre.names(), [n(1), n(2)]);
    assert_eq!(centre.views().count(), 2, "it is left out once, and stays out");
}

#[derive(Clone, Debug)]
enum Act {
    Beats(u16),
    Enters(u16),
    Completes(u16),
    Passes(u64),
    Wants(Command),
    Restarts,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let node = || 1..5u16;
    let replicas = |replicas| Command::Set {
        replicas: Some(replicas),
        virtual_nodes: None,
        lock_lease: None,
        membership_lease: None,
    };
    let command = prop_oneof![
        node().prop_map(|number| Command::Join(n(number))),
        node().prop_map(|number| Command::Leave(n(number))),
        (1..4u16).prop_map(replicas),
    ];
    let act = prop_oneof![
        8 => node().prop_map(Act::Beats),
        6 => node().prop_map(Act::Enters),
        3 => node().prop_map(Act::Completes),
        4 => (0..1_000u64).prop_map(Act::Passes),
        2 => command.prop_map(Act::Wants),
        1 => Just(Act::Restarts),
    ];
    prop::collection::vec(act, 1..120)
}

/// The centre's records, in order, against the rules.
fn judge(log: &[Record]) -> Result<(), TestCaseError> {
    let (mut newest, mut active, mut settled) = (None::<View>, Epoch(0), Epoch(0));
    for record in log {
        match record {
            Record::Announced { view } => {
                let last = newest.as_ref().map_or(Epoch(0), |view| view.epoch);
                prop_assert_eq!(view.epoch, last.next());
                prop_assert_eq!(last, active, "one view at a time");
                prop_assert!(!view.members.is_empty());
                prop_assert!(view.members.is_sorted());
                prop_assert_ne!(Some(&View { epoch: last, ..view.clone() }), newest.as_ref());
                newest = Some(view.clone());
            }
            Record::Activated { epoch } => {
                prop_assert_eq!(Some(*epoch), newest.as_ref().map(|view| view.epoch));
                active = *epoch;
            }
            Record::Converged { epoch } => {
                prop_assert!(*epoch == active && *epoch > settled);
                settled = *epoch;
            }
            _ => {}
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn whatever_happens_views_follow_the_rules(acts in acts()) {
        let (mut centre, mut nodes) = (Centre::new(), Nodes::default());
        for act in acts {
            match act {
                Act::Beats(number) => nodes.beats(&mut centre, n(number)),
                Act::Enters(number) => nodes.enters(&mut centre, n(number)),
                Act::Completes(number) => nodes.completes(&mut centre, n(number)),
                Act::Passes(ms) => centre.pass(Span::from_millis(ms)),
                Act::Wants(command) => centre.step(Input::Command(&command)),
                Act::Restarts => centre.restart(),
            }
        }
        judge(&centre.log)?;
    }
}
