//! A run explains itself: how it ended and why, on one screen.
//!
//! A violation is told as the two facts that contradict each other, a space-time chart of the steps
//! from which they follow, the rule that was broken and the line that replays it. The steps come
//! from a second run of the same seed, with a [`History`] watching: sweeps keep none.

mod causal_past;
mod chart;
mod heartbeats;
mod history;
mod lifelines;
mod page;
mod passed;
#[cfg(all(test, feature = "file-service"))]
mod tests;
mod violation_subjects;

use std::time::Duration;

use crate::draw::swarm;
use crate::oracle::blocked::{Wait, WaitKind};
use crate::oracle::{Breach, Evidence, Violation};
use crate::scenario::{Expected, Scenario};
use crate::subject;
use crate::text::{Nanoseconds, Thousands};
use crate::trace;
use crate::under_test::UnderTest;
use crate::verdict::{Finding, RunReport, Spinning, Verdict};

use causal_past::Past;
use chart::{Chart, LEGEND, WIDTH, shorten};
use heartbeats::is_background;
use page::Page;
use passed::passed;

pub use history::History;
pub use page::{Line, Tone};

/// The most lines of a report.
pub const LINES: usize = 60;

/// Explains the run of `scenario` that `run` reports and `history` has watched; `took` is how long
/// it really took, where that is known. At most [`LINES`] lines.
pub fn explain<S: UnderTest>(
    scenario: &Scenario<S>,
    run: &RunReport<S>,
    history: &History<S>,
    took: Option<Duration>,
) -> Vec<Line> {
    let mut page = Page::default();
    headline(&mut page, scenario, run, history);
    let mut end = Page::default();
    last_lines(&mut end, scenario, run, took);
    match &run.verdict {
        Verdict::Pass => passed(&mut page, scenario, run),
        Verdict::Violation(violation) | Verdict::Starved(violation) => {
            rule(&mut end, violation);
            violated(&mut page, violation, history, LINES - end.0.len());
        }
        Verdict::Blocked(waits) => blocked(&mut page, waits),
        Verdict::Spinning(spinning) => spun(&mut page, spinning, history),
        Verdict::Unexpected(finding) => {
            unexpected(&mut page, finding);
            passed(&mut page, scenario, run);
        }
        Verdict::RuledOut { .. } => passed(&mut page, scenario, run),
        Verdict::Panic(text) => panicked(&mut page, text, history, LINES - end.0.len()),
    }
    page.0.extend(end.0);
    page.0.truncate(LINES);
    page.0
}

/// The command that replays a run.
pub fn replay_line<S: UnderTest>(file: &str, seed: u64) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,:".contains(c);
    let file = if !file.is_empty() && file.chars().all(is_plain) {
        file.to_owned()
    } else {
        format!("'{}'", file.replace('\'', r"'\''"))
    };
    format!("{} run {file} --seed {seed}", S::COMMAND.name)
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
            format!("blocked: {}; every invariant held, and {}", run.requests, waiting(waits))
        }
        Verdict::Spinning(spinning) => format!("spinning: {}; {spinning}", run.requests),
        Verdict::Unexpected(finding) => format!("unexpected: {}", finding.of),
        Verdict::RuledOut { .. } => run.verdict.to_string(),
        Verdict::Panic(_) => "panic: the code under test, or the simulator, panicked".to_owned(),
    };
    page.put(tone, said);
    page.plain(shorten(
        &format!("{}, seed {}: {}", scenario.file, run.seed, scenario.title),
        WIDTH,
    ));
    if let Some(drawn) = swarm::drawn(scenario, run.seed) {
        page.named("drawn", &drawn, LINES);
    }
}

/// How many wait, and for how long. A circle ends with a time-out.
fn waiting(waits: &[Wait]) -> String {
    let in_circle = waits.iter().filter(|wait| wait.kind == WaitKind::DEADLOCK).count();
    let verb = |count: usize| if count == 1 { "waits" } else { "wait" };
    let said = |count: usize, how: &str| format!("{count} {} {how}", verb(count));
    match (waits.len() - in_circle, in_circle) {
        (0, circle) => said(circle, "in a circle"),
        (others, 0) => said(others, "for ever"),
        (others, circle) => {
            format!("{}, {}", said(others, "for ever"), said(circle, "in a circle"))
        }
    }
}

/// What every report ends with: whether this was expected, the figures, and the line that replays
/// it.
fn last_lines<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    run: &RunReport<S>,
    took: Option<Duration>,
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
    page.plain(replay_line::<S>(&scenario.file, run.seed));
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

fn violated<S: UnderTest>(
    page: &mut Page,
    violation: &Violation<S>,
    history: &History<S>,
    room: usize,
) {
    let Breach { earlier, now } = &*violation.breach;
    page.gap();
    for (name, fact) in [("earlier", earlier), ("now", now)] {
        let at = history.step(fact.step).map_or(String::new(), |step| format!(" ({})", step.at));
        page.named(name, &format!("step {}{at}: {}", Thousands(fact.step), fact.is), 3);
    }
    story(page, &violation.breach, history, room, LEGEND);
}

/// The steps that led to a breach, as a chart, and the last of them in full.
fn story<S: UnderTest>(
    page: &mut Page,
    breach: &Breach<S>,
    history: &History<S>,
    room: usize,
    legend: &str,
) {
    page.gap();
    let past = Past::of(breach, history);
    let chart = Chart::new(history, &past.subjects, &past.facts, &past.steps);
    let last = breach.now.step;
    let full = history.step(last).map_or_else(Vec::new, |step| in_full(&trace::lines(step)));
    // The heading, the legend, and the heading of the last step with what it says.
    let rest = 2 + if full.is_empty() { 0 } else { full.len() + 2 };
    let drawn = chart.draw(room.saturating_sub(page.0.len() + rest));
    let about = match past.subjects.is_empty() {
        true => String::new(),
        false => format!(", about {}", shorten(&past.subjects.to_string(), WIDTH - 50)),
    };
    let (shown, all) = (drawn.steps, past.steps.len());
    page.put(Tone::Heading, format!("What led to it: {shown} of {all} steps{about}"));
    drawn.lines.into_iter().for_each(|line| page.plain(line));
    drawn.left_out.into_iter().for_each(|line| page.put(Tone::Faint, line));
    page.put(Tone::Faint, legend);
    if !full.is_empty() {
        page.gap();
        page.put(Tone::Heading, format!("Step {} in full", Thousands(last)));
        full.into_iter().for_each(|line| page.plain(line));
    }
}

/// The lines of one step, cut so that they fit.
fn in_full(lines: &[String]) -> Vec<String> {
    const SHOWN: usize = 6;
    let mut short: Vec<String> =
        lines.iter().take(SHOWN).map(|line| shorten(line, WIDTH)).collect();
    if let Some(more @ 1..) = lines.len().checked_sub(SHOWN) {
        short.push(format!("{:>24}... {more} more lines; `--trace` shows them", ""));
    }
    short
}

/// The rule that was broken; put in front of the last lines.
fn rule<S: UnderTest>(page: &mut Page, violation: &Violation<S>) {
    let rule = violation.invariant;
    let mut told = Page::default();
    told.gap();
    told.named("rule", &format!("{rule}: {}", rule.summary()), 3);
    told.named("source", rule.source(), 2);
    page.0.splice(0..0, told.0);
}

fn blocked(page: &mut Page, waits: &[Wait]) {
    const SHOWN: usize = 20;
    page.gap();
    for Wait { kind: _, machine, for_what, since, released_by } in waits.iter().take(SHOWN) {
        page.plain(shorten(&format!("{machine} waits since {since} for {for_what}"), WIDTH));
        page.plain(shorten(&format!("    released by {released_by}"), WIDTH));
    }
    if let Some(more @ 1..) = waits.len().checked_sub(SHOWN) {
        page.plain(format!("... {more} more"));
    }
}

fn unexpected(page: &mut Page, finding: &Finding) {
    page.gap();
    page.named("expected", &finding.expected, 3);
    page.named("found", &finding.found, 3);
}

/// What goes round, and the last steps of it.
fn spun<S: UnderTest>(page: &mut Page, spinning: &Spinning, history: &History<S>) {
    page.gap();
    page.put(Tone::Heading, format!("Of {} events after that", Thousands(spinning.sampled)));
    for (kind, count) in &spinning.kinds {
        page.plain(shorten(&format!("{:>9}  {kind}", Thousands(*count).to_string()), WIDTH));
    }
    page.gap();
    last_steps(page, "The last steps", history);
}

fn panicked<S: UnderTest>(page: &mut Page, text: &str, history: &History<S>, room: usize) {
    page.gap();
    page.named("message", text, 6);
    let Some(step) = history.steps().next_back() else { return };
    let about = subject::of_step(step);
    let in_it = Evidence::at(step.index, String::new()).about_all(about.iter().cloned());
    let breach = Breach::of(in_it.clone(), in_it);
    story(page, &breach, history, room, &LEGEND.replace("the two facts", "the step that panicked"));
}

fn last_steps<S: UnderTest>(page: &mut Page, heading: &str, history: &History<S>) {
    const SHOWN: usize = 24;
    let mut lines: Vec<String> = Vec::new();
    for step in history.steps().rev().filter(|step| !is_background(step)) {
        let of_step = trace::lines(step);
        if lines.len() + of_step.len() > SHOWN && !lines.is_empty() {
            break;
        }
        lines.splice(0..0, of_step.into_iter().take(SHOWN));
    }
    page.put(Tone::Heading, heading);
    lines.iter().for_each(|line| page.plain(shorten(line, WIDTH)));
}
