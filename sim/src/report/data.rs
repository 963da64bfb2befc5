//! What an explanation says, as data for other tools: `run --json` prints it.

use serde::Serialize;

use super::compose::compose;
use super::difference::{Difference, difference};
use super::history::History;
use super::rows::{Row, rows};
use super::story::Story;
use super::watched::Watched;
use crate::draw::swarm;
use crate::name::Name as _;
use crate::oracle::Evidence;
use crate::scenario::Scenario;
use crate::under_test::UnderTest;
use crate::verdict::Verdict;

/// An explanation of a violation, or of the waits of a blocked run.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// What the scenario is about.
    about: String,
    /// The defects that are on, by name.
    defects: Vec<&'static str>,
    /// The settings that matter, in words.
    settings: Vec<String>,
    /// The two facts that contradict each other, the earlier first; none if the run is blocked.
    facts: Vec<Fact>,
    /// What comes of such a violation, in a sentence.
    danger: Option<&'static str>,
    /// The invariant that is broken, in a sentence, and its source.
    rule: Option<&'static str>,
    source: Option<&'static str>,
    /// Where a defect acts: the first such step, and the last.
    pub acts: Vec<ActInWords>,
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

/// The explanation of a run as data; `None` where nothing was violated and nothing waits.
pub fn explained<S: UnderTest>(scenario: &Scenario<S>, watched: &Watched<S>) -> Option<Explained> {
    let Watched { run, history, acts, .. } = watched;
    let scenario = &*swarm::for_seed(scenario, run.seed);
    let mut explained = Explained {
        about: scenario.about.clone(),
        defects: scenario.defects.iter().map(|defect| defect.name()).collect(),
        settings: Vec::new(),
        facts: Vec::new(),
        danger: None,
        rule: None,
        source: None,
        acts: Vec::new(),
        steps: Vec::new(),
        waits: Vec::new(),
    };
    match &run.verdict {
        Verdict::Violation(violation) | Verdict::Starved(violation) => {
            let breach = &violation.breach;
            let story = compose(breach, history, acts);
            let fact = |it: &Evidence<S>| Fact { step: it.step, is: it.is.clone() };
            let rule = violation.invariant;
            explained.settings = S::settings_that_matter(&scenario.config, &story.named);
            explained.facts = vec![fact(&breach.earlier), fact(&breach.now)];
            explained.danger = Some(rule.why()).filter(|why| !why.is_empty());
            (explained.rule, explained.source) = (Some(rule.summary()), Some(rule.source()));
            explained.acts =
                acts.iter().filter_map(|it| act(scenario, history, &story, it)).collect();
            let rows = rows(&scenario.config, history, &story, false);
            explained.steps = rows.iter().map(|row| step(history, &story, row)).collect();
        }
        Verdict::Blocked(waits) => {
            explained.waits = waits
                .iter()
                .map(|wait| Wait {
                    machine: wait.machine.to_string(),
                    waits_for: wait.for_what.clone(),
                    since_ns: wait.since.as_nanos(),
                    released_by: wait.released_by.clone(),
                })
                .collect();
        }
        _ => return None, // the line about the verdict says all
    }
    Some(explained)
}

fn act<S: UnderTest>(
    scenario: &Scenario<S>,
    history: &History<S>,
    story: &Story<S>,
    act: &super::Act<S>,
) -> Option<ActInWords> {
    let with = history.step(act.step)?;
    let Difference { event, only: [with, without] } =
        difference(&scenario.config, with, act, &story.named);
    Some(ActInWords { step: act.step, event, with, without, is_parting: act.is_parting })
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
