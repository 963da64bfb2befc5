//! What is told of a run that does not get done: it is blocked, it spins, or its end is another
//! than the file expects.

use super::heartbeats::is_background;
use super::history::History;
use super::page::{Page, Tone};
use crate::oracle::blocked::{Wait, WaitKind};
use crate::text::Thousands;
use crate::trace;
use crate::under_test::UnderTest;
use crate::verdict::{Finding, Spinning};

/// How many wait, and for how long. A circle ends with a time-out.
pub(super) fn waiting(waits: &[Wait]) -> String {
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

pub(super) fn blocked(page: &mut Page, waits: &[Wait]) {
    const SHOWN: usize = 6;
    page.gap();
    for Wait { kind: _, machine, for_what, since, released_by } in waits.iter().take(SHOWN) {
        page.cut(&format!("{machine} waits since {since} for {for_what}"));
        page.cut(&format!("    released by {released_by}"));
    }
    if let Some(more @ 1..) = waits.len().checked_sub(SHOWN) {
        page.plain(format!("... {more} more"));
    }
}

pub(super) fn unexpected(page: &mut Page, finding: &Finding) {
    page.gap();
    page.named("expected", &finding.expected, 3);
    page.named("found", &finding.found, 3);
}

/// What goes round, and the last steps of it.
pub(super) fn spun<S: UnderTest>(page: &mut Page, spinning: &Spinning, history: &History<S>) {
    page.gap();
    page.put(Tone::Heading, format!("Of {} events after that", Thousands(spinning.sampled)));
    for (kind, count) in &spinning.kinds {
        page.cut(&format!("{:>9}  {kind}", Thousands(*count).to_string()));
    }
    page.gap();
    last_steps(page, "The last steps", history);
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
    lines.iter().for_each(|line| page.cut(line));
}
