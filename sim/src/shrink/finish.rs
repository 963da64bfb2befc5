//! The end of a search: the smallest scenario as a file that says what it is about.

use super::draft::Draft;
use super::{Shrinking, Shrunk, passes};
use crate::name::Name as _;
use crate::report::{self, ActInWords, Explained, Watched};
use crate::scenario::{Scenario, written};
use crate::under_test::UnderTest;

/// How many seeds, from 0, must fail in the same way for a scenario to need no seed.
const ANY_SEEDS: u64 = 8;

impl<S: UnderTest> Shrinking<S> {
    /// The smallest scenario so far, as a file.
    pub fn finish(mut self) -> Shrunk {
        let needs_no_seed = self.any_seed_shows(&self.best);
        if needs_no_seed {
            self.drop_what_may_be_drawn();
        }
        let start = if needs_no_seed { 0 } else { self.seed };
        let passes_without_defects = self.passes_without_defects(start);
        let (size, runs) = (self.size(), self.runs);
        Shrunk { file: self.file(start), size, runs, needs_no_seed, passes_without_defects }
    }

    /// What takes the place of a draw goes where whatever is drawn will do.
    fn drop_what_may_be_drawn(&mut self) {
        for way in self.best.ways() {
            if passes::takes_the_place_of_a_draw(&way) {
                let without = self.best.without_key(&way);
                if self.any_seed_shows(&without) {
                    self.best = without;
                }
            }
        }
    }

    /// Does `draft` fail in the same way with whatever seed? Some are tried, and its own.
    fn any_seed_shows(&self, draft: &Draft) -> bool {
        self.fails_with((0..ANY_SEEDS).chain([self.seed]), draft)
    }

    fn file(self, start: u64) -> String {
        let Shrinking { name, seed, defect, mut best, .. } = self;
        let first = i64::try_from(start).expect("looked at first");
        let seeds = written::keys([("start", first.into()), ("count", 1.into())]);
        best.put_first("seeds", seeds.into());
        best.put_last("expect");
        let with = defect.map_or(String::new(), |it| format!(", with the defect {}", it.name()));
        let scenario = Scenario::<S>::parse(&name, &best.text()).expect("it was run");
        let (title, facts) = told(&scenario, &Watched::of(&scenario, start));
        let about = format!("Shrunk from {name}, seed {seed}{with}.\n{facts}");
        best.put_first("about", about.into());
        best.put_first("title", title.into());
        best.file()
    }
}

/// How a run has ended, as a title and as lines for its file.
fn told<S: UnderTest>(scenario: &Scenario<S>, watched: &Watched<S>) -> (String, String) {
    let verdict = &watched.run.verdict;
    let explained = report::explained(scenario, watched);
    let Some(violation) = verdict.violation() else {
        let lines = [verdict.to_string()].into_iter().chain(explained.iter().flat_map(differing));
        return (verdict.name().to_owned(), lines.collect::<Vec<_>>().join("\n") + "\n");
    };
    let (earlier, now) = (&violation.breach.earlier, &violation.breach.now);
    let rule = violation.invariant;
    let mut lines = vec![
        format!("Step {}: {}.", earlier.step, earlier.is),
        format!("Step {}: {}.", now.step, now.is),
        format!("The rule: {}.", rule.summary()),
    ];
    if !rule.why().is_empty() {
        lines.push(format!("Else {}.", rule.why()));
    }
    lines.extend(explained.iter().flat_map(differing));
    (now.is.replace('\n', " "), lines.join("\n") + "\n")
}

/// The steps in which another run goes another way, in words.
fn differing(explained: &Explained) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(left_out) = &explained.left_out {
        lines.push(format!("Without {left_out} the run passes."));
    }
    for ActInWords { step, event, with, without, is_parting, .. } in &explained.acts {
        let event = event.as_ref().map_or(String::new(), |event| format!(" ({event})"));
        let said = |only: &Option<String>| only.clone().unwrap_or("nothing more".to_owned());
        let heading = if *is_parting { "The two runs part in" } else { "The defect acts in" };
        lines.push(format!("{heading} step {step}{event}: {}.", said(with)));
        lines.push(format!("Without it: {}.", said(without)));
    }
    lines
}
