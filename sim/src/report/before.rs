//! What machines hold of the things that a story is about, when it begins.

use seedbed::machine::NodeId;

use super::chart::{Chart, Drawn};
use super::page::Page;
use super::watched::Watched;
use crate::run;
use crate::scenario::Scenario;
use crate::subject::{Standing, Subject as _, Subjects};
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
    /// What `machines` hold before `step`, all if none is named; `None` if that is nothing.
    pub fn of<S: UnderTest>(
        scenario: &Scenario<S>,
        seed: u64,
        step: u64,
        about: &Subjects<S::Subject>,
        machines: &[NodeId],
    ) -> Option<Before> {
        let look = |world: &World<S>| holds(world, about, machines);
        let holds = run::up_to(scenario, seed, step.checked_sub(1)?, look).ok()?;
        (!holds.is_empty()).then_some(Before { step, holds })
    }

    fn in_words(&self) -> String {
        let held = self.holds.iter().map(|(nodes, held)| {
            let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
            format!("{}: {}", nodes.join(" "), held.join(", "))
        });
        let held: Vec<String> = held.collect();
        format!("step {}: {}", Thousands(self.step), held.join("; "))
    }
}

fn holds<S: UnderTest>(
    world: &World<S>,
    about: &Subjects<S::Subject>,
    machines: &[NodeId],
) -> Vec<(Vec<NodeId>, Vec<String>)> {
    let known = S::known(world.config(), about);
    let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
    let is_object = |it: &&S::Subject| it.standing() == Standing::Object;
    let names: Vec<String> = about.iter().filter(is_object).map(ToString::to_string).collect();
    let mut all: Vec<(Vec<NodeId>, Vec<String>)> = Vec::new();
    for node in world.machines().filter(|it| machines.is_empty() || machines.contains(it)) {
        let Some(machine) = world.host(node).process() else { continue };
        let mut held = S::state(machine, detail);
        held.retain(|line| names.iter().any(|name| names_it(line, name)));
        match all.iter_mut().find(|(_, same)| *same == held) {
            _ if held.is_empty() => {} // nothing of it
            Some((nodes, _)) => nodes.push(node),
            None => all.push((vec![node], held)),
        }
    }
    all
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
        said.named("before", &known.as_ref()?.1.in_words(), LINES);
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
