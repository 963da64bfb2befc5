//! What begins at a time of the file or at a milestone: scripts, message rules, scripted faults;
//! and at the end of the run the probes.

use crate::under_test::{Probes, UnderTest};
use seedbed::machine::{Span, Time};

use super::Simulation;
use super::binding::Binding;
use super::occasions::Then;
use super::queue::Turn;
use super::scheduled::{Cause, Due, Pending};
use crate::coverage::Coverage;
use crate::oracle::Told;
use crate::oracle::milestones::Reached;
use crate::scenario::{Scenario, Target, Trigger};
use crate::verdict::Verdict;
use crate::world::Event;

/// What has waited for what a step has reached.
#[derive(Debug)]
pub(super) struct Begun<S: UnderTest> {
    /// Message rules, by number.
    pub rules: Vec<(usize, Reached<S>)>,
    /// Everything else, which has its turn after the step.
    pub turns: Vec<Turn<S>>,
}

impl<S: UnderTest> Simulation<'_, S> {
    /// Puts scripts and rules into the queue whose time is known from the start.
    pub(super) fn put_scripts_and_rules(&mut self) {
        let Scenario { script, messages, .. } = self.scenario;
        for (number, script) in script.iter().enumerate() {
            let Trigger::At(at) = script.begins else { continue };
            let client = script.client.node();
            let first = script.steps.iter().map(|step| step.first.and_then(Target::node)).collect();
            for (after, due) in self.scripts.begin(number, client, first) {
                self.queue.put(Time::ZERO + at + after, due);
            }
        }
        for (number, rule) in messages.iter().enumerate() {
            match rule.begins {
                None => self.apply_rule(number),
                Some(Trigger::At(at)) => self.queue.put(Time::ZERO + at, Due::Apply(number)),
                Some(Trigger::When(_)) => {}
            }
        }
    }

    /// Begins the probes, if the run could end as it is.
    pub(super) fn begin_probes(&mut self) {
        match self.judge_end() {
            Verdict::Pass => {
                self.links.calm();
                self.milestones.stop_counting();
                self.coverage.iter_mut().for_each(Coverage::stop);
                let asks = self.probes.begin(&self.world, self.oracle.model());
                self.ends = self.queue.now() + self.probes.within();
                self.put_probes(asks);
            }
            verdict => self.verdict = Some(verdict),
        }
    }

    /// So many probes come next; if there are none any more, the run soon ends.
    pub(super) fn put_probes(&mut self, asks: usize) {
        self.queue.first((0..asks).map(Turn::Probe));
        if self.probes.are_over() {
            self.ends = self.queue.now() + self.probes.settles_within();
        }
    }

    pub(super) fn probe(&mut self, number: usize) -> Pending<S> {
        let (client, request) = self.probes.ask(number);
        let by = self.queue.now() + self.probes.round_within();
        self.oracle.tell(Told::Probe(self.probes.told(number, by)));
        Pending { event: Event::Request { client, request }, cause: Cause::Probe(number) }
    }

    /// What has waited for what the step has reached.
    pub(super) fn begun(&mut self) -> Begun<S> {
        let mut begun = Begun { rules: Vec::new(), turns: Vec::new() };
        if self.is_healed() || self.milestones.reached().is_empty() {
            return begun;
        }
        let (world, model) = (&self.world, self.oracle.model());
        let binding =
            Binding { world, model, milestones: &self.milestones, scripts: &self.scripts };
        let (now, just_reached) = (self.queue.now(), self.milestones.reached());
        let all = self
            .occasions
            .observe(now, just_reached, |occasion, reached| binding.is_meant(occasion, reached));
        for (then, reached) in all {
            match then {
                Then::Apply(number) => begun.rules.push((number, reached)),
                Then::Strike(_) | Then::Begin(_) | Then::Aim(_) | Then::End(_) => {
                    begun.turns.push(Turn::Begin(then, Box::new(reached)));
                }
            }
        }
        begun
    }

    /// Something begins that has waited for what was reached.
    pub(super) fn begin(&mut self, then: Then, reached: &Reached<S>) {
        match then {
            Then::Strike(number) => {
                self.inject(|inject, scene| inject.strike_at(number, reached, scene));
            }
            Then::Begin(number) => self.begin_script(number, reached),
            Then::Apply(number) => self.begin_rule(number, reached),
            Then::End(number) => {
                let until = self.scenario.faults[number].until.as_ref();
                let after = until.map_or(Span::ZERO, |until| until.after);
                self.inject(|inject, scene| inject.end(number, after, scene.now));
            }
            Then::Aim(number) => {
                let before = self.recording.as_ref().map_or(0, |recording| recording.faults.len());
                let has_struck =
                    self.inject(|inject, scene| inject.strike_aimed(number, reached, scene));
                if let Some(recording) = &mut self.recording {
                    let moment = (reached.milestone, self.milestones.count(reached.milestone));
                    let just_struck = recording.faults[before..].iter_mut();
                    just_struck.for_each(|fault| fault.moment = Some(moment));
                }
                if has_struck {
                    self.occasions.remove(then);
                }
            }
        }
    }

    fn begin_script(&mut self, number: usize, reached: &Reached<S>) {
        let (world, model) = (&self.world, self.oracle.model());
        let binding =
            Binding { world, model, milestones: &self.milestones, scripts: &self.scripts };
        let script = &self.scenario.script[number];
        let bind = |target| binding.machine(target, Some(reached));
        let client = bind(script.client);
        let first = script.steps.iter().map(|step| step.first.and_then(bind)).collect();
        let begins = self.queue.now() + after(&script.begins);
        for (later, due) in self.scripts.begin(number, client, first) {
            self.queue.put(begins + later, due);
        }
    }

    /// A rule has waited for what was reached: it applies at once or some time after.
    pub(super) fn begin_rule(&mut self, number: usize, reached: &Reached<S>) {
        let (world, model) = (&self.world, self.oracle.model());
        let binding =
            Binding { world, model, milestones: &self.milestones, scripts: &self.scripts };
        if !self.rules.bind(number, reached, binding) {
            return;
        }
        match self.scenario.messages[number].begins.as_ref().map_or(Span::ZERO, after) {
            Span::ZERO => self.apply_rule(number),
            after => self.queue.put(self.queue.now() + after, Due::Apply(number)),
        }
    }

    /// A rule applies from now on.
    pub(super) fn apply_rule(&mut self, number: usize) {
        self.rules.begin(number);
        if let Some(lasts) = self.scenario.messages[number].lasts {
            self.queue.put(self.queue.now() + lasts, Due::Unapply(number));
        }
    }
}

/// How long after its milestone something begins.
fn after<S: UnderTest>(begins: &Trigger<S>) -> Span {
    begins.occasion().map_or(Span::ZERO, |occasion| occasion.after)
}
