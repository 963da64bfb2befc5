//! The scheduler by itself: order, slow links, a policy of delays.

use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::{Config, FileService, Request, Settings};

use super::{DelayPolicy, Fact, Fate, Loss, Times, Watcher};
use crate::file_service::{Event, Stage, Step, World};

fn c1() -> NodeId {
    NodeId::client(1)
}

fn n1() -> NodeId {
    NodeId::node(1)
}

/// A cluster that is up, and c1 that has just sent its first message to n1.
fn asked(times: Times, policy: Option<Box<dyn DelayPolicy>>) -> Stage<Vec<(Time, Event)>> {
    let config = Config::new(Settings::default()).unwrap();
    let mut stage = Stage::new(World::of_config(config, 1), Vec::new());
    stage.start_all();
    stage.settle();
    stage.watcher.clear();
    (stage.times, stage.policy) = (times, policy);
    stage.request(c1(), Request::Files { operations: [].into(), coordinator: Some(n1()) });
    stage
}

impl Watcher<FileService> for Vec<(Time, Event)> {
    fn watch(&mut self, _world: &World, step: &Step) {
        self.push((step.at, step.event.clone()));
    }
}

fn event(seen: &[(Time, Event)], nth: usize) -> &Event {
    &seen[nth].1
}

/// The same for every message.
struct Always(Fate);

impl DelayPolicy for Always {
    fn message(&mut self, _from: NodeId, _to: NodeId) -> Fate {
        self.0
    }

    fn copy(&mut self) -> Span {
        Span::from_millis(50)
    }

    fn sync(&mut self, _node: NodeId) -> Span {
        Span::from_millis(1)
    }
}

#[test]
fn a_slow_link_is_slow_one_way() {
    let mut times = Times::default();
    times.slow.insert((c1(), n1()), Span::from_millis(400));
    let mut stage = asked(times, None);
    let begun = stage.now();
    let arrives = |_: &_, step: &Step| matches!(step.event, Event::Deliver(_));
    assert!(stage.settle_until(arrives));
    assert_eq!(stage.now().since(begun), Span::from_millis(400));
    assert!(stage.settle_until(arrives));
    assert_eq!(stage.now().since(begun), Span::from_millis(401));
}

#[test]
fn a_policy_loses_and_copies() {
    let takes = Span::from_millis(3);
    let mut stage = asked(Times::default(), Some(Box::new(Always(Fate::IsLost(takes)))));
    stage.settle();
    assert!(matches!(event(&stage.watcher, 1), Event::Drop(_, Loss::Network)));
    let mut stage = asked(Times::default(), Some(Box::new(Always(Fate::IsCopied(takes)))));
    let begun = stage.now();
    stage.run(Span::from_millis(50));
    assert!(matches!(event(&stage.watcher, 1), Event::Duplicate(_)));
    assert!(matches!(event(&stage.watcher, 2), Event::Deliver(_)));
    let late = begun + Span::from_millis(50);
    let is_copy = |(at, event): &&(Time, Event)| *at == late && matches!(event, Event::Deliver(_));
    assert!(stage.watcher.iter().any(|seen| is_copy(&seen)), "the copy takes 50ms");
}

#[test]
fn what_is_planned_comes_before_what_arrives() {
    let mut stage = asked(Times::default(), None);
    stage.plan(stage.now() + Span::from_millis(1), Event::Pause(n1()));
    stage.run(Span::from_secs(1));
    assert_eq!(event(&stage.watcher, 1), &Event::Pause(n1()));
    let arrives = |step: &(Time, Event)| matches!(step.1, Event::Deliver(_));
    assert!(!stage.watcher.iter().any(arrives), "it waits as long as n1 is paused");
    stage.apply(Event::Resume(n1()));
    stage.run(Span::ZERO);
    assert!(stage.watcher.iter().any(arrives));
}

/// What n1 is told of its disk when this happens.
fn told(stage: &mut Stage<()>, event: Event) -> Option<bool> {
    let facts = &stage.apply(event).facts;
    facts.iter().find_map(|fact| match fact {
        Fact::ToldOfDisk { node, is_full } if *node == n1() => Some(*is_full),
        _ => None,
    })
}

#[test]
fn a_machine_is_told_of_its_disk_once_and_when_it_is_there_to_be_told() {
    let config = Config::new(Settings::default()).unwrap();
    let mut stage = Stage::new(World::of_config(config, 1), ());
    assert_eq!(told(&mut stage, Event::FillUp(n1())), None, "it is down");
    assert_eq!(told(&mut stage, Event::Start { node: n1(), rot: None }), Some(true));
    assert_eq!(told(&mut stage, Event::FillUp(n1())), None, "it knows");
    assert_eq!(told(&mut stage, Event::Pause(n1())), None);
    assert_eq!(told(&mut stage, Event::MakeRoom(n1())), None, "it listens to nothing");
    assert_eq!(told(&mut stage, Event::Resume(n1())), Some(false));
    assert_eq!(told(&mut stage, Event::FillUp(n1())), Some(true));
    assert_eq!(told(&mut stage, Event::Wipe { node: n1() }), None);
    assert_eq!(told(&mut stage, Event::Start { node: n1(), rot: None }), None, "the disk is new");
}

#[test]
fn a_sync_does_not_end_before_the_stall_of_its_disk() {
    let config = Config::new(Settings::default()).unwrap();
    let mut stage = Stage::new(World::of_config(config, 1), ());
    stage.apply(Event::Stall(n1()));
    stage.start_all();
    stage.run(Span::from_secs(5));
    let durable = |stage: &Stage<()>| stage.world.host(n1()).disk().durable();
    assert!(stage.is_syncing(n1()) && durable(&stage) == 0);
    stage.apply(Event::Unstall(n1()));
    let then = stage.now();
    stage.settle();
    assert!(durable(&stage) > 0 && stage.now() == then, "its time had passed");
}
