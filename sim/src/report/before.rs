//! What machines hold of the things that a story is about: all when it begins, and one before it
//! goes another way than in a run beside.

use seedbed::machine::{Incarnation, NodeId};

use super::act::Act;
use super::chart::{Chart, Drawn};
use super::history::History;
use super::page::Page;
use super::watched::Watched;
use crate::run;
use crate::scenario::Scenario;
use crate::subject::{self, Standing, Subject as _, Subjects};
use crate::text::Thousands;
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::world::World;

/// The most lines for what machines hold.
const LINES: usize = 3;

/// What machines hold.
#[derive(Clone, Debug)]
pub(super) struct Before {
    /// The step before which they do.
    pub step: u64,
    /// What, in words, and by which machines.
    pub holds: Vec<(Vec<NodeId>, Vec<String>)>,
}

impl Before {
    /// What `machines` hold of the objects among `about` before `step`, all if none is named;
    /// `None` if that is nothing.
    pub fn of<S: UnderTest>(
        scenario: &Scenario<S>,
        seed: u64,
        step: u64,
        about: &Subjects<S::Subject>,
        machines: &[NodeId],
    ) -> Option<Before> {
        let is_told = |it: Standing| it == Standing::Object;
        let look = Look { about, is_told, machines, of_act: false };
        look.before(scenario, seed, step)
    }

    /// What the machine of `act` holds before it of what the step is about, here or in the other
    /// run, and of what is among `about`; `None` if that is nothing.
    pub fn of_act<S: UnderTest>(
        scenario: &Scenario<S>,
        Watched { history, run, .. }: &Watched<S>,
        act: &Act<S>,
        about: &Subjects<S::Subject>,
    ) -> Option<Before> {
        let step = history.step(act.step)?;
        let machines = [step.place()?];
        let mut all = about.clone();
        for step in [step].into_iter().chain(&act.without) {
            all.extend(subject::of_step(step).iter().cloned());
        }
        add_objects(&mut all, history);
        let is_told = |it: Standing| !matches!(it, Standing::Upkeep | Standing::Machine);
        let look = Look { about: &all, is_told, machines: &machines, of_act: true };
        look.before(scenario, run.seed, step.index)
    }

    /// What is held, and by which machines.
    pub fn in_words(&self) -> String {
        let held = self.holds.iter().map(|(nodes, held)| {
            let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            format!("{}: {}", nodes.join(" "), held.join("; "))
        });
        let held: Vec<String> = held.collect();
        held.join(" | ")
    }
}

/// What is looked for.
struct Look<'a, S: UnderTest> {
    about: &'a Subjects<S::Subject>,
    /// Which of that is told.
    is_told: fn(Standing) -> bool,
    /// At which machines; at all if none is named.
    machines: &'a [NodeId],
    /// Is it told of one machine that acts? Then what is volatile comes first, and a life is told
    /// that is not its first.
    of_act: bool,
}

impl<S: UnderTest> Look<'_, S> {
    fn before(&self, scenario: &Scenario<S>, seed: u64, step: u64) -> Option<Before> {
        let look = |world: &World<S>| self.holds(world);
        let holds = run::up_to(scenario, seed, step.checked_sub(1)?, look).ok()?;
        (!holds.is_empty()).then_some(Before { step, holds })
    }

    fn holds(&self, world: &World<S>) -> Vec<(Vec<NodeId>, Vec<String>)> {
        let known = S::known(world.config(), self.about);
        let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
        let told = self.about.iter().filter(|it| (self.is_told)(it.standing()));
        let names: Vec<String> = told.map(ToString::to_string).collect();
        let is_asked = |it: &NodeId| self.machines.is_empty() || self.machines.contains(it);
        let mut all: Vec<(Vec<NodeId>, Vec<String>)> = Vec::new();
        for node in world.machines().filter(is_asked) {
            let host = world.host(node);
            let Some(machine) = host.process() else { continue };
            let mut held = S::state(machine, detail);
            held.retain(|line| names.iter().any(|name| names_it(line, name)));
            if self.of_act {
                held.reverse();
            }
            if self.of_act && host.incarnation() > Incarnation(1) {
                held.insert(0, format!("this is its life {}", host.incarnation()));
            }
            match all.iter_mut().find(|(_, same)| *same == held) {
                _ if held.is_empty() => {} // nothing of it
                Some((nodes, _)) => nodes.push(node),
                None => all.push((vec![node], held)),
            }
        }
        all
    }
}

/// Adds to `about` the objects of the requests among it, and of what is done for them.
fn add_objects<S: UnderTest>(about: &mut Subjects<S::Subject>, history: &History<S>) {
    let mut deeds = about.clone();
    deeds.retain(|subject| subject.standing().is_deed());
    let of_deeds = history.steps().map(subject::of_step).filter(|it| it.meet(&deeds));
    for of_deed in of_deeds {
        let is_object = |subject: &&S::Subject| subject.standing() == Standing::Object;
        about.extend(of_deed.iter().filter(is_object).cloned());
    }
}

/// Does `line` say `name` as a word?
fn names_it(line: &str, name: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || ",;:()".contains(c);
    line.split(ends).any(|word| word == name)
}

/// Says what machines hold before a chart, and draws the chart on the lines that are left; `None`
/// if they hold nothing.
pub(super) fn told<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    about: &Subjects<S::Subject>,
    chart: &Chart<'_, S>,
    room: usize,
) -> Option<Drawn> {
    let mut known: Option<((u64, Vec<NodeId>), Before)> = None;
    for lines in 1..=LINES {
        let drawn = chart.draw(room.saturating_sub(lines));
        let at = (watched.history.at(drawn.first?).index, drawn.machines.clone());
        if known.as_ref().is_none_or(|(known, _)| *known != at) {
            let before = Before::of(scenario, watched.run.seed, at.0, about, &at.1)?;
            known = Some((at, before));
        }
        let mut said = Page::new(page.layout);
        let before = &known.as_ref()?.1;
        let words = format!("step {}: {}", Thousands(before.step), before.in_words());
        said.named("before", &words, LINES);
        if said.lines.len() <= lines || lines == LINES {
            page.lines.extend(said.lines);
            return Some(drawn);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::names_it;

    #[test]
    fn a_name_is_a_word_of_its_own() {
        assert!(names_it("stored /a v1 \"x\"", "/a") && names_it("pins (/b, /a)", "/a"));
        assert!(!names_it("stored /ab v1", "/a") && !names_it("c1.1#12 waits", "c1.1#1"));
    }
}
