//! What was asked in a run and what was answered, and the faults that struck.

use std::collections::BTreeMap;

use seedbed::machine::{RequestId, Time};

use super::choice::is_first_start;
use super::history::History;
use super::page::Page;
use crate::scenario::Scenario;
use crate::text::Thousands;
use crate::trace::{self, Detail};
use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Step};

/// So many requests, and so many faults, are listed where not everything is wanted.
const SHOWN: usize = 8;

/// Lists the requests of scripts with their answers, and the faults that struck.
pub(super) fn listed<S: UnderTest>(page: &mut Page, scenario: &Scenario<S>, history: &History<S>) {
    // Of a workload there are hundreds; what users were told there is counted.
    if scenario.workload.is_none() || page.layout.is_full {
        lines(page, "asked", requests(history));
    }
    let faults = history.steps().filter(|step| is_fault(step)).map(|step| {
        let said = trace::event(step, Detail::Brief);
        let place = step.place().map_or(String::new(), |node| format!("{node} "));
        format!("{} {place}{said}", step.at)
    });
    lines(page, "struck", faults.collect());
}

fn lines(page: &mut Page, name: &str, all: Vec<String>) {
    let shown = page.layout.at_most(SHOWN);
    for (i, line) in all.iter().take(shown).enumerate() {
        page.cut(&format!("{:<14}{line}", if i == 0 { name } else { "" }));
    }
    if let Some(more @ 1..) = all.len().checked_sub(shown) {
        page.plain(format!("{:<14}... {} more; `--full` shows them", "", Thousands(more as u64)));
    }
}

/// Each request in the order of asking, with its answer.
fn requests<S: UnderTest>(history: &History<S>) -> Vec<String> {
    let mut asked: Vec<(RequestId, Time, String)> = Vec::new();
    let mut answers: BTreeMap<RequestId, String> = BTreeMap::new();
    for step in history.steps() {
        for fact in &step.facts {
            match (fact, &step.event) {
                (Fact::Requested { request }, Event::Request { request: wanted, .. }) => {
                    let wanted = S::request_in_words(wanted, Detail::Whole);
                    asked.push((*request, step.at, wanted));
                }
                (Fact::Replied { request, reply }, _) => {
                    let reply = S::reply_in_words(reply, Detail::Whole);
                    answers.insert(*request, format!("{reply}, at {}", step.at));
                }
                _ => {} // neither asks nor answers
            }
        }
    }
    let line = |(request, at, wanted): (RequestId, Time, String)| {
        let answer = answers.get(&request).map_or("no answer", String::as_str);
        format!("{at} {request} {wanted}: {answer}")
    };
    asked.into_iter().map(line).collect()
}

/// Does something break in the step, or is mended? A first start is neither.
fn is_fault<S: UnderTest>(step: &Step<S>) -> bool {
    match &step.event {
        Event::Start { .. } => !is_first_start(step),
        Event::Cut(_) | Event::Mend(_) | Event::Command(_) => true,
        event => event.changes_machine().is_some(),
    }
}
