//! Two runs of one seed side by side, from where they part: the run with the defects of the
//! scenario and without them, or one that fails and one that passes with one thing less.

use seedbed::machine::Time;

use super::chart::{broken, shorten};
use super::compose::compose;
use super::difference::{Difference, difference};
use super::facts::Facts;
use super::heartbeats::is_background;
use super::history::History;
use super::layout::Layout;
use super::one_less::{OneLess, TRIED, is_drawn};
use super::page::{Line, Page, Tone};
use super::parting::parting;
use super::rows::Teller;
use super::watched::Watched;
use crate::draw::swarm;
use crate::run;
use crate::scenario::Scenario;
use crate::subject::Subjects;
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::verdict::Verdict;

/// How wide the step and the time of a line are.
const HEAD: usize = 20;

/// The most lines for what one step changed.
const LINES_PER_STEP: usize = 3;

/// The two runs, of which `watched` is the one that fails; what to do where there is no other.
///
/// # Errors
/// Why the two cannot be compared.
pub fn compare<S: UnderTest>(
    scenario: &Scenario<S>,
    watched: &Watched<S>,
    layout: Layout,
) -> Result<Vec<Line>, String> {
    let scenario = &*swarm::for_seed(scenario, watched.run.seed);
    let seed = watched.run.seed;
    let (other, what, parting) = match &watched.one_less {
        Some(OneLess { left_out, scenario, act }) => {
            (scenario.clone(), left_out.as_str(), act.clone())
        }
        None if scenario.defects.is_empty() => return Err(why_nothing(scenario, watched)),
        None => {
            let mended = scenario.mended();
            let parting = parting(scenario, &mended, seed, &watched.history);
            (mended, "the defect", parting)
        }
    };
    let Some(parting) = parting else {
        return Err(format!("the run is the same without {what} in every step that is kept"));
    };
    let mut without = History::default();
    run::run(&other, seed, &mut without);
    let about = about(watched);
    let both =
        [&watched.history, &without].map(|history| told(scenario, history, parting.step, &about));
    let mut page = Page::new(layout);
    if let Some(with) = watched.history.step(parting.step) {
        let named = about.clone().unwrap_or_default();
        let Difference { only: [with, without], .. } =
            difference(&scenario.config, with, &parting, &named);
        for (name, only) in [("with it", with), ("without", without)] {
            page.named(name, only.as_deref().unwrap_or("nothing more"), 3);
        }
        page.gap();
    }
    page.put(Tone::Heading, headings(layout, parting.step, what));
    let lines = side_by_side(both, layout);
    let most = layout.at_most(Layout::LINES.saturating_sub(page.lines.len() + 2));
    let left_out = lines.len().saturating_sub(most);
    lines.into_iter().take(most).for_each(|line| page.plain(line));
    if left_out > 0 {
        page.put(Tone::Faint, format!("... {left_out} more lines; `--full` shows them"));
    }
    Ok(page.lines)
}

/// Why there is nothing to compare a run without defects with, and what to do.
fn why_nothing<S: UnderTest>(scenario: &Scenario<S>, watched: &Watched<S>) -> String {
    let why = match watched.run.verdict {
        Verdict::Pass => "and the run passes".to_owned(),
        Verdict::Unexpected(_) | Verdict::RuledOut { .. } => {
            "and the run breaks no rule".to_owned()
        }
        _ if is_drawn(scenario) => {
            "and the file leaves requests or faults to the seed: `shrink` writes them out"
                .to_owned()
        }
        _ => format!("and none of up to {TRIED} runs with one rule or one fault less passes"),
    };
    format!("no defect is on, {why}; `--defect` switches one on")
}

fn headings(layout: Layout, step: u64, what: &str) -> String {
    let half = half(layout);
    let with = shorten(&format!("with {what}"), half);
    format!("{:<HEAD$}{with:<half$} | without", format!("from step {step}"))
}

fn half(layout: Layout) -> usize {
    (layout.width - HEAD - 3) / 2
}

/// What both runs are shown about: what the verdict is about, else everything.
fn about<S: UnderTest>(watched: &Watched<S>) -> Option<Subjects<S::Subject>> {
    let facts = Facts::of(&watched.run.verdict, &watched.history)?;
    Some(compose(&facts, &watched.history, &watched.differing()).named)
}

/// A step of one of the runs: when, and what it says.
struct Told {
    at: Time,
    step: u64,
    words: String,
}

fn told<S: UnderTest>(
    scenario: &Scenario<S>,
    history: &History<S>,
    from: u64,
    about: &Option<Subjects<S::Subject>>,
) -> Vec<Told> {
    let known = S::known(&scenario.config, about.as_ref().unwrap_or(&Subjects::default()));
    let teller = Teller::of(known.as_ref().map_or(Detail::Brief, Detail::Report));
    let shown = history.steps().filter(|step| step.index >= from && !is_background(step));
    let shown = shown.filter(|step| {
        let is_first = step.index == from;
        is_first || about.as_ref().is_none_or(|about| crate::subject::of_step(step).meet(about))
    });
    shown
        .map(|step| Told { at: step.at, step: step.index, words: teller.most(step).join("; ") })
        .collect()
}

/// Steps at the same moment that say the same stand in one line, and all others in lines of their
/// own.
fn side_by_side([with, without]: [Vec<Told>; 2], layout: Layout) -> Vec<String> {
    let half = half(layout);
    let lines_of = |told: &Told, left: &str, right: &str| {
        let most = layout.at_most(LINES_PER_STEP);
        let [left, right] = [left, right].map(|text| broken(text, half, most));
        let line = |i: usize| {
            let head = match i {
                0 => format!("{:>6} {:>11}", told.step, told.at.to_string()),
                _ => String::new(),
            };
            let [left, right] = [&left, &right].map(|half| half.get(i).map_or("", String::as_str));
            format!("{head:<HEAD$}{left:<half$} | {right}").trim_end().to_owned()
        };
        (0..left.len().max(right.len())).map(line).collect::<Vec<_>>()
    };
    let (mut with, mut without) = (with.into_iter().peekable(), without.into_iter().peekable());
    let mut lines = Vec::new();
    loop {
        match (with.peek(), without.peek()) {
            (Some(one), Some(other)) if one.at == other.at && one.words == other.words => {
                lines.extend(lines_of(one, &one.words, "the same"));
                with.next();
                without.next();
            }
            (Some(one), other) if other.is_none_or(|other| one.at <= other.at) => {
                lines.extend(lines_of(one, &one.words, ""));
                with.next();
            }
            (_, Some(other)) => {
                lines.extend(lines_of(other, "", &other.words));
                without.next();
            }
            (Some(_), _) => unreachable!("the one before has taken it"),
            (None, None) => return lines,
        }
    }
}
