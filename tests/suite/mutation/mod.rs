//! Mistakes, each made once in a run in which everything is right.
//!
//! A healthy run is written down and shown to a new oracle step by step, with one step told
//! otherwise than it was: as it would have been with the mistake. Where what is wrong is in what a
//! user asks for, the run is made anew with that. The mistakes stand in `tests/mutations/*.toml`,
//! by area; `every_name_is_shown.rs` holds them against the invariants that no scenario file shows
//! to fail. A mistake that those files cannot express is a function of [`by_hand`].

mod altered_replay;
mod by_hand;
mod field_path;
mod thing_in_step;
mod toml_cases;

use std::path::PathBuf;

use seedbed::proto::Request;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Step;
use seedbed_sim::file_service::oracle::{Model, Violation};

use altered_replay::{Recording, Shown, Told, violation_of};
use thing_in_step::Thing;

pub use toml_cases::all;

/// A mistake and the invariant that sees it.
pub struct Mutation {
    /// The name of the invariant.
    pub violates: String,
    /// What goes wrong, in one line.
    pub mistake: String,
    /// The healthy run, as a scenario file.
    run: PathBuf,
    /// What is made of it.
    change: Change,
}

/// What is made of a healthy run.
enum Change {
    /// A thing is left out of the first step in which it is, together with another if one is named.
    Drop(Thing, Option<Thing>),
    /// A thing happens twice.
    Repeat(Thing),
    /// Fields of a thing are set.
    Set(Thing, toml::Table),
    /// The run is over after the step in which a thing is, whatever was still to come.
    EndAfter(Thing),
    /// The oracle is told otherwise of the first step for which this says that it was.
    Step(fn(&Model, &mut Shown<'_>) -> bool),
    /// The last user in the script asks for something else.
    Request(fn(&mut Request)),
}

impl Mutation {
    /// What the oracle says of the healthy run.
    ///
    /// # Panics
    /// If the run does not pass by itself.
    pub fn unaltered(&self) -> Result<(), Violation> {
        Recording::of(&self.scenario()).judge(|_, _| Told::AsItWas)
    }

    /// What it says with the mistake in it.
    ///
    /// # Panics
    /// If there was no occasion for the mistake.
    pub fn altered(&self) -> Result<(), Violation> {
        let mut scenario = self.scenario();
        if let Change::Request(alter) = self.change {
            let script = scenario.script.last_mut().expect("a script");
            alter(&mut script.steps.last_mut().expect("a step").request);
            return violation_of(&scenario);
        }
        let (mut is_made, mut seen) = (false, 0);
        let verdict = Recording::of(&scenario).judge(|model, shown| {
            let told = self.tell(model, shown, &mut seen);
            is_made |= !matches!(told, Told::AsItWas);
            told
        });
        assert!(is_made, "{}: {}: the run gives no occasion for it", self.violates, self.mistake);
        verdict
    }

    /// Makes the mistake if the step gives occasion for it; `seen` counts the steps that do.
    fn tell(&self, model: &Model, shown: &mut Shown<'_>, seen: &mut usize) -> Told {
        let step = &mut shown.step;
        let is_made = match &self.change {
            Change::Drop(thing, beside) => {
                let is_beside = |step: &Step| beside.as_ref().is_none_or(|other| other.is_in(step));
                is_beside(step) && thing.nth_in(step, seen) && thing.drop_from(step)
            }
            Change::Repeat(thing) => thing.nth_in(step, seen) && thing.repeat_in(step),
            Change::Set(thing, fields) => thing.nth_in(step, seen) && thing.set_in(step, fields),
            Change::EndAfter(thing) => {
                return if thing.nth_in(step, seen) { Told::AsTheLast } else { Told::AsItWas };
            }
            Change::Step(alter) => alter(model, shown),
            Change::Request(_) => false,
        };
        if is_made { Told::Otherwise } else { Told::AsItWas }
    }

    fn scenario(&self) -> Scenario {
        Scenario::load(&self.run).unwrap_or_else(|error| panic!("{error}"))
    }
}
