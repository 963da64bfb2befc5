//! What is told of a broken invariant: the setting, the two facts, where a defect acts, what led
//! from there to the second fact, and the rule.

use super::act::Act;
#[cfg(feature = "madsim")]
use super::before::{self, Before};
use super::chart::{Chart, Mark, shorten};
use super::compose::{compose, compose_whole};
use super::difference::{Difference, difference, later};
use super::facts::Facts;
use super::harm::Harm;
use super::history::History;
use super::layout::Layout;
use super::one_less::OneLess;
use super::page::{Page, Tone};
use super::rows::rows;
use super::story::Story;
use super::watched::Watched;
use crate::name::Name as _;
use crate::oracle::{Breach, Violation};
use crate::scenario::Scenario;
use crate::subject::Subjects;
use crate::terms::meanings;
use crate::text::Thousands;
use crate::trace;
use crate::under_test::UnderTest;

/// The most lines for what one step changed.
const LINES_PER_STEP: usize = 3;

/// The most lines for what words mean.
const LINES_OF_WORDS: usize = 5;

/// With no more lines than this for the chart, the words give way.
const ROOMY: usize = 20;

/// Tells how `violation` came about, on up to `room` lines.
pub(super) fn violated<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    violation: &Violation<S>,
    room: usize,
) {
    let history = &watched.history;
    let breach = &*violation.breach;
    let acts = watched.differing();
    let story = compose(&Facts::of_breach(breach), history, &acts);
    setting(page, scenario, &story.named);
    page.gap();
    let from = page.lines.len();
    let why = violation.invariant.why();
    for (name, fact) in [("earlier", &breach.earlier), ("now", &breach.now)] {
        page.named(name, &format!("{}: {}", at_step(history, fact.step), fact.is), 3);
    }
    if !why.is_empty() {
        page.named("danger", why, 2);
    }
    if let Some(Harm { with, at, violation }) = &watched.harm {
        let Breach { earlier, now } = &*violation.breach;
        let rule = violation.invariant;
        let said = format!("if {with}: {}, but at {at} {} ({rule})", earlier.is, now.is);
        page.named("harm", &said, 3);
    }
    differing(page, scenario, watched, &story.named);
    let marks = [mark_of(&story.facts, "the two facts"), mark_of_acts(&story, &acts)];
    drawn(page, scenario, &story, watched, &marks, from, room);
    in_full(page, history, breach.now.step);
}

/// Tells what led to waits: the steps about what their machines were at when they began.
pub(super) fn led_to_waits<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    room: usize,
) {
    let from = page.lines.len();
    let history = &watched.history;
    let acts = watched.differing();
    let Some(facts) = Facts::of(&watched.run.verdict, history) else {
        return differing(page, scenario, watched, &Subjects::default());
    };
    let mut story = compose(&facts, history, &acts);
    let (heading, meaning) = match facts.others.is_empty() {
        true => ("How the wait began", "the wait begins; the last step about it"),
        false => ("How the waits began", "the waits begin; the last step about them"),
    };
    story.heading = heading;
    differing(page, scenario, watched, &story.named);
    let marks = [mark_of(&story.facts, meaning), mark_of_acts(&story, &acts)];
    drawn(page, scenario, &story, watched, &marks, from, room);
}

/// Draws the steps of a whole run.
pub(super) fn whole<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    room: usize,
) {
    let history = &watched.history;
    let story = compose_whole(history);
    let from = page.lines.len();
    drawn(page, scenario, &story, watched, &[], from, room);
}

/// The rule that was broken; put in front of the last lines.
pub(super) fn rule<S: UnderTest>(page: &mut Page, violation: &Violation<S>) {
    let rule = violation.invariant;
    page.gap();
    page.named("rule", &format!("{rule}: {}", rule.summary()), 3);
    page.named("source", rule.source(), 2);
}

/// Tells what led to a panic.
pub(super) fn panicked<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    text: &str,
    watched: &Watched<S>,
    room: usize,
) {
    page.gap();
    page.named("message", text, 6);
    let history = &watched.history;
    let acts = watched.differing();
    let Some(facts) = Facts::of(&watched.run.verdict, history) else {
        return differing(page, scenario, watched, &Subjects::default());
    };
    let story = compose(&facts, history, &acts);
    differing(page, scenario, watched, &story.named);
    let marks = [mark_of(&story.facts, "the panic"), mark_of_acts(&story, &acts)];
    let from = page.lines.len();
    drawn(page, scenario, &story, watched, &marks, from, room);
    in_full(page, history, facts.breach.now.step);
}

/// What the scenario is about, which defects are on, and the settings that matter.
pub(super) fn setting<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    about: &Subjects<S::Subject>,
) {
    if !scenario.about.is_empty() {
        page.gap();
        page.paragraph(&scenario.about, 2, 5);
    }
    let defects = scenario.defects.iter();
    let defects: Vec<String> =
        defects.map(|defect| format!("{}: {}", defect.name(), defect.summary())).collect();
    let settings = S::settings_that_matter(&scenario.config, about);
    if defects.is_empty() && settings.is_empty() {
        return;
    }
    page.gap();
    defects.iter().for_each(|defect| page.named("defect", defect, 2));
    if !settings.is_empty() {
        page.named("settings", &settings.join("; "), 3);
    }
}

/// `step 23 (1.037549s)`
fn at_step<S: UnderTest>(history: &History<S>, step: u64) -> String {
    let at = history.step(step).map_or(String::new(), |step| format!(" ({})", step.at));
    format!("step {}{at}", Thousands(step))
}

/// The steps in which another run goes another way: without the defects, or with one thing less.
pub(super) fn differing<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    about: &Subjects<S::Subject>,
) {
    for (i, act) in watched.acts.iter().enumerate() {
        let heading = match (i, act.is_parting) {
            (0, false) => "Where the defect acts",
            (0, true) => "Where the run without the defect parts from this one",
            _ => "and again",
        };
        if i == 0 {
            page.gap();
        }
        told(page, scenario, watched, act, heading, about);
    }
    if let Some(OneLess { left_out, act, .. }) = &watched.one_less {
        page.gap();
        let heading = format!("Without {left_out} the run passes");
        match act {
            None => page.put(Tone::Heading, heading),
            Some(act) => {
                let heading = format!("{heading}; where it parts from this one");
                told(page, scenario, watched, act, &heading, about);
            }
        }
    }
}

/// A step as it is, and as it is in the other run.
fn told<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    act: &Act<S>,
    heading: &str,
    about: &Subjects<S::Subject>,
) {
    let history = &watched.history;
    let Some(step) = history.step(act.step) else { return };
    let at = at_step(history, act.step);
    let Difference { event, only: [with, without] } =
        difference(&scenario.config, step, act, about);
    page.put(Tone::Heading, format!("{heading}: {at}"));
    event.iter().for_each(|event| page.named("event", event, 2));
    #[cfg(feature = "madsim")]
    if let Some(before) = Before::of_act(scenario, watched, act, about) {
        page.named("before", &before.in_words(), 2);
    }
    for (name, only) in [("with it", with), ("without", without)] {
        page.named(name, only.as_deref().unwrap_or("nothing more"), 3);
    }
    if let Some(later) = later(&scenario.config, act, about) {
        page.named("later", &later, 3);
    }
}

fn mark_of(facts: &[usize], meaning: &'static str) -> Mark {
    Mark { mark: '>', meaning, places: facts.to_vec() }
}

fn mark_of_acts<S: UnderTest>(story: &Story<S>, acts: &[Act<S>]) -> Mark {
    let is_parting = acts.iter().any(|act| act.is_parting);
    let meaning = if is_parting { "the runs part" } else { "a defect acts" };
    Mark { mark: '!', meaning, places: story.acts.clone() }
}

/// The steps of a story as a chart, and what the words mean from line `from` of the page on.
fn drawn<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    story: &Story<S>,
    watched: &Watched<S>,
    marks: &[Mark],
    from: usize,
    room: usize,
) {
    let Layout { width, .. } = page.layout;
    let history = &watched.history;
    let rows = rows(&scenario.config, history, story, page.layout.is_full);
    let lines_per_step = page.layout.at_most(LINES_PER_STEP);
    let chart = Chart::new(history, &rows, marks, width, lines_per_step);
    page.gap();
    // Beside the chart: the heading, the legend, and what the words mean.
    let left = room.saturating_sub(page.lines.len() + 2);
    let lines_of_words = if left > ROOMY { LINES_OF_WORDS } else { LINES_OF_WORDS.min(2) };
    let left = left.saturating_sub(lines_of_words);
    let drawn = chart.draw(left);
    #[cfg(feature = "madsim")]
    let drawn = before::told(page, scenario, watched, &story.named, &chart, left).unwrap_or(drawn);
    let about = match story.subjects.is_empty() {
        true => String::new(),
        false => format!(", about {}", story.subjects),
    };
    let (shown, all) = (drawn.steps, rows.iter().map(|row| row.places.len()).sum::<usize>());
    let heading = format!("{}: {shown} of {all} steps{about}", story.heading);
    page.put(Tone::Heading, shorten(&heading, width));
    drawn.lines.into_iter().for_each(|line| page.plain(line));
    drawn.left_out.into_iter().for_each(|line| page.put(Tone::Faint, line));
    page.put(Tone::Faint, drawn.legend);
    let told: Vec<&str> = page.lines[from..].iter().map(|line| line.text.as_str()).collect();
    let words = meanings::<S>(&told.join("\n"));
    if !words.is_empty() {
        page.named("words", &words, lines_of_words);
    }
}

/// The last step with all that is known of it, where everything is wanted.
fn in_full<S: UnderTest>(page: &mut Page, history: &History<S>, index: u64) {
    let Some(step) = history.step(index).filter(|_| page.layout.is_full) else { return };
    page.gap();
    page.put(Tone::Heading, format!("Step {} in full", Thousands(index)));
    trace::lines(step).into_iter().for_each(|line| page.plain(line));
}
