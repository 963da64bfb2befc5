//! Scripts: requests that the file writes out.
//!
//! A script that begins becomes a *performance*: a client, which is bound by then, and the step
//! that comes next. A script that is repeated every so long has several at once. Nothing is asked
//! after the safety phase.

use crate::under_test::UnderTest;
use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{Class, NodeId, RequestId, Span};

use super::scheduled::{Cause, Due, Pending};
use crate::scenario::{Next, Scenario, Script, Step};
use crate::world::{Event, World};

/// The scripts of a run.
#[derive(Debug)]
pub(super) struct Scripts<'a, S: UnderTest> {
    scripts: &'a [Script<S>],
    performances: Vec<Performance>,
    /// The performance and the step of which each request is.
    of: BTreeMap<RequestId, (usize, usize)>,
}

/// A script as one client asks it.
#[derive(Debug)]
struct Performance {
    script: usize,
    client: NodeId,
    /// By step: the node that is asked first.
    first: Vec<Option<NodeId>>,
    /// The step that is asked next or waits for its answer.
    step: usize,
    /// Rounds that come after this one, each after its answer.
    rounds_left: u32,
    awaits: Option<RequestId>,
    /// By step, the request of each round so far.
    asked: Vec<Vec<Option<RequestId>>>,
}

/// How one step ended in one round.
pub(super) struct Outcome<'o, S: UnderTest> {
    /// The script's place in the file, from 0.
    pub script: usize,
    /// The step's place in it, from 0.
    pub step: usize,
    /// The client that asked, or would have.
    pub client: NodeId,
    /// What it is.
    pub is: &'o Step<S>,
    /// The request, if it was asked.
    pub request: Option<RequestId>,
    /// Was it due, so that only a client that was down kept it from being asked?
    pub is_reached: bool,
}

impl<'a, S: UnderTest> Scripts<'a, S> {
    /// The scripts of `scenario`; none has begun.
    pub fn new(scenario: &'a Scenario<S>) -> Scripts<'a, S> {
        Scripts { scripts: &scenario.script, performances: Vec::new(), of: BTreeMap::new() }
    }

    /// For each script, whether it has begun.
    pub fn begun(&self) -> impl Iterator<Item = bool> {
        (0..self.scripts.len()).map(|number| self.performances.iter().any(|p| p.script == number))
    }

    /// The script that asked this.
    pub fn script_of(&self, request: RequestId) -> Option<usize> {
        let (performance, _) = self.of.get(&request)?;
        Some(self.performances[*performance].script)
    }

    /// The script of this number begins, if a machine is its client; by step, `first` is asked
    /// first. Gives what is due, and how long after.
    pub fn begin(
        &mut self,
        number: usize,
        client: Option<NodeId>,
        first: Vec<Option<NodeId>>,
    ) -> Vec<(Span, Due<S>)> {
        let script = &self.scripts[number];
        // The machine at which a milestone was reached may be another one.
        let Some(client) = client.filter(|machine| machine.class() == Class::Client) else {
            return Vec::new();
        };
        let is_node = |machine: &NodeId| machine.class() == Class::Node;
        let first: Vec<_> = first.into_iter().map(|machine| machine.filter(is_node)).collect();
        let (starts, rounds_left) = match script.rounds.next {
            Next::AfterAnswer(_) => (vec![Span::ZERO], script.rounds.count - 1),
            Next::Every(span) => {
                ((0..script.rounds.count).map(|round| span.times(round.into())).collect(), 0)
            }
        };
        let mut due = Vec::new();
        for after in starts {
            let after = after + script.steps[0].pause;
            due.push((after, Due::Script(client, self.performances.len())));
            self.performances.push(Performance {
                script: number,
                client,
                first: first.clone(),
                step: 0,
                rounds_left,
                awaits: None,
                asked: vec![Vec::new(); script.steps.len()],
            });
        }
        due
    }

    /// The next step of a performance is asked, if its client is up; else the performance is over.
    pub fn ask(&mut self, performance: usize, world: &World<S>) -> Option<Pending<S>> {
        let playing = &mut self.performances[performance];
        let is_up = world.host(playing.client).is_up();
        playing.asked[playing.step].push(None);
        let step = &self.scripts[playing.script].steps[playing.step];
        let request = S::with_first(&step.request, playing.first[playing.step]);
        let event = Event::Request { client: playing.client, request: Arc::new(request) };
        is_up.then_some(Pending { event, cause: Cause::Script(performance) })
    }

    /// What the performance asked for got this id.
    pub fn on_requested(&mut self, performance: usize, request: RequestId) {
        let playing = &mut self.performances[performance];
        playing.awaits = Some(request);
        *playing.asked[playing.step].last_mut().expect("it is asked") = Some(request);
        self.of.insert(request, (performance, playing.step));
    }

    /// A request is answered: the next step is due after a pause.
    pub fn on_replied(&mut self, request: RequestId) -> Option<(Span, Due<S>)> {
        let (performance, step) = *self.of.get(&request)?;
        let playing = &mut self.performances[performance];
        playing.awaits.take_if(|awaited| *awaited == request)?;
        let script = &self.scripts[playing.script];
        playing.step = step + 1;
        let mut pause = Span::ZERO;
        if playing.step == script.steps.len() {
            playing.rounds_left = playing.rounds_left.checked_sub(1)?;
            playing.step = 0;
            if let Next::AfterAnswer(between) = script.rounds.next {
                pause = between;
            }
        }
        Some((pause + script.steps[playing.step].pause, Due::Script(playing.client, performance)))
    }

    /// How the steps of all that has begun ended. One that was never asked counts once.
    pub fn outcomes(&self) -> impl Iterator<Item = Outcome<'a, S>> {
        self.performances.iter().flat_map(move |playing| {
            let steps = self.scripts[playing.script].steps.iter().enumerate();
            steps.flat_map(move |(number, is)| {
                let asked = playing.asked[number].clone();
                let is_reached = !asked.is_empty();
                let rounds = if is_reached { asked } else { vec![None] };
                rounds.into_iter().map(move |request| Outcome {
                    script: playing.script,
                    step: number,
                    client: playing.client,
                    is,
                    request,
                    is_reached,
                })
            })
        })
    }
}
