//! What is told of a broken invariant: the setting, the two facts, where a defect acts, what led
//! from there to the second fact, and the rule.

use super::act::Act;
use super::chart::{Chart, Mark, shorten};
use super::compose::{compose, compose_whole};
use super::difference::{Difference, difference};
use super::history::History;
use super::layout::Layout;
use super::page::{Page, Tone};
use super::rows::rows;
use super::story::Story;
use super::watched::Watched;
use crate::name::Name as _;
use crate::oracle::blocked::Wait;
use crate::oracle::{Breach, Evidence, Violation};
use crate::scenario::Scenario;
use crate::subject::{self, Subject as _, Subjects};
use crate::terms::meanings;
use crate::text::Thousands;
use crate::trace;
use crate::under_test::UnderTest;
use crate::world::Step;

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
    let Watched { history, acts, .. } = watched;
    let breach = &*violation.breach;
    let story = compose(breach, history, acts);
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
    for (i, act) in acts.iter().enumerate() {
        acted(page, scenario, &story, act, history, i == 0);
    }
    let marks = [mark_of(&story.facts, "the two facts"), mark_of_acts(&story, acts)];
    drawn(page, scenario, &story, history, &marks, from, room);
    in_full(page, history, breach.now.step);
}

/// Tells what led to a wait: the steps about what its machine was at when the wait began.
pub(super) fn led_to_wait<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    wait: &Wait,
    room: usize,
) {
    let history = &watched.history;
    let here = |step: &&Step<S>| step.place() == Some(wait.machine);
    let is_deed = |subject: &&S::Subject| subject.standing().is_deed();
    let deeds = |step: &Step<S>| -> Subjects<S::Subject> {
        subject::of_step(step).iter().filter(is_deed).cloned().collect()
    };
    let mut begun = history.steps().filter(here).filter(|step| step.at <= wait.since);
    let Some(begun) = begun.rfind(|step| !deeds(step).is_empty()) else { return };
    let about = deeds(begun);
    let of_wait = |step: &&Step<S>| subject::of_step(step).meet(&about);
    let last = history.steps().rev().filter(here).find(of_wait).unwrap_or(begun);
    let at =
        |step: &Step<S>| Evidence::at(step.index, String::new()).about_all(about.iter().cloned());
    let breach = Breach::of(at(begun), at(last));
    let mut story = compose(&breach, history, &[]);
    story.heading = "How the wait began";
    let from = page.lines.len();
    let marks = [mark_of(&story.facts, "the wait begins; the last step about it")];
    drawn(page, scenario, &story, history, &marks, from, room);
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
    drawn(page, scenario, &story, history, &[], from, room);
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
    let Watched { history, acts, .. } = watched;
    let Some(step) = history.steps().next_back() else { return };
    let about = subject::of_step(step);
    let in_it = Evidence::at(step.index, String::new()).about_all(about.iter().cloned());
    let breach = Breach::of(in_it.clone(), in_it);
    let story = compose(&breach, history, acts);
    let marks = [mark_of(&story.facts, "the panic")];
    let from = page.lines.len();
    drawn(page, scenario, &story, history, &marks, from, room);
    in_full(page, history, step.index);
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

/// A step that a defect makes another.
fn acted<S: UnderTest>(
    page: &mut Page,
    scenario: &Scenario<S>,
    story: &Story<S>,
    act: &Act<S>,
    history: &History<S>,
    is_first: bool,
) {
    let Some(with) = history.step(act.step) else { return };
    let at = at_step(history, act.step);
    let Difference { event, only: [with, without] } =
        difference(&scenario.config, with, act, &story.named);
    let heading = match (is_first, act.is_parting) {
        (true, false) => "Where the defect acts",
        (true, true) => "Where the run without the defect parts from this one",
        (false, _) => "and again",
    };
    if is_first {
        page.gap();
    }
    page.put(Tone::Heading, format!("{heading}: {at}"));
    event.iter().for_each(|event| page.named("event", event, 2));
    for (name, only) in [("with it", with), ("without", without)] {
        page.named(name, only.as_deref().unwrap_or("nothing more"), 3);
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
    history: &History<S>,
    marks: &[Mark],
    from: usize,
    room: usize,
) {
    let Layout { width, .. } = page.layout;
    let rows = rows(&scenario.config, history, story, page.layout.is_full);
    let lines_per_step = page.layout.at_most(LINES_PER_STEP);
    let chart = Chart::new(history, &rows, marks, width, lines_per_step);
    page.gap();
    // Beside the chart: the heading, the legend, and what the words mean.
    let left = room.saturating_sub(page.lines.len() + 2);
    let lines_of_words = if left > ROOMY { LINES_OF_WORDS } else { LINES_OF_WORDS.min(2) };
    let drawn = chart.draw(left.saturating_sub(lines_of_words));
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
