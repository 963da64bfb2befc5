//! The oracle: watches every step from outside and says when a promise is broken.
//!
//! It judges durable records, messages on the wire, the state of machines and what clients answer,
//! kept in a ground-truth [`Model`] of the system under test; it never believes a machine's summary
//! of itself. Each [`Invariant`] sees only what the step touched and what it has said that it wants
//! to see ([`SeenKinds`]), so that the cost of a step grows neither with the cluster nor with the
//! run.

#![deny(clippy::disallowed_types, clippy::disallowed_methods)]

pub mod blocked;
mod evidence;
mod interested;
mod invariants;
pub mod milestones;
mod per_node;
mod seen;
mod seen_kinds;
mod told;

use std::fmt;

use seedbed::machine::Time;

use crate::invariant::{General, InvariantName};
use crate::under_test::UnderTest;
use crate::world::{Step, World};

pub use evidence::{At, Breach, Evidence};
pub use invariants::{MessagesAreConserved, TimeNeverGoesBack};
pub use per_node::PerNode;
pub use seen::{Seen, seen};
pub use seen_kinds::SeenKinds;
pub use told::Told;

use interested::Interested;

/// What has happened so far in a run of `S`, as far as the outside can tell: everything that the
/// invariants share.
pub trait Model<S: UnderTest>: fmt::Debug {
    /// A step begins.
    fn on_step(&mut self, _step: u64, _now: Time) {}

    /// Takes over what was seen in a step, after which `world` is as it is.
    fn update(&mut self, seen: &Seen<'_, S>, world: &World<S>);

    /// Takes over what the simulation knows and no step shows.
    fn on_told(&mut self, _told: Told<S>) {}
}

/// The moment in which an invariant judges: the step, and what is so after it.
pub struct Moment<'a, S: UnderTest> {
    /// The step under way; at the end of a run its last.
    pub step: u64,
    /// True time.
    pub now: Time,
    /// What has happened so far.
    pub model: &'a S::Model,
    /// The world as it is.
    pub world: &'a World<S>,
}

/// A rule that must hold after every step.
pub trait Invariant<S: UnderTest> {
    /// What it looks at. The narrower, the less a step costs.
    fn interest(&self) -> SeenKinds {
        SeenKinds::ALL
    }

    /// Looks at one thing that happened; the model has taken it over already.
    ///
    /// # Errors
    /// The two facts that contradict each other.
    fn see(&mut self, seen: &Seen<'_, S>, moment: &Moment<'_, S>) -> Result<(), Breach<S>>;

    /// Looks at the end of a run, when all faults are over and everything had its time.
    ///
    /// # Errors
    /// The two facts that contradict each other.
    fn at_end(&mut self, _moment: &Moment<'_, S>) -> Result<(), Breach<S>> {
        Ok(())
    }
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation<S: UnderTest> {
    /// Which.
    pub invariant: InvariantName<S>,
    /// The first bad step; at the end of a run its last.
    pub step: u64,
    /// How. Every step has a result that may be a violation, so what is seldom there is behind a
    /// box.
    pub breach: Box<Breach<S>>,
}

/// Everything that watches one run.
pub struct Oracle<S: UnderTest> {
    step: u64,
    now: Time,
    model: S::Model,
    invariants: Vec<(InvariantName<S>, Box<dyn Invariant<S>>)>,
    interested: Interested,
}

impl<S: UnderTest> Oracle<S> {
    /// An oracle with every invariant that has something to look at, for a run that starts with
    /// `world`.
    pub fn new(world: &World<S>, workload: Option<&S::Workload>) -> Oracle<S> {
        Oracle::forgiving(&[], world, workload)
    }

    /// The same but for some invariants, which may be broken.
    pub fn forgiving(
        forgiven: &[InvariantName<S>],
        world: &World<S>,
        workload: Option<&S::Workload>,
    ) -> Oracle<S> {
        let others = InvariantName::all().filter(|name| !forgiven.contains(name));
        let make = |name: InvariantName<S>| Some((name, checker(name, world, workload)?));
        Oracle::of(world, others.filter_map(make).collect())
    }

    /// An oracle that judges by these invariants.
    pub fn of(
        world: &World<S>,
        invariants: Vec<(InvariantName<S>, Box<dyn Invariant<S>>)>,
    ) -> Oracle<S> {
        let kinds = invariants.iter().map(|(_, invariant)| invariant.interest());
        let interested = Interested::of::<S>(kinds);
        let model = S::model(world.config());
        Oracle { step: 0, now: Time::ZERO, model, invariants, interested }
    }

    /// How many invariants watch.
    pub fn invariants(&self) -> usize {
        self.invariants.len()
    }

    /// Takes over what happened in `step`, after which `world` is as it is, and judges it.
    ///
    /// # Errors
    /// The first invariant that is broken, in the order of the names.
    pub fn observe(&mut self, world: &World<S>, step: &Step<S>) -> Result<(), Violation<S>> {
        self.begin(step.index, step.at);
        seen(step).try_for_each(|seen| self.see(&seen, world))
    }

    /// A step begins.
    pub(crate) fn begin(&mut self, step: u64, now: Time) {
        (self.step, self.now) = (step, now);
        self.model.on_step(step, now);
    }

    /// Takes over what the simulation knows and no step shows.
    pub fn tell(&mut self, told: Told<S>) {
        self.model.on_told(told);
    }

    /// Judges the end of a run. It may go on after that, and end again.
    ///
    /// # Errors
    /// The first invariant that is broken, in the order of the names.
    pub fn at_end(&mut self, world: &World<S>) -> Result<(), Violation<S>> {
        let moment = Moment { step: self.step, now: self.now, model: &self.model, world };
        for (name, invariant) in &mut self.invariants {
            if let Err(breach) = invariant.at_end(&moment) {
                return Err(violation(*name, self.step, breach));
            }
        }
        Ok(())
    }

    /// What has happened so far.
    pub fn model(&self) -> &S::Model {
        &self.model
    }

    /// The same, to be told what no run has shown.
    #[cfg(all(test, feature = "file-service"))]
    pub(crate) fn model_mut(&mut self) -> &mut S::Model {
        &mut self.model
    }

    /// The step under way.
    pub fn step(&self) -> u64 {
        self.step
    }

    /// True time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Takes over one thing of the step under way, and judges it.
    pub(crate) fn see(&mut self, seen: &Seen<'_, S>, world: &World<S>) -> Result<(), Violation<S>> {
        self.take_over(seen, world);
        let moment = Moment { step: self.step, now: self.now, model: &self.model, world };
        for &number in self.interested.in_this(seen) {
            let (name, invariant) = &mut self.invariants[usize::from(number)];
            if let Err(breach) = invariant.see(seen, &moment) {
                return Err(violation(*name, self.step, breach));
            }
        }
        Ok(())
    }

    /// Takes over one thing of the step under way.
    pub(crate) fn take_over(&mut self, seen: &Seen<'_, S>, world: &World<S>) {
        self.model.update(seen, world);
    }
}

/// The checker of an invariant; `None` where it has nothing to look at.
fn checker<S: UnderTest>(
    name: InvariantName<S>,
    world: &World<S>,
    workload: Option<&S::Workload>,
) -> Option<Box<dyn Invariant<S>>> {
    match name {
        InvariantName::General(General::TimeNeverGoesBack) => {
            Some(Box::new(TimeNeverGoesBack::default()))
        }
        InvariantName::General(General::MessagesAreConserved) => {
            Some(Box::new(MessagesAreConserved::default()))
        }
        InvariantName::System(name) => S::invariant(name, world, workload),
    }
}

impl<S: UnderTest> fmt::Debug for Oracle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.invariants.iter().map(|(name, _)| name.name()).collect();
        f.debug_struct("Oracle").field("model", &self.model).field("invariants", &names).finish()
    }
}

fn violation<S: UnderTest>(
    invariant: InvariantName<S>,
    step: u64,
    breach: Breach<S>,
) -> Violation<S> {
    let (earlier, now) = (breach.earlier.step, breach.now.step);
    assert!(
        earlier <= now && now <= step,
        "{invariant} names steps {earlier} and {now} in step {step}: expected one that was, and \
         one that follows from it"
    );
    let step = now;
    Violation { invariant, step, breach: Box::new(breach) }
}
