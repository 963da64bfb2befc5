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

/// Two disks are lost.
fn transaction(participants: usize, owns: bool) -> LostDisks {
    let (retries, gives_up, enters) = (false, false, false);
    LostDisks { participants, owns, disks: 2, retries, gives_up, enters, without: None }
}

fn copies(commits: u8, disks: usize, gives_up: bool) -> LostCopies {
    LostCopies { views: 3, owners: 2, commits, disks, gives_up, has_moved: false, without: None }
}

fn moved() -> LostCopies {
    LostCopies { views: 4, has_moved: true, ..copies(1, 1, false) }
}

#[test]
#[ignore = "takes minutes, and gigabytes of memory"]
fn larger_bounds() {
    let given_up = LostDisks { gives_up: true, ..transaction(2, true) };
    println!("two participants, given up: {}", visited(&explore(&given_up, MOST)));
    let all = LostDisks { retries: true, ..given_up };
    println!("and another attempt: {}", visited(&explore(&all, MOST)));
    println!("copies, two disks, given up: {}", visited(&explore(&copies(1, 2, true), MOST)));
    println!("copies, two commits, given up: {}", visited(&explore(&copies(2, 1, true), MOST)));
}

#[test]
fn the_document_says_what_the_models_find() {
    // Each part takes some seconds, and none needs another.
    let found = std::thread::scope(|scope| {
        let parts = [states, of_transactions, of_copies].map(|part| scope.spawn(part));
        let parts = parts.map(|part| part.join().expect("it does not panic"));
        format!("{MARK}{}", parts.concat())
    });
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
    let retries = LostDisks { retries: true, ..transaction(2, true) };
    row(
        "a transaction",
        "participants: 2; another attempt is refused".to_owned(),
        explore(&retries, MOST),
    );
    let gives_up = LostDisks { gives_up: true, ..transaction(1, true) };
    let given_up = "the operator gives up machines that run";
    row("a transaction", format!("participants: 1; {given_up}"), explore(&gives_up, MOST));
    let enters = LostDisks { enters: true, ..transaction(2, false) };
    row(
        "a transaction",
        "participants: 2, which have yet to enter the epoch".to_owned(),
        explore(&enters, MOST),
    );
    for owners in [1, 2] {
        let model = LostCopies { owners, ..copies(1, 1, false) };
        let bounds = format!("owners in the first view: {owners}; lost disks: 1");
        row("copies", bounds, explore(&model, MOST));
    }
    row(
        "copies",
        "the file has moved and was written to; four views; lost disks: 1".to_owned(),
        explore(&moved(), MOST),
    );
    text
}

fn of_transactions() -> String {
    let mut text = "\n## A transaction without one clause\n".to_owned();
    for (clause, is) in lost_disks::Clause::ALL {
        let found = [(1, true), (2, false)].into_iter().find_map(|(participants, owns)| {
            let retries = *clause == lost_disks::Clause::IsInDoubtAboutNoOtherAttempt;
            let gives_up = *clause == lost_disks::Clause::WaitsForLeases;
            let of_entries = [
                lost_disks::Clause::VotesWhenItsEntryIsRecorded,
                lost_disks::Clause::AbortsWhatALostOneHadNotEnteredFor,
            ];
            let enters = of_entries.contains(clause);
            let whole = LostDisks { retries, gives_up, enters, ..transaction(participants, owns) };
            let model = LostDisks { without: Some(*clause), ..whole };
            explore(&model, MOST).breach
        });
        text += &schedule(is, found);
    }
    text
}

fn of_copies() -> String {
    let mut text = "\n## Copies without one clause\n".to_owned();
    for (clause, is) in lost_copies::Clause::ALL {
        let of_given_up = [
            lost_copies::Clause::RecordsNoEntryOfTheLost,
            lost_copies::Clause::TakesNoCopyOfTheNamed,
        ];
        let gives_up = of_given_up.contains(clause);
        let has_moved = *clause == lost_copies::Clause::AsksEveryOwnerBeforeItGoesBack;
        let found = [(2, 1), (1, 1), (2, 2)].into_iter().find_map(|(owners, disks)| {
            let usual = LostCopies { owners, ..copies(1, disks, gives_up) };
            let whole = if has_moved { moved() } else { usual };
            explore(&LostCopies { without: Some(*clause), ..whole }, MOST).breach
        });
        text += &schedule(is, found);
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
