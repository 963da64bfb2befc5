//! A run explains itself: how it ended and why, on one screen.
//!
//! A violation is told as the two facts that contradict each other, the step in which a defect
//! acts, a space-time chart of the steps that led from one to the other, the rule that was broken
//! and the line that replays it. The steps come from a second run of the same seed, with a
//! [`History`] watching: sweeps keep none.
//!
//! | file | what |
//! |---|---|
//! | `history` | the steps of the run |
//! | `facts` | what a verdict rests on |
//! | `acts`, `one_less`, `parting` | where a defect acts; the nearest run that passes; where two runs part |
//! | `story`, `compose`, `choice` | which steps are told; with `violation_subjects`, `origins`, `chain`, `heartbeats` |
//! | `before` | what machines hold when the story begins, and one before a defect acts |
//! | `later` | when a run without the defects sends what a defect sends too early |
//! | `harm` | what comes of a violation that is a danger only |
//! | `rows` | what is said of each; with `journeys`, the ways of messages |
//! | `chart` | the drawing; with `lifelines` |
//! | `violated`, `passed`, `stuck` | what is told for a verdict |

mod act;
#[cfg(feature = "madsim")]
mod acts;
#[cfg(feature = "madsim")]
mod before;
mod chain;
mod chart;
mod choice;
#[cfg(feature = "madsim")]
mod compare;
mod compose;
mod data;
mod difference;
mod facts;
mod harm;
mod heartbeats;
mod history;
mod journeys;
#[cfg(feature = "madsim")]
mod later;
mod layout;
mod lifelines;
mod listed;
mod one_less;
mod origins;
mod page;
#[cfg(feature = "madsim")]
mod parting;
mod passed;
mod rows;
mod snapshot;
mod story;
mod stuck;
#[cfg(all(test, feature = "file-service"))]
mod tests;
mod violated;
mod violation_subjects;
mod watched;

use crate::draw::swarm;
use crate::name::Name as _;
use crate::oracle::Violation;
use crate::scenario::{Expected, Scenario};
use crate::subject::Subjects;
use crate::text::{Nanoseconds, Thousands, quoted};
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};

use page::Page;
use passed::passed;

pub use act::Act;
#[cfg(feature = "madsim")]
pub use compare::compare;
pub use data::{ActInWords, Explained, explained};
pub use history::History;
pub use layout::Layout;
pub use one_less::OneLess;
pub use page::{Line, Tone};
pub use snapshot::snapshot;
pub use watched::Watched;

/// Explains a run of `scenario`.
pub fn explain<S: UnderTest>(
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    layout: Layout,
) -> Vec<Line> {
    let Watched { run, history, .. } = watched;
    let of_file = scenario;
    // What the seed draws of a `[swarm]` is what has run.
    let scenario = &*swarm::for_seed(of_file, run.seed);
    let mut page = Page::new(layout);
    headline(&mut page, of_file, run, history);
    let mut end = Page::new(layout);
    last_lines(&mut end, of_file, watched);
    let room = |end: &Page| layout.at_most(Layout::LINES).saturating_sub(end.lines.len());
    let went_well = |page: &mut Page| {
        passed(page, of_file, watched);
        if layout.is_charted {
            violated::whole(page, scenario, watched, room(&end));
        }
    };
    match &run.verdict {
        Verdict::Pass => went_well(&mut page),
        Verdict::RuledOut { .. } => {
            violated::differing(&mut page, scenario, watched, &Subjects::default());
            went_well(&mut page);
        }
        Verdict::Violation(violation) | Verdict::Starved(violation) => {
            let mut rule = Page::new(layout);
            violated::rule(&mut rule, violation);
            end.lines.splice(0..0, rule.lines);
            violated::violated(&mut page, scenario, watched, violation, room(&end));
        }
        Verdict::Blocked(waits) => {
            violated::setting(&mut page, scenario, &Subjects::default());
            stuck::blocked(&mut page, waits);
            violated::led_to_waits(&mut page, scenario, watched, room(&end));
        }
        Verdict::Spinning(spinning) => {
            violated::differing(&mut page, scenario, watched, &Subjects::default());
            stuck::spun(&mut page, spinning, history);
        }
        Verdict::Unexpected(finding) => {
            stuck::unexpected(&mut page, finding);
            violated::differing(&mut page, scenario, watched, &Subjects::default());
            went_well(&mut page);
        }
        Verdict::Panic(text) => violated::panicked(&mut page, scenario, text, watched, room(&end)),
    }
    page.lines.extend(end.lines);
    page.lines.truncate(layout.at_most(Layout::LINES));
    page.lines
}

/// The command that replays a run of `scenario`, with the defect that was switched on from outside.
pub fn run_line<S: UnderTest>(scenario: &Scenario<S>, seed: u64) -> String {
    let defect = scenario.defect_from_outside;
    let defect = defect.map_or(String::new(), |it| format!(" --defect {}", it.name()));
    replay_line::<S>(&scenario.file, seed) + &defect
}

/// The command that replays a run of a file as it is.
pub fn replay_line<S: UnderTest>(file: &str, seed: u64) -> String {
    format!("{} run {} --seed {seed}", S::COMMAND.name, quoted(file))
}

fn headline<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    run: &RunReport<S>,
    history: &History<S>,
) {
    let tone = if run.is_as_expected(&scenario.expect.verdict) { Tone::Good } else { Tone::Bad };
    let said = match &run.verdict {
        Verdict::Pass => format!("pass: {}; every invariant held", run.requests),
        Verdict::Violation(violation) => {
            let Violation { invariant, step, .. } = &**violation;
            let at = history.step(*step).map_or(String::new(), |step| format!(" ({})", step.at));
            format!("violation: {invariant}, first at step {}{at}", Thousands(*step))
        }
        Verdict::Starved(violation) => {
            let invariant = violation.invariant;
            format!("starved: {}; {invariant} is broken, and no other invariant is", run.requests)
        }
        Verdict::Blocked(waits) => {
            format!(
                "blocked: {}; every invariant held, and {}",
                run.requests,
                stuck::waiting(waits)
            )
        }
        Verdict::Spinning(spinning) => format!("spinning: {}; {spinning}", run.requests),
        Verdict::Unexpected(finding) => format!("unexpected: {}", finding.of),
        Verdict::RuledOut { .. } => run.verdict.to_string(),
        Verdict::Panic(_) => "panic: the code under test, or the simulator, panicked".to_owned(),
    };
    page.put(tone, said);
    let title = format!("{}, seed {}: {}", scenario.file, run.seed, scenario.title);
    page.paragraph(&title, 0, 2);
    if let Some(drawn) = swarm::drawn(scenario, run.seed) {
        page.named("drawn", &drawn, Layout::LINES);
    }
}

/// What every report ends with: whether this was expected, the figures, and the line that replays
/// it.
fn last_lines<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    Watched { run, took, .. }: &Watched<S>,
) {
    page.gap();
    let expected = &scenario.expect.verdict;
    let (tone, is) = match (run.is_as_expected(expected), run.contradicts(expected)) {
        (true, _) => (Tone::Good, "as the file expects"),
        (false, true) => (Tone::Bad, "not as the file expects"),
        (false, false) => (Tone::Bad, "not what the file is about; another seed may show it"),
    };
    page.put(tone, format!("{is}: {}", wanted(expected, &run.verdict)));
    let took = took.map_or(String::new(), |took| {
        let ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        format!(" in {}", Nanoseconds(ns))
    });
    let RunReport { steps, sim_ns, messages, forced_writes, .. } = run;
    let length = format!("{} steps, {} simulated{took}", Thousands(*steps), Nanoseconds(*sim_ns));
    let figures = match run.verdict {
        Verdict::Panic(_) => format!("{length}; no digest"),
        _ => format!(
            "{length}; {} messages, {} forced writes; digest {:016x}",
            Thousands(*messages),
            Thousands(*forced_writes),
            run.digest
        ),
    };
    page.put(Tone::Faint, figures);
    page.plain(run_line(scenario, run.seed));
}

fn wanted<S: UnderTest>(expected: &Expected<S>, verdict: &Verdict<S>) -> String {
    match verdict {
        Verdict::RuledOut { milestone, at_most: 0, .. } => {
            return format!("never = [\"{milestone}\"]");
        }
        Verdict::RuledOut { milestone, at_most, .. } => {
            return format!("reached = [{{ milestone = \"{milestone}\", at_most = {at_most} }}]");
        }
        _ => {}
    }
    if let Verdict::Unexpected(finding) = verdict {
        return format!("{} for {}", finding.expected, finding.of);
    }
    match expected {
        Expected::Pass => "verdict = \"pass\"".to_owned(),
        Expected::Violates(invariant) => format!("violates = \"{invariant}\""),
        Expected::Blocks(milestone) => format!("blocks = \"{milestone}\""),
    }
}
