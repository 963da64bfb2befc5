//! The end of a search: the smallest scenario as a file that says what it is about.

use super::{Shrinking, Shrunk, passes};
use crate::name::Name as _;
use crate::quiet_panics::quietly;
use crate::report::{self, ActInWords, Watched};
use crate::scenario::{Scenario, written};
use crate::under_test::UnderTest;

/// How many seeds, from 0, must fail in the same way for a scenario to need no seed.
const ANY_SEEDS: u64 = 8;

impl<S: UnderTest> Shrinking<S> {
    /// The smallest scenario so far, as a file.
    pub fn finish(mut self) -> Shrunk {
        self.drop_what_may_be_drawn();
        self.finished()
    }

    /// What takes the place of a draw goes where whatever is drawn will do.
    fn drop_what_may_be_drawn(&mut self) {
        for way in self.best.ways() {
            if passes::takes_the_place_of_a_draw(&way) {
                let without = self.best.without_key(&way);
                if self.fails_with(0..ANY_SEEDS, &without) {
                    self.best = without;
                }
            }
        }
    }

    fn finished(self) -> Shrunk {
        let passes_without_defects = self.passes_without_defects();
        let needs_no_seed = self.fails_with(0..ANY_SEEDS, &self.best);
        let (size, runs) = (self.size(), self.runs);
        Shrunk { file: self.file(needs_no_seed), size, runs, needs_no_seed, passes_without_defects }
    }

    fn file(self, needs_no_seed: bool) -> String {
        let Shrinking { name, seed, defect, mut best, .. } = self;
        let start = if needs_no_seed { 0 } else { seed };
        let first = i64::try_from(start).expect("looked at first");
        let seeds = written::keys([("start", first.into()), ("count", 1.into())]);
        best.put_first("seeds", seeds.into());
        best.put_last("expect");
        let with = defect.map_or(String::new(), |it| format!(", with the defect {}", it.name()));
        let scenario = Scenario::<S>::parse(&name, &best.text()).expect("it was run");
        let (title, facts) = told(&scenario, &quietly(|| Watched::of(&scenario, start)).0);
        let about = format!("Shrunk from {name}, seed {seed}{with}.\n{facts}");
        best.put_first("about", about.into());
        best.put_first("title", title.into());
        best.file()
    }
}

/// How a run has ended, as a title and as lines for its file.
fn told<S: UnderTest>(scenario: &Scenario<S>, watched: &Watched<S>) -> (String, String) {
    let verdict = &watched.run.verdict;
    let Some(violation) = verdict.violation() else {
        return (verdict.name().to_owned(), format!("{verdict}\n"));
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
    let explained = report::explained(scenario, watched);
    if let Some(explained) = &explained {
        let heading = explained.left_out.as_ref().map_or_else(
            || "The defect acts in".to_owned(),
            |left_out| format!("Without {left_out} the run passes; it goes another way from"),
        );
        for ActInWords { step, event, with, without, .. } in &explained.acts {
            let event = event.as_ref().map_or(String::new(), |event| format!(" ({event})"));
            let said = |only: &Option<String>| only.clone().unwrap_or("nothing more".to_owned());
            lines.push(format!("{heading} step {step}{event}: {}.", said(with)));
            lines.push(format!("Without it: {}.", said(without)));
        }
    }
    (now.is.replace('\n', " "), lines.join("\n") + "\n")
}
