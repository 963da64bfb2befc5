//! What an explanation says, as data for other tools: `run --json` prints it.

use serde::Serialize;

#[cfg(feature = "madsim")]
use super::before::Before;
use super::compose::compose;
use super::difference::{Difference, difference, later};
use super::facts::Facts;
use super::harm::Harm;
use super::history::History;
use super::rows::{Row, rows};
use super::story::Story;
use super::watched::Watched;
use crate::draw::swarm;
use crate::name::Name as _;
use crate::oracle::{Breach, Violation, blocked};
use crate::scenario::Scenario;
use crate::subject::Subjects;
use crate::under_test::UnderTest;
use crate::verdict::Verdict;

/// An explanation of a run that did not pass.
#[derive(Debug, Default, Serialize)]
pub struct Explained {
    /// What the scenario is about.
    about: String,
    /// The defects that are on, by name.
    defects: Vec<&'static str>,
    /// The settings that matter, in words.
    settings: Vec<String>,
    /// Of a violation the two facts that contradict each other, the earlier first.
    facts: Vec<Fact>,
    /// What comes of such a violation, in a sentence.
    danger: Option<&'static str>,
    /// What harm comes of it, if it is a danger only and harm is found.
    harm: Option<HarmInWords>,
    /// The invariant that is broken, in a sentence, and its source.
    rule: Option<&'static str>,
    source: Option<&'static str>,
    /// What the nearest run that passes has less, where no defect is on and one is found.
    pub left_out: Option<String>,
    /// Where a defect acts: the first such step, and the last; else where the nearest run that
    /// passes parts from this one.
    pub acts: Vec<ActInWords>,
    /// What machines hold when the steps begin.
    before: Option<Held>,
    /// All steps that led to it, in order; those that say the same are one.
    steps: Vec<Step>,
    /// What machines and users wait for.
    waits: Vec<Wait>,
}

/// A fact.
#[derive(Debug, Serialize)]
struct Fact {
    step: u64,
    is: String,
}

/// Where another invariant breaks after the violation, and with what beside.
#[derive(Debug, Serialize)]
struct HarmInWords {
    /// What happens just after the violation.
    with: String,
    invariant: &'static str,
    /// When it breaks, in true time.
    at_ns: u64,
    /// The two facts, the earlier first.
    facts: [String; 2],
}

/// What machines hold before a step.
#[derive(Debug, Serialize)]
struct Held {
    step: u64,
    machines: Vec<Holding>,
}

/// What some machines hold, each of them.
#[derive(Debug, Serialize)]
struct Holding {
    machines: Vec<String>,
    holds: Vec<String>,
}

/// A step in which a defect acts.
#[derive(Debug, Serialize)]
pub struct ActInWords {
    /// Its number.
    pub step: u64,
    /// What happens in it, with the defect and without; null if even that is not the same.
    pub event: Option<String>,
    /// What is so with the defect only; null if nothing is.
    pub with: Option<String>,
    /// What is so without it only; null if nothing is.
    pub without: Option<String>,
    /// What its machine holds before it of what the step is about.
    before: Option<Held>,
    /// When the run without the defect sends what is sent here, and the last of what led to that.
    pub later: Option<String>,
    /// Is it where the two runs part? Else the same machine would do something else in this step.
    pub is_parting: bool,
}

/// A step of the story, or several that say the same.
#[derive(Debug, Serialize)]
struct Step {
    step: u64,
    /// True time, in nanoseconds.
    at_ns: u64,
    /// Where it happens; null if between machines.
    machine: Option<String>,
    says: String,
    /// How many steps say the same, and the last of them.
    times: usize,
    last: u64,
    is_fact: bool,
    is_act: bool,
}

/// Something that is waited for.
#[derive(Debug, Serialize)]
struct Wait {
    machine: String,
    waits_for: String,
    since_ns: u64,
    released_by: String,
}

/// The explanation of a run as data; `None` if it passed.
pub fn explained<S: UnderTest>(scenario: &Scenario<S>, watched: &Watched<S>) -> Option<Explained> {
    let Watched { run, history, one_less, .. } = watched;
    let scenario = &*swarm::for_seed(scenario, run.seed);
    let differing = watched.differing();
    let mut explained = Explained {
        about: scenario.about.clone(),
        defects: scenario.defects.iter().map(|defect| defect.name()).collect(),
        left_out: one_less.as_ref().map(|one_less| one_less.left_out.clone()),
        ..Explained::default()
    };
    match &run.verdict {
        Verdict::Pass => return None,
        Verdict::Violation(violation) | Verdict::Starved(violation) => {
            let rule = violation.invariant;
            explained.facts = facts(violation).into();
            explained.harm = watched.harm.as_ref().map(|Harm { with, at, violation }| {
                let invariant = violation.invariant.name();
                let facts = facts(violation).map(|fact| fact.is);
                HarmInWords { with: with.clone(), invariant, at_ns: at.as_nanos(), facts }
            });
            explained.danger = Some(rule.why()).filter(|why| !why.is_empty());
            (explained.rule, explained.source) = (Some(rule.summary()), Some(rule.source()));
        }
        Verdict::Blocked(waits) => explained.waits = waits.iter().map(wait).collect(),
        // The line about the verdict says it.
        Verdict::Spinning(_) | Verdict::Unexpected(_) => {}
        Verdict::RuledOut { .. } | Verdict::Panic(_) => {}
    }
    let mut about = Subjects::default();
    if let Some(facts) = Facts::of(&run.verdict, history) {
        let story = compose(&facts, history, &differing);
        let rows = rows(&scenario.config, history, &story, false);
        explained.steps = rows.iter().map(|row| step(history, &story, row)).collect();
        #[cfg(feature = "madsim")]
        {
            let before = explained
                .steps
                .first()
                .and_then(|first| Before::of(scenario, run.seed, first.step, &story.named, &[]));
            explained.before = before.as_ref().map(held);
        }
        about = story.named;
    }
    explained.settings = S::settings_that_matter(&scenario.config, &about);
    explained.acts = differing.iter().filter_map(|it| act(scenario, watched, &about, it)).collect();
    #[cfg(feature = "madsim")]
    for told in &mut explained.acts {
        let act = differing.iter().find(|act| act.step == told.step);
        let before = act.and_then(|act| Before::of_act(scenario, watched, act, &about));
        told.before = before.as_ref().map(held);
    }
    Some(explained)
}

fn facts<S: UnderTest>(violation: &Violation<S>) -> [Fact; 2] {
    let Breach { earlier, now } = &*violation.breach;
    [earlier, now].map(|it| Fact { step: it.step, is: it.is.clone() })
}

#[cfg(feature = "madsim")]
fn held(Before { step, holds }: &Before) -> Held {
    let machines = holds.iter().map(|(machines, holds)| Holding {
        machines: machines.iter().map(ToString::to_string).collect(),
        holds: holds.clone(),
    });
    Held { step: *step, machines: machines.collect() }
}

fn wait(wait: &blocked::Wait) -> Wait {
    Wait {
        machine: wait.machine.to_string(),
        waits_for: wait.for_what.clone(),
        since_ns: wait.since.as_nanos(),
        released_by: wait.released_by.clone(),
    }
}

fn act<S: UnderTest>(
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    about: &Subjects<S::Subject>,
    act: &super::Act<S>,
) -> Option<ActInWords> {
    let with = watched.history.step(act.step)?;
    let Difference { event, only: [with, without] } =
        difference(&scenario.config, with, act, about);
    let later = later(&scenario.config, act, about);
    let (step, is_parting) = (act.step, act.is_parting);
    Some(ActInWords { step, event, with, without, before: None, later, is_parting })
}

fn step<S: UnderTest>(history: &History<S>, story: &Story<S>, row: &Row) -> Step {
    let of_row = history.at(row.place);
    Step {
        step: of_row.index,
        at_ns: of_row.at.as_nanos(),
        machine: of_row.place().map(|node| node.to_string()),
        says: row.words.join("; "),
        times: row.places.len(),
        last: row.last,
        is_fact: story.facts.contains(&row.place),
        is_act: story.acts.contains(&row.place),
    }
}
