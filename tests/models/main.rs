//! Models of the rules for lost disks, small enough that every state can be visited, and what they
//! find when a clause is taken away: `docs/lost-disks.md`.

mod explore;
mod lost_copies;
mod lost_disks;

use std::fmt::Write;

use explore::{Explored, explore};
use lost_copies::LostCopies;
use lost_disks::LostDisks;

/// More states than any model here has.
const MOST: usize = 20_000_000;
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lost-disks.md");
/// What stands before this line in the document is written by hand.
const MARK: &str = "<!-- From here on written by `UPDATE_EXPECT=1 cargo test --test models`. -->\n";

/// Two disks are lost; the operator may give up machines that run, and another attempt is refused.
fn transaction(participants: usize, owns: bool) -> LostDisks {
    LostDisks { participants, owns, disks: 2, retries: true, gives_up: true, without: None }
}

fn copies(commits: u8, disks: usize) -> LostCopies {
    LostCopies { views: 3, commits, disks, without: None }
}

#[test]
#[ignore = "takes minutes, and gigabytes of memory"]
fn larger_bounds() {
    let transaction = LostDisks { retries: false, gives_up: false, ..transaction(3, false) };
    println!("three participants: {}", visited(&explore(&transaction, MOST)));
    println!("two commits: {}", visited(&explore(&copies(2, 2), MOST)));
}

#[test]
fn the_document_says_what_the_models_find() {
    let found = format!("{MARK}{}{}{}", states(), of_transactions(), of_copies());
    let document = std::fs::read_to_string(DOCUMENT).expect("the document can be read");
    let (by_hand, known) = document.split_at(document.find(MARK).expect("it has the mark"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(DOCUMENT, format!("{by_hand}{found}")).expect("it can be written");
    } else {
        assert!(known == found, "UPDATE_EXPECT=1 cargo test --test models writes:\n{found}");
    }
}

/// How many states were visited, none of which is bad.
fn visited(explored: &Explored) -> usize {
    assert_eq!(explored.breach, None);
    explored.states
}

fn states() -> String {
    let mut text = "\n## States\n\n| model | bounds | states |\n|---|---|---|\n".to_owned();
    let mut row = |model: &str, bounds: String, explored: Explored| {
        let states = visited(&explored);
        writeln!(text, "| {model} | {bounds} | {states} |").expect("it is a string");
    };
    for (participants, owns) in [(1, false), (1, true), (2, false), (2, true)] {
        let owner = if owns { "an owner" } else { "no owner" };
        let bounds = format!("participants: {participants}; the coordinator is {owner}");
        row("a transaction", bounds, explore(&transaction(participants, owns), MOST));
    }
    for disks in [1, 2] {
        let bounds = format!("lost disks: {disks}");
        row("copies", bounds, explore(&copies(1, disks), MOST));
    }
    text
}

fn of_transactions() -> String {
    let mut text = "\n## A transaction without one clause\n".to_owned();
    for (clause, is) in lost_disks::Clause::ALL {
        let found = [(1, true), (2, false)].into_iter().find_map(|(participants, owns)| {
            let retries = *clause == lost_disks::Clause::IsInDoubtAboutNoOtherAttempt;
            let whole = transaction(participants, owns);
            let model = LostDisks { gives_up: false, retries, without: Some(*clause), ..whole };
            explore(&model, MOST).breach
        });
        text += &schedule(is, found);
    }
    text
}

fn of_copies() -> String {
    let mut text = "\n## Copies without one clause\n".to_owned();
    for (clause, is) in lost_copies::Clause::ALL {
        let model = LostCopies { without: Some(*clause), ..copies(1, 2) };
        text += &schedule(is, explore(&model, MOST).breach);
    }
    text
}

/// A shortest schedule that goes wrong without a clause.
fn schedule(is: &str, found: Option<(Vec<String>, &'static str)>) -> String {
    let (way, wrong) = found.unwrap_or_else(|| panic!("no schedule where {is}"));
    let mut text = format!("\n### {is}\n\n");
    for (place, step) in (1..).zip(way) {
        writeln!(text, "{place}. {step}").expect("it is a string");
    }
    text + "\nThen " + wrong + ".\n"
}
