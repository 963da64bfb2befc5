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
//! | `acts`, `parting` | where a defect acts; where the same seed without it parts from the run |
//! | `story` | which steps are told; with `violation_subjects`, `origins`, `chain`, `heartbeats` |
//! | `rows` | what is said of each; with `journeys`, the ways of messages |
//! | `chart` | the drawing; with `lifelines` |
//! | `violated`, `passed`, `stuck` | what is told for a verdict |

mod act;
#[cfg(feature = "madsim")]
mod acts;
mod chain;
mod chart;
mod choice;
#[cfg(feature = "madsim")]
mod compare;
mod data;
mod heartbeats;
mod history;
mod journeys;
mod lifelines;
mod listed;
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

use std::time::Duration;

use crate::draw::swarm;
use crate::name::Name as _;
use crate::oracle::Violation;
#[cfg(feature = "madsim")]
use crate::run;
use crate::scenario::{Expected, Scenario};
use crate::subject::Subjects;
use crate::text::{Nanoseconds, Thousands, quoted};
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};

use page::Page;
#[cfg(feature = "madsim")]
use parting::parting;
use passed::passed;
#[cfg(feature = "madsim")]
use story::Story;

pub use act::Act;
#[cfg(feature = "madsim")]
pub use compare::compare;
pub use data::{ActInWords, Explained, explained};
pub use history::History;
pub use page::{Line, Tone};
pub use snapshot::snapshot;

/// How a report is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How wide a line may be, in characters.
    pub width: usize,
    /// Is everything told? Else what fits into [`Layout::LINES`] lines.
    pub is_full: bool,
    /// Are the steps drawn of a run that ends as one does that goes well?
    pub is_charted: bool,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout { width: Layout::WIDTH, is_full: false, is_charted: false }
    }
}

impl Layout {
    /// The most lines of a report of which not everything is wanted.
    pub const LINES: usize = 66;
    /// How wide a line may be where nothing else is known.
    pub const WIDTH: usize = 120;
    /// The least and the most that a line may be wide.
    pub const WIDTHS: (usize, usize) = (80, 160);

    /// The layout for a terminal of `columns` characters.
    pub fn of_terminal(columns: usize) -> Layout {
        let (least, most) = Layout::WIDTHS;
        Layout { width: columns.clamp(least, most), ..Layout::default() }
    }

    /// So many lines, or all that there are.
    fn at_most(self, lines: usize) -> usize {
        if self.is_full { usize::MAX } else { lines }
    }
}

/// A run that was watched, with what is needed to explain it.
#[derive(Clone, Debug)]
pub struct Watched<S: UnderTest> {
    /// How it ended.
    pub run: RunReport<S>,
    /// Its steps.
    pub history: History<S>,
    /// Where a defect acts, if one is on and the run goes wrong.
    pub acts: Vec<Act<S>>,
    /// How long it really took, where that is known.
    pub took: Option<Duration>,
}

#[cfg(feature = "madsim")]
impl<S: UnderTest> Watched<S> {
    /// Runs `scenario` under `seed`, and once more without its defects where that explains more.
    pub fn of(scenario: &Scenario<S>, seed: u64) -> Watched<S> {
        let mut history = History::default();
        let run = run::run(scenario, seed, &mut history);
        Watched::new(scenario, run, history, None)
    }

    /// The same of a run that is over: `history` has watched it.
    pub fn new(
        scenario: &Scenario<S>,
        run: RunReport<S>,
        history: History<S>,
        took: Option<Duration>,
    ) -> Watched<S> {
        let acts = match run.verdict.violation() {
            Some(violation) if !scenario.defects.is_empty() => {
                let story = Story::of(&violation.breach, &history, &[]);
                let acts = acts::acts(scenario, run.seed, &history, &story);
                let parts = || parting(scenario, run.seed, &history).into_iter().collect();
                if acts.is_empty() { parts() } else { acts }
            }
            Some(_) | None => Vec::new(),
        };
        Watched { acts, run, history, took }
    }
}

/// Explains a run of `scenario`.
pub fn explain<S: UnderTest>(
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    layout: Layout,
) -> Vec<Line> {
    let Watched { run, history, .. } = watched;
    let mut page = Page::new(layout);
    headline(&mut page, scenario, run, history);
    let mut end = Page::new(layout);
    last_lines(&mut end, scenario, watched);
    let room = |end: &Page| layout.at_most(Layout::LINES).saturating_sub(end.lines.len());
    let went_well = |page: &mut Page| {
        passed(page, scenario, watched);
        if layout.is_charted {
            violated::whole(page, scenario, watched, room(&end));
        }
    };
    match &run.verdict {
        Verdict::Pass | Verdict::RuledOut { .. } => went_well(&mut page),
        Verdict::Violation(violation) | Verdict::Starved(violation) => {
            let mut rule = Page::new(layout);
            violated::rule(&mut rule, violation);
            end.lines.splice(0..0, rule.lines);
            violated::violated(&mut page, scenario, watched, violation, room(&end));
        }
        Verdict::Blocked(waits) => {
            violated::setting(&mut page, scenario, &Subjects::default());
            stuck::blocked(&mut page, waits);
            if let Some(first) = waits.first() {
                violated::led_to_wait(&mut page, scenario, watched, first, room(&end));
            }
        }
        Verdict::Spinning(spinning) => stuck::spun(&mut page, spinning, history),
        Verdict::Unexpected(finding) => {
            stuck::unexpected(&mut page, finding);
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
