//! The lock invariants and the milestones against the protocols that ship, on a network and disks
//! that take one millisecond each.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::proto::{
    Action, Config, Contents, Defect, Defects, Incarnation, NodeId, Operation, Reply, Request,
    RequestId, Settings, Span, Time,
};

use crate::milestone::Milestone;
use crate::oracle::blocked::Wait;
use crate::oracle::invariants::{files, locks, requests, simulator};
use crate::oracle::milestones::{About, Milestones, Reached};
use crate::oracle::tests::lock_tests_support::{CONTROL, client, path, request};
use crate::oracle::*;
use crate::scenario::Role;
use crate::world::{Clock, Event, Fact, Loss, PacketId, Step, World};

const MS: Span = Span::from_millis(1);

/// Something that will happen.
#[derive(Clone, Debug)]
enum Plan {
    Deliver(PacketId),
    Synced(NodeId, Incarnation),
    Script(Event),
    /// Loses what is in flight from one machine to another.
    Block(NodeId, NodeId),
}

/// A run with a fixed schedule.
struct Run {
    world: World,
    model: Model,
    invariants: Vec<Box<dyn Invariant>>,
    milestones: Milestones,
    plans: BTreeMap<(Time, u64), Plan>,
    order: u64,
    /// What waits for a machine that is paused.
    held: Vec<PacketId>,
    /// Every milestone, with its time.
    reached: Vec<(Time, Reached)>,
    violation: Option<(&'static str, Breach)>,
    /// How long messages from one machine to another take, if not one millisecond.
    slow: BTreeMap<(NodeId, NodeId), Span>,
}

fn invariants() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(locks::OneHolderPerLock::default()),
        Box::new(locks::TokensGrow::default()),
        Box::new(locks::GrantIsDurableBeforeItLeaves::default()),
        Box::new(locks::GrantsFollowTheLine::default()),
        Box::new(locks::GrantsGoToTheLiving::default()),
        Box::new(locks::NoFreeLockWithALiveWaiter::default()),
        Box::new(locks::OnlyTheHolderReleases::default()),
        Box::new(locks::HoldersStopBelievingFirst::default()),
        Box::new(locks::AcquiredMeansHeld::default()),
        Box::new(requests::OneEffectPerRequest::default()),
        Box::new(requests::OneAnswerPerRequest::default()),
        Box::new(requests::RefusedMeansNoEffect::default()),
        Box::new(requests::DoneMeansEffect::default()),
        Box::new(files::OwnersAgree::default()),
        Box::new(simulator::MessagesAreConserved::default()),
        Box::new(simulator::TimeNeverGoesBack::default()),
        Box::new(requests::EveryRequestEnds),
        Box::new(locks::EveryLockIsFreeOrHeldByTheLiving::default()),
    ]
}

impl Run {
    /// Three storage nodes, `control`, two clients; everybody starts at 0.
    fn new(defects: impl IntoIterator<Item = Defect>) -> Run {
        let defects: Defects = defects.into_iter().collect();
        let config = Config::new(Settings { defects, ..Settings::default() }).unwrap();
        let world = World::new(config, 2);
        let nodes: Vec<NodeId> = world.nodes().collect();
        let mut run = Run {
            world,
            model: Model::default(),
            invariants: invariants(),
            milestones: Milestones::new(),
            plans: BTreeMap::new(),
            order: 0,
            held: Vec::new(),
            reached: Vec::new(),
            violation: None,
            slow: BTreeMap::new(),
        };
        for node in nodes {
            run.at(0, Event::Start { node, rot: None });
        }
        run
    }

    fn plan(&mut self, at: Time, plan: Plan) {
        self.order += 1;
        self.plans.insert((at, self.order), plan);
    }

    fn at(&mut self, ms: u64, event: Event) -> &mut Run {
        self.plan(Time::ZERO + MS.times(ms), Plan::Script(event));
        self
    }

    fn asks(&mut self, ms: u64, who: u16, wanted: Request) -> &mut Run {
        self.at(ms, Event::Request { client: client(who), request: Arc::new(wanted) })
    }

    fn crash(&mut self, ms: u64, node: NodeId) -> &mut Run {
        self.at(ms, Event::Crash { node, kept: 0, torn: 0, checkpointed: false })
    }

    fn start(&mut self, ms: u64, node: NodeId) -> &mut Run {
        self.at(ms, Event::Start { node, rot: None })
    }

    /// Goes on until this many milliseconds, then ends the run.
    fn until(&mut self, ms: u64) -> &mut Run {
        let end = Time::ZERO + MS.times(ms);
        let mut step = Step::new();
        for _ in 0..100_000 {
            if self.violation.is_some() {
                return self;
            }
            match self.next(end) {
                Some((at, Some(event))) => self.apply(at, event, &mut step),
                Some((_, None)) => {}
                None => return self,
            }
        }
        panic!("the run does not come to an end");
    }

    /// The invariants of the end.
    fn ends(&mut self) -> &mut Run {
        for invariant in &mut self.invariants {
            if let Err(breach) = invariant.at_end(&self.model, &self.world) {
                self.violation.get_or_insert((invariant.name(), breach));
            }
        }
        self
    }

    /// The next event, if there is one before `end`; `None` in place of an event that has lost its
    /// sense.
    fn next(&mut self, end: Time) -> Option<(Time, Option<Event>)> {
        let awake = self.world.nodes().filter(|node| !self.world.host(*node).is_paused());
        let wakes = awake.filter_map(|node| Some((self.world.next_wake(node)?, node)));
        let wake = wakes.min().map(|(at, node)| (at.max(self.world.now()), node));
        let planned = self.plans.first_key_value().map(|((at, _), _)| *at);
        match (wake, planned) {
            (Some((at, node)), planned) if planned.is_none_or(|planned| at < planned) => {
                (at <= end).then_some((at, Some(Event::Wake(node))))
            }
            (_, Some(at)) if at <= end => {
                let (_, plan) = self.plans.pop_first()?;
                Some((at, self.event(plan)))
            }
            (Some(_) | None, Some(_) | None) => None,
        }
    }

    fn event(&mut self, plan: Plan) -> Option<Event> {
        match plan {
            Plan::Script(event) => Some(event),
            Plan::Synced(node, life) => {
                let host = self.world.host(node);
                let is_same = host.is_up() && host.incarnation() == life;
                is_same.then_some(Event::Synced(node))
            }
            Plan::Deliver(packet) => {
                let (from, to) = {
                    let packet = self.world.network().get(packet)?;
                    (packet.from, packet.to)
                };
                let host = self.world.host(to);
                if !self.world.is_linked(from, to) {
                    return Some(Event::Drop(packet, Loss::Cut));
                }
                if !host.is_up() {
                    return Some(Event::Drop(packet, Loss::Down));
                }
                if host.is_paused() {
                    self.held.push(packet);
                    return None;
                }
                Some(Event::Deliver(packet))
            }
            Plan::Block(from, to) => Some(Event::Cut([(from, to)].into())),
        }
    }

    fn apply(&mut self, at: Time, event: Event, step: &mut Step) {
        let resumes = matches!(event, Event::Resume(_));
        self.world.apply(at, event, step);
        if resumes {
            for packet in std::mem::take(&mut self.held) {
                self.plan(at, Plan::Deliver(packet));
            }
        }
        for fact in step.facts.clone() {
            match fact {
                Fact::Sent { packet, from, to, .. } => {
                    let takes = self.slow.get(&(from, to)).copied().unwrap_or(MS);
                    self.plan(at + takes, Plan::Deliver(packet));
                }
                Fact::Copied { packet } => self.plan(at + MS.times(50), Plan::Deliver(packet)),
                Fact::SyncBegan { node } => {
                    let life = self.world.host(node).incarnation();
                    self.plan(at + MS, Plan::Synced(node, life));
                }
                _ => {}
            }
        }
        self.observe(step);
    }

    fn observe(&mut self, step: &Step) {
        (self.model.step, self.model.now) = (step.index, step.at);
        for seen in seen(step) {
            self.model.update(&seen, &self.world);
            for invariant in &mut self.invariants {
                if let Err(breach) = invariant.see(&seen, &self.model, &self.world) {
                    self.violation.get_or_insert((invariant.name(), breach));
                }
            }
        }
        self.milestones.observe(&self.world, step, &self.model);
        self.reached.extend(self.milestones.reached().iter().map(|r| (step.at, r.clone())));
    }

    #[track_caller]
    fn holds(&self) {
        if let Some((name, breach)) = &self.violation {
            panic!("{name}: {breach:#?}");
        }
    }

    #[track_caller]
    fn breaks(&self, name: &str) {
        let found = self.violation.as_ref().map(|(name, _)| *name);
        assert_eq!(found, Some(name), "{:#?}", self.violation);
    }

    fn reply(&self, request: RequestId) -> Option<&Reply> {
        Some(&self.model.requests.get(&request)?.reply.as_ref()?.is)
    }

    fn count(&self, milestone: Milestone) -> u64 {
        self.milestones.count(milestone)
    }

    /// The first time that a milestone was reached.
    #[track_caller]
    fn first(&self, milestone: Milestone) -> (Time, &Reached) {
        let found = self.reached.iter().find(|(_, r)| r.milestone == milestone);
        let (at, reached) = found.unwrap_or_else(|| panic!("{milestone} was not reached"));
        (*at, reached)
    }

    fn bind(&self, role: Role, milestone: Milestone) -> Option<NodeId> {
        self.milestones.bind(role, self.first(milestone).1, &self.world, &self.model)
    }

    fn waits(&self) -> Vec<Wait> {
        self.milestones.who_waits(&self.world, &self.model)
    }
}

fn lock(at: &str) -> Request {
    Request::Acquire { path: path(at), wait: true }
}

fn try_lock(at: &str) -> Request {
    Request::Acquire { path: path(at), wait: false }
}

fn unlock(at: &str) -> Request {
    Request::Release { path: path(at) }
}

fn write(at: &str, contents: &str) -> Operation {
    let action = Action::Write(Contents::from(contents), None);
    Operation { path: path(at), action, token: None }
}

fn writes(operations: impl IntoIterator<Item = Operation>, coordinator: NodeId) -> Request {
    let operations = operations.into_iter().collect();
    Request::Files { operations, coordinator: Some(coordinator) }
}

#[test]
fn two_clients_contend() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.asks(5_000, 1, unlock("/a")).asks(9_000, 2, unlock("/a"));
    run.until(30_000).ends().holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Acquired(_))));
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Acquired(_))));
    assert_eq!(run.reply(request(2, 2)), Some(&Reply::Released));
    assert_eq!(run.count(Milestone::LOCK_GRANTED), 2);
    assert_eq!(run.count(Milestone::LOCK_QUEUED), 1);
    assert_eq!(run.count(Milestone::LOCK_RELEASED), 2);
    assert_eq!(run.count(Milestone::CLAIM_COMMITTED), 2);
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 0);
    assert_eq!(run.count(Milestone::REQUEST_DONE), 4);
    assert_eq!(run.count(Milestone::REQUEST_RETRIED), 0);
    let (_, queued) = run.first(Milestone::LOCK_QUEUED);
    assert_eq!(queued.about, About::Lock(path("/a"), Some(request(2, 1))));
}

#[test]
fn a_silent_holder_loses_its_lease() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash(1_000, client(1)).start(2_000, client(1));
    run.asks(15_000, 2, unlock("/a"));
    run.until(4_000).holds();
    let waits = run.waits();
    assert_eq!(waits.len(), 2, "{waits:#?}");
    assert!(waits[0].for_what.contains("the lock of /a, which c1.1#1 held under t1"));
    assert!(waits[0].released_by.contains("end of the lease of c1"), "{waits:#?}");
    assert_eq!((waits[1].who, waits[1].since), (client(2), Time::ZERO + MS.times(20)));
    run.until(40_000).ends().holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
    assert_eq!(run.count(Milestone::LOCK_RELEASED), 1);
    // Nobody but the next in line brought the second grant about, one lease after the first.
    assert_eq!(run.first(Milestone::LEASE_EXPIRED).0.as_nanos() / 1_000_000, 10_016);
    assert_eq!(run.bind(Role::Holder, Milestone::LEASE_EXPIRED), Some(client(1)));
    assert_eq!(run.waits(), []);
}

#[test]
fn control_crashes_and_starts_again_under_a_holder_and_a_waiter() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash(1_000, CONTROL).start(3_000, CONTROL);
    run.asks(8_000, 1, unlock("/a")).asks(12_000, 2, unlock("/a"));
    run.until(40_000).ends().holds();
    assert_eq!(run.reply(request(2, 2)), Some(&Reply::Released));
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 0);
    assert_eq!(run.count(Milestone::RESTARTED), 1);
}

#[test]
fn a_decision_that_a_crash_leaves_on_the_disk_is_one() {
    let mut run = Run::new([]);
    run.asks(10, 1, writes([write("/a", "1"), write("/b", "2"), write("/c", "3")], node(1)));
    for ms in 1..100 {
        run.until(ms);
        if run.count(Milestone::ALL_VOTED) > 0 {
            run.at(ms, Event::Crash { node: node(1), kept: 1, torn: 0, checkpointed: false })
                .start(ms + 50, node(1));
            break;
        }
    }
    run.until(40_000).ends().holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Done(_))));
    assert_eq!((run.count(Milestone::DECIDED), run.count(Milestone::RECORDS_LOST)), (1, 0));
    assert_eq!(run.count(Milestone::TRANSACTION_OVER), 1);
}

#[test]
fn everybody_crashes_and_nobody_waits_for_the_dead() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash(1_000, CONTROL).crash(1_001, client(1)).crash(1_002, client(2));
    run.start(3_000, CONTROL).start(3_001, client(1)).start(3_002, client(2));
    run.asks(4_000, 2, lock("/a")).asks(20_000, 2, unlock("/a"));
    run.until(60_000).ends().holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
    assert_eq!(run.count(Milestone::WAITER_EXPIRED), 1);
    assert_eq!(run.count(Milestone::LOCK_GRANTED), 2);
}

#[test]
fn trying_once_is_refused_while_the_lock_is_held() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(100, 2, try_lock("/a"));
    run.asks(200, 1, unlock("/a")).asks(300, 2, try_lock("/a"));
    run.until(5_000).holds();
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Refused(_))));
    assert!(matches!(run.reply(request(2, 2)), Some(Reply::Acquired(_))));
    assert_eq!(run.count(Milestone::REQUEST_REFUSED), 1);
    assert_eq!(run.count(Milestone::LOCK_QUEUED), 0);
}

#[test]
fn a_paused_holder_stops_before_the_next_one_starts_on_clocks_at_the_bound() {
    let mut run = Run::new([]);
    *run.world.clock_mut(client(1)) = Clock::new(Span::ZERO, -500);
    *run.world.clock_mut(CONTROL) = Clock::new(Span::ZERO, 500);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.at(7_000, Event::Pause(client(1))).at(30_000, Event::Resume(client(1)));
    run.asks(31_000, 2, unlock("/a"));
    run.until(60_000).ends().holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
}

#[test]
fn a_clock_beyond_the_bound_is_caught() {
    let mut run = Run::new([]);
    *run.world.clock_mut(client(1)) = Clock::new(Span::ZERO, -200_000);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.at(6_000, Event::Pause(client(1)));
    run.until(60_000).breaks("holders_stop_believing_first");
}

#[test]
fn a_lease_counted_from_the_reply_is_caught() {
    let mut run = Run::new([Defect::LeaseCountedFromTheReply]);
    run.slow.insert((CONTROL, client(1)), Span::from_secs(4));
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.plan(Time::ZERO + MS.times(100), Plan::Block(client(1), CONTROL));
    run.until(60_000).breaks("holders_stop_believing_first");
}

#[test]
fn the_same_delay_does_no_harm_to_a_lease_counted_from_the_request() {
    let mut run = Run::new([]);
    run.slow.insert((CONTROL, client(1)), Span::from_secs(4));
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.plan(Time::ZERO + MS.times(100), Plan::Block(client(1), CONTROL));
    run.until(60_000).holds();
    assert_eq!(run.count(Milestone::LEASE_EXPIRED), 1);
}

#[test]
fn a_grant_that_is_not_forced_is_caught() {
    let mut run = Run::new([Defect::GrantNotForced]);
    // The first grant shares its sync with the place in line, which is forced; the second has none.
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a")).asks(500, 1, unlock("/a"));
    run.until(400).holds();
    run.until(1_000).breaks("grant_is_durable_before_it_leaves");
}

#[test]
fn tokens_that_start_again_are_caught() {
    let mut run = Run::new([Defect::TokenRestarts]);
    run.asks(10, 1, lock("/a")).crash(100, CONTROL).start(200, CONTROL).asks(300, 2, lock("/b"));
    run.until(1_000).breaks("tokens_grow");
}

/// A client releases its lock, and copies of that arrive while the next one holds it.
fn releases_are_copied(defects: impl IntoIterator<Item = Defect>) -> Run {
    let mut run = Run::new(defects);
    run.slow.insert((client(1), CONTROL), Span::from_millis(60));
    run.asks(10, 1, lock("/a")).asks(200, 1, unlock("/a"));
    run.asks(210, 2, lock("/a")).asks(300, 1, lock("/a"));
    duplicate_releases(&mut run);
    run
}

#[test]
fn a_release_by_anyone_is_caught() {
    releases_are_copied([Defect::ReleaseByAnyone]).breaks("only_the_holder_releases");
}

/// Copies every release in flight, as long as the run goes.
fn duplicate_releases(run: &mut Run) {
    for ms in 1..2_000 {
        run.until(ms);
        let packets = run.world.network().packets();
        let releases = packets.filter(|(_, packet)| {
            matches!(packet.message, seedbed::proto::Message::Release { .. })
        });
        let releases: Vec<PacketId> = releases.map(|(id, _)| id).collect();
        if run.count(Milestone::MESSAGE_DUPLICATED) < 3 {
            for release in releases {
                run.at(ms, Event::Duplicate(release));
            }
        }
    }
}

#[test]
fn copies_of_a_release_do_no_harm() {
    let mut run = releases_are_copied([]);
    run.until(3_000).holds();
    assert_eq!(run.count(Milestone::MESSAGE_DUPLICATED), 3);
    let (_, copied) = run.first(Milestone::MESSAGE_DUPLICATED);
    assert_eq!(
        (copied.node, &copied.about),
        (CONTROL, &About::Lock(path("/a"), Some(request(1, 2))))
    );
}

#[test]
fn a_grant_to_a_dead_waiter_is_caught() {
    let mut run = Run::new([Defect::DeadWaiterGranted]);
    run.asks(10, 1, lock("/a")).asks(20, 2, lock("/a"));
    run.crash(1_000, client(2)).asks(20_000, 1, unlock("/a"));
    run.until(30_000).breaks("grants_go_to_the_living");
}

#[test]
fn a_transaction_passes_its_milestones() {
    let mut run = Run::new([]);
    run.asks(10, 1, writes([write("/a", "1"), write("/b", "2"), write("/c", "3")], node(1)));
    run.until(2_000).ends().holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Done(_))));
    for milestone in [
        Milestone::TRANSACTION_BEGUN,
        Milestone::ALL_READY,
        Milestone::ALL_VOTED,
        Milestone::DECIDED,
        Milestone::TRANSACTION_OVER,
    ] {
        assert_eq!(run.count(milestone), 1, "{milestone}");
        assert_eq!(run.bind(Role::Coordinator, milestone), Some(node(1)));
        assert_eq!(run.bind(Role::Participant, milestone), Some(node(2)));
        let owner = run.world.config().first_layout().ring().owners(&path("/a"))[0];
        assert_eq!(run.bind(Role::Owner, milestone), Some(owner));
        assert_eq!(run.bind(Role::Holder, milestone), None);
    }
    let participants = run.count(Milestone::PARTICIPANT_IN_DOUBT);
    assert_eq!(participants, 2);
    assert_eq!(run.count(Milestone::TRANSACTION_ABORTED), 0);
    let first = Milestone::sent(seedbed::proto::MessageKind::Prepare);
    assert_eq!(run.count(first), participants);
    assert!(run.milestones.first_step(first) < run.milestones.first_step(Milestone::ALL_READY));
}

/// A coordinator that crashes at this milestone of its first transaction, and the run up to two
/// seconds later.
fn coordinator_crashes_at(milestone: Milestone) -> Run {
    let mut run = Run::new([]);
    run.asks(10, 1, writes([write("/a", "1"), write("/b", "2"), write("/c", "3")], node(1)));
    for ms in 1..100 {
        run.until(ms);
        if run.count(milestone) > 0 {
            let at = run.world.now().as_nanos() / 1_000_000;
            let coordinator = run.bind(Role::Coordinator, milestone).unwrap();
            run.crash(at, coordinator);
            break;
        }
    }
    run.until(2_000).holds();
    run
}

#[test]
fn a_coordinator_crashes_in_each_phase() {
    for (milestone, crashed) in [
        (Milestone::TRANSACTION_BEGUN, Milestone::CRASHED_PREPARING),
        (Milestone::ALL_READY, Milestone::CRASHED_VOTING),
        (Milestone::DECIDED, Milestone::CRASHED_COMMITTING),
    ] {
        let run = coordinator_crashes_at(milestone);
        assert_eq!(run.count(crashed), 1, "{milestone}");
        let phases = [
            Milestone::CRASHED_PREPARING,
            Milestone::CRASHED_VOTING,
            Milestone::CRASHED_COMMITTING,
        ];
        assert_eq!(phases.iter().map(|phase| run.count(*phase)).sum::<u64>(), 1, "{milestone}");
    }
}

#[test]
fn participants_in_doubt_wait_for_their_coordinator() {
    let mut run = coordinator_crashes_at(Milestone::PARTICIPANT_IN_DOUBT);
    let waits = run.waits();
    let in_doubt: Vec<&Wait> =
        waits.iter().filter(|wait| wait.for_what.contains("the decision")).collect();
    assert_eq!(in_doubt.iter().map(|wait| wait.who).collect::<Vec<_>>(), [node(2), node(3)]);
    for wait in in_doubt {
        assert!(wait.released_by.contains("n1, which coordinates it, starting again"));
        assert!(wait.released_by.contains("every other participant is in doubt"), "{wait:?}");
        assert!(wait.since > Time::ZERO + MS.times(10) && wait.since < Time::ZERO + MS.times(30));
    }
    let at = run.world.now().as_nanos() / 1_000_000 + 1;
    run.crash(at, node(2)).until(at + 10);
    assert_eq!(run.count(Milestone::CRASHED_IN_DOUBT), 1);
    run.start(at + 20, node(2)).start(at + 30, node(1)).until(60_000).ends().holds();
    assert_eq!(run.waits(), []);
}

#[test]
fn a_coordinator_waits_for_an_acknowledgement() {
    let mut run = Run::new([]);
    run.asks(10, 1, writes([write("/a", "1"), write("/b", "2"), write("/c", "3")], node(1)));
    for ms in 1..100 {
        run.until(ms);
        if run.count(Milestone::DECIDED) > 0 {
            run.crash(ms, node(3));
            break;
        }
    }
    run.until(1_000).holds();
    let waits = run.waits();
    assert_eq!(waits.len(), 1, "{waits:#?}");
    assert_eq!(waits[0].who, node(1));
    assert!(waits[0].for_what.contains("n3 to acknowledge"));
    assert_eq!(waits[0].released_by, "n3 starting again");
}

#[test]
fn only_what_is_watched_is_named() {
    let mut run = Run::new([]);
    run.milestones = Milestones::watching([Milestone::LOCK_GRANTED]);
    run.asks(10, 1, lock("/a")).until(1_000).holds();
    let named: Vec<Milestone> = run.reached.iter().map(|(_, reached)| reached.milestone).collect();
    assert_eq!(named, [Milestone::LOCK_GRANTED]);
    assert_eq!(run.bind(Role::Holder, Milestone::LOCK_GRANTED), Some(client(1)));
    assert!(run.count(Milestone::CLAIM_COMMITTED) > 0);
}

#[test]
fn a_participant_is_told_by_another() {
    let mut run = Run::new([]);
    run.asks(10, 1, writes([write("/a", "1"), write("/b", "2"), write("/c", "3")], node(1)));
    for ms in 1..100 {
        run.until(ms);
        if run.count(Milestone::DECIDED) > 0 {
            run.at(ms, Event::Cut([(node(1), node(3))].into())).crash(ms + 5, node(1));
            break;
        }
    }
    run.until(10_000).holds();
    assert_eq!(run.count(Milestone::TOLD_BY_PARTICIPANT), 1);
    let (_, told) = run.first(Milestone::TOLD_BY_PARTICIPANT);
    assert_eq!(told.node, node(3));
    assert_eq!(run.bind(Role::Participant, Milestone::TOLD_BY_PARTICIPANT), Some(node(3)));
    assert_eq!(run.bind(Role::Coordinator, Milestone::TOLD_BY_PARTICIPANT), Some(node(1)));
    assert!(run.count(Milestone::MESSAGE_LOST) > 0);
    assert_eq!(run.count(Milestone::PARTITIONED), 1);
    assert!(run.waits().iter().all(|wait| !wait.for_what.contains("the decision")));
}

#[test]
fn a_write_without_the_lock_is_fenced() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(1_000, 2, writes([write("/a", "1")], node(1)));
    run.asks(1_100, 2, writes([write("/a", "1")], node(2)));
    run.asks(1_200, 2, writes([write("/a", "1")], node(3)));
    run.until(5_000).holds();
    // Once each where the coordinator is an owner, and by both owners where it is none.
    assert_eq!(run.count(Milestone::WRITE_FENCED), 4);
    assert_eq!(run.count(Milestone::REQUEST_REFUSED), 3);
    assert_eq!(run.count(Milestone::TRANSACTION_ABORTED), 3);
    assert_eq!(run.bind(Role::Holder, Milestone::WRITE_FENCED), Some(client(1)));
}

#[test]
fn two_transactions_meet() {
    let mut run = Run::new([]);
    let both = || [write("/a", "1"), write("/b", "2"), write("/c", "3")];
    run.asks(10, 1, writes(both(), node(1))).asks(11, 2, writes(both(), node(2)));
    run.until(10_000).ends().holds();
    assert!(run.count(Milestone::CONFLICT) > 0);
    assert_eq!(run.count(Milestone::CONFLICT), run.count(Milestone::TRANSACTION_ABORTED));
    assert!(run.count(Milestone::REQUEST_RETRIED) > 0);
    assert_eq!(run.count(Milestone::TRANSACTION_OVER), 2);
    let begun = run.count(Milestone::DECIDED) + run.count(Milestone::TRANSACTION_ABORTED);
    assert_eq!(run.count(Milestone::TRANSACTION_BEGUN), begun);
}

#[test]
fn what_happens_to_machines_is_counted() {
    let mut run = Run::new([]);
    run.asks(10, 1, writes([write("/a", "1"), write("/b", "2"), write("/c", "3")], node(1)));
    run.at(5, Event::ClockJump { node: client(1), by: MS });
    run.at(12, Event::Pause(client(1))).at(13, Event::Resume(client(1)));
    for ms in 1..100 {
        run.until(ms);
        if run.count(Milestone::ALL_READY) > 0 {
            run.until(ms + 1)
                .at(ms + 1, Event::Crash { node: node(2), kept: 0, torn: 5, checkpointed: false });
            break;
        }
    }
    run.until(200).holds();
    for milestone in [
        Milestone::CRASHED,
        Milestone::RECORDS_LOST,
        Milestone::RECORD_TORN,
        Milestone::CLOCK_JUMPED,
        Milestone::PAUSED,
        Milestone::RESUMED,
    ] {
        assert_eq!(run.count(milestone), 1, "{milestone}");
    }
    assert_eq!(run.count(Milestone::CRASHED_IN_DOUBT), 0);
}

/// What is in flight from one machine to another, the oldest first.
fn in_flight(run: &Run, from: NodeId, to: NodeId) -> Vec<PacketId> {
    let packets = run.world.network().packets();
    packets.filter(|(_, p)| (p.from, p.to) == (from, to)).map(|(id, _)| id).collect()
}

#[test]
fn a_copy_of_a_refused_acquire_is_refused_when_the_lock_is_free() {
    let mut run = Run::new([]);
    run.asks(10, 1, lock("/a")).asks(100, 2, try_lock("/a")).asks(110, 1, unlock("/a")).until(100);
    let packets = in_flight(&run, client(2), CONTROL);
    run.at(100, Event::Duplicate(packets[0]));
    run.until(5_000).holds();
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Refused(_))));
}

#[test]
fn a_client_whose_claim_nobody_answers_gives_the_lock_back() {
    let mut run = Run::new([]);
    for number in [1, 2, 3] {
        run.crash(5, node(number)).start(50_000, node(number));
    }
    run.asks(10, 1, lock("/a")).asks(60_000, 2, lock("/a"));
    run.until(120_000).holds();
    assert_eq!(run.reply(request(1, 1)), Some(&Reply::Unknown));
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Acquired(_))));
}

#[test]
fn two_copies_of_the_news_of_another_session_are_one_attempt() {
    let mut run = Run::new([]);
    let delete = Operation { path: path("/a"), action: Action::Delete(None), token: None };
    for other in [2, 3] {
        run.slow.insert((node(1), node(other)), Span::from_millis(100));
    }
    run.asks(10, 1, writes([delete], node(1))).until(10);
    let packets = in_flight(&run, client(1), node(1));
    run.at(10, Event::Duplicate(packets[0])).until(30);
    // The first news made c1 send the attempt again. If the second did so too, that would be slow.
    run.slow.insert((client(1), node(1)), Span::from_secs(1));
    run.asks(600, 2, writes([write("/a", "1")], node(2)));
    run.until(10_000).holds();
    assert!(matches!(run.reply(request(1, 1)), Some(Reply::Refused(_))));
    assert!(matches!(run.reply(request(2, 1)), Some(Reply::Done(_))));
}

fn node(number: u16) -> NodeId {
    NodeId::storage(number)
}
