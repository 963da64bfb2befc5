//! The state after one step.

use std::collections::BTreeMap;

use super::*;

/// What a whole run shows after each of some steps.
struct Shown {
    wanted: Vec<u64>,
    shown: BTreeMap<u64, Vec<Line>>,
}

impl Watcher<FileService> for Shown {
    fn watch(&mut self, world: &World, step: &Step) {
        if self.wanted.contains(&step.index) {
            self.shown.insert(step.index, snapshot(world, &[], Layout::default()));
        }
    }
}

#[test]
fn the_state_after_a_step_is_that_of_the_whole_run() {
    let (scenario, run, _) = busy_run(1);
    let steps = (1..=100).map(|i: u64| 1 + (i * 7_919) % run.steps).collect();
    let mut whole = Shown { wanted: steps, shown: BTreeMap::new() };
    crate::run::run(&scenario, 1, &mut whole);
    assert!(whole.shown.len() > 90, "{} steps", whole.shown.len());
    for (step, shown) in whole.shown {
        let look = |world: &World| snapshot(world, &[], Layout::default());
        assert_eq!(crate::run::up_to(&scenario, 1, step, look), Ok(shown), "step {step}");
    }
}

#[test]
fn a_step_that_the_run_does_not_have_is_refused_with_how_many_it_has() {
    let (scenario, run, _) = busy_run(1);
    assert_eq!(crate::run::up_to(&scenario, 1, run.steps + 1, |_| ()), Err(run.steps));
    assert_eq!(crate::run::up_to(&scenario, 1, run.steps, |_| ()), Ok(()));
}

#[test]
fn a_snapshot_tells_what_is_held_durable_under_way_and_due() {
    let (scenario, ..) = busy_run(1);
    let mut texts = String::new();
    for step in [200, 400, 600] {
        let look = |world: &World| snapshot(world, &[n(1), NodeId::CONTROL], Layout::default());
        let lines = crate::run::up_to(&scenario, 1, step, look).unwrap();
        let named = |line: &&Line| line.text.contains("its clock shows");
        assert_eq!(lines.iter().filter(named).count(), 2, "{step}");
        lines.iter().for_each(|line| texts += &format!("{}\n", line.text));
    }
    for told in
        ["  log ", " of them durable", "  holds ", "stored /", "  wakes ", "In flight", " -> "]
    {
        assert!(texts.contains(told), "{told}\n{texts}");
    }
}
