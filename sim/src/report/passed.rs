//! What a run has done that ended as a run does that goes well.

use super::listed::listed;
use super::page::{Page, paragraph};
use super::watched::Watched;
use crate::figures::Figures;
use crate::scenario::Scenario;
use crate::text::Thousands;
use crate::under_test::UnderTest;
use crate::verdict::{Effect, RunReport};

pub(super) fn passed<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    Watched { run, history, .. }: &Watched<S>,
) {
    if !scenario.about.is_empty() {
        page.gap();
        page.paragraph(&scenario.about, 0, 8);
    }
    page.gap();
    for Figures { name, counted } in S::figures(&scenario.config) {
        let figures = counted.iter();
        let figures = figures.map(|(of, it)| format!("{} {of}", Thousands(run.count(*it))));
        page.plain(format!("{name:<14}{}", figures.collect::<Vec<_>>().join(", ")));
    }
    const SHOWN: usize = 15;
    let reached = &scenario.expect.reached;
    for reach in reached.iter().take(SHOWN) {
        let count = match run.count(reach.milestone) {
            0 if reach.at_least == 0 => "never".to_owned(),
            0 => "not with this seed".to_owned(),
            1 => "once".to_owned(),
            count => format!("{} times", Thousands(count)),
        };
        let often = match reach.at_least {
            0 | 1 => String::new(),
            often => format!(" of {}", Thousands(often)),
        };
        let bound = reach.at_most.map(|most| format!(", at most {}", Thousands(most)));
        let bound = bound.unwrap_or_default();
        page.plain(format!("{:<14}`{}` {count}{often}{bound}", "reached", reach.milestone));
    }
    if let Some(more @ 1..) = reached.len().checked_sub(SHOWN) {
        page.plain(format!("{:<14}... {more} more that the file demands", ""));
    }
    for cell in scenario.expect.covered.iter().take(SHOWN) {
        let is_seen = if run.covered.contains(cell) { "" } else { " not with this seed" };
        page.plain(format!("{:<14}`{cell}`{is_seen}", "covered"));
    }
    if let Some(more @ 1..) = scenario.expect.covered.len().checked_sub(SHOWN) {
        page.plain(format!("{:<14}... {more} more that the file demands", ""));
    }
    if !run.given_up.is_empty() {
        let text = format!("given up with lost disks: {}", run.given_up.join(", "));
        for (i, line) in paragraph(&text, page.layout.width - 14, 4).into_iter().enumerate() {
            page.plain(format!("{:<14}{line}", if i == 0 { "lost" } else { "" }));
        }
    }
    if !run.fired.is_empty() {
        let fired = run.fired.iter().filter(|fired| fired.has_fired).count();
        let missing = not_struck(scenario, run);
        page.plain(format!("{:<14}{fired} of {} came about{missing}", "scripted", run.fired.len()));
    }
    listed(page, scenario, history);
}

/// The effects of the file that the run did not come to, if there are any.
fn not_struck<S: UnderTest>(scenario: &Scenario<S>, run: &RunReport<S>) -> String {
    let idle = Effect::all(scenario).zip(&run.fired).filter(|(_, fired)| !fired.has_fired);
    match idle.map(|(effect, _)| effect.key()).collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => none,
        some => format!(", not {some}"),
    }
}
