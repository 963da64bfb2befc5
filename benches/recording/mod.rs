//! What happened in a run, to do it again without choosing anything.

#![allow(dead_code, reason = "each of the benches that share it uses its part")]

use std::sync::Arc;

use seedbed::machine::{Boot, Incarnation, Machine, NodeId, RequestId, System, Time};
use seedbed::proto::{Config, FileService, Input, Message, Outbox, Process, Record, Request};
use seedbed_sim::draw::swarm;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Verdict;
use seedbed_sim::file_service::{Event, Fact, Step, World};
use seedbed_sim::run;
use seedbed_sim::world::Clock;

/// The events of one run, and what they meant to the machines.
pub struct Recording {
    pub seed: u64,
    /// The world before the first event.
    before: World,
    pub events: Vec<(Time, Event)>,
    inputs: Vec<CoreInput>,
    /// Requests that were answered.
    pub answered: u64,
}

/// Something that a machine is given.
#[derive(Clone)]
struct CoreInput {
    machine: usize,
    /// Its own clock.
    reading: Time,
    what: Given,
}

#[derive(Clone)]
enum Given {
    /// A new life on what the disk holds.
    Start(Incarnation, u64, Arc<[Record]>),
    Message(NodeId, Arc<Message>),
    Request(RequestId, Arc<Request>),
    Wake,
}

impl Recording {
    /// Runs `seed` of `scenario` and writes down what happened.
    ///
    /// # Panics
    /// If the run does not pass: a run that ends early says nothing about speed.
    pub fn of(scenario: &Scenario, seed: u64) -> Recording {
        let scenario = &*swarm::for_seed(scenario, seed);
        let mut before =
            World::with_spare(scenario.config.clone(), scenario.cast.spare, scenario.cast.clients);
        for clock in &scenario.clocks {
            *before.clock_mut(clock.node) = Clock::new(clock.offset, clock.drift_ppm);
        }
        let mut recording =
            Recording { seed, before, events: Vec::new(), inputs: Vec::new(), answered: 0 };
        let report = run::run(scenario, seed, &mut |world: &World, step: &Step| {
            recording.events.push((step.at, step.event.clone()));
            recording.inputs.extend(given(world, step));
            let replies = step.facts.iter().filter(|fact| matches!(fact, Fact::Replied { .. }));
            recording.answered += replies.count() as u64;
        });
        assert_eq!(report.verdict, Verdict::Pass, "seed {seed}");
        recording
    }

    /// The world in which it began.
    pub fn world(&self) -> World {
        self.before.clone()
    }

    /// Applies all events to `world`, each seen by `watch`.
    pub fn replay(&self, mut world: World, mut watch: impl FnMut(&World, &Step)) -> World {
        let mut step = Step::new();
        for (at, event) in &self.events {
            world.apply(*at, event.clone(), &mut step);
            watch(&world, &step);
        }
        world
    }

    /// Machines without a world, and what each is given.
    pub fn core(&self) -> Core {
        let ids: Vec<NodeId> = self.before.machines().collect();
        let machines = ids.iter().map(|_| None).collect();
        Core { config: self.before.config().clone(), ids, machines, inputs: self.inputs.clone() }
    }
}

fn given(world: &World, step: &Step) -> Option<CoreInput> {
    let (node, what) = match &step.event {
        Event::Start { node, .. } if world.host(*node).is_up() => {
            let host = world.host(*node);
            let log: Arc<[Record]> = host.disk().durable_records().cloned().collect();
            (*node, Given::Start(host.incarnation(), host.disk().end(), log))
        }
        Event::Deliver(_) => {
            let packet = step.packet.as_ref()?;
            (packet.to, Given::Message(packet.from, packet.message.clone()))
        }
        Event::Wake(node) => (*node, Given::Wake),
        Event::Request { client, request } => {
            let id = step.facts.iter().find_map(|fact| match fact {
                Fact::Requested { request } => Some(*request),
                _ => None,
            });
            (*client, Given::Request(id?, request.clone()))
        }
        _ => return None,
    };
    let machine = world.machines().position(|other| other == node)?;
    Some(CoreInput { machine, reading: world.host(node).clock().reading(step.at), what })
}

/// The machines alone: what they ask for is taken from them and thrown away.
pub struct Core {
    config: Arc<Config>,
    ids: Vec<NodeId>,
    machines: Vec<Option<(Box<Process>, Outbox)>>,
    inputs: Vec<CoreInput>,
}

impl Core {
    /// Gives every machine what it was given in the run; says how many effects it asked for.
    pub fn replay(mut self) -> u64 {
        let mut effects = 0;
        for CoreInput { machine, reading, what } in self.inputs {
            let id = self.ids[machine];
            if let Given::Start(incarnation, end, log) = &what {
                let boot = Boot { id, incarnation: *incarnation, now: reading, log };
                let process = Box::new(FileService::recover(&self.config, boot));
                self.machines[machine] = Some((process, Outbox::new(*end)));
                continue;
            }
            let (process, out) = self.machines[machine].as_mut().expect("it has started");
            let input = match &what {
                Given::Start(..) => unreachable!("done above"),
                Given::Message(from, message) => Input::Message(*from, message),
                Given::Request(id, request) => Input::Request(*id, request),
                Given::Wake => {
                    let (_, timer) = process.next_deadline().expect("something to do");
                    Input::Wake(timer.clone())
                }
            };
            process.step(reading, input, out);
            while out.take_record().is_some() {}
            while out.pop(u64::MAX).is_some() {
                effects += 1;
            }
        }
        effects
    }
}
