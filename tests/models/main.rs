//! Models of the rules for lost disks, small enough that every state can be visited, and what they
//! find when a clause is taken away: `docs/lost-disks.md`.

mod explore;
mod lost_disks;

use std::fmt::Write;

use explore::explore;
use lost_disks::{Clause, LostDisks};

/// More states than any model here has.
const MOST: usize = 20_000_000;
const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/lost-disks.md");
/// What stands before this line in the document is written by hand.
const MARK: &str = "<!-- From here on written by `UPDATE_EXPECT=1 cargo test --test models`. -->\n";

/// Two disks are lost; the operator may give up machines that run, and another attempt is refused.
fn bounded(participants: usize, owns: bool) -> LostDisks {
    LostDisks { participants, owns, disks: 2, retries: true, gives_up: true, without: None }
}

#[test]
#[ignore = "takes minutes, and gigabytes of memory"]
fn three_participants() {
    let model = LostDisks { retries: false, gives_up: false, ..bounded(3, false) };
    let explored = explore(&model, MOST);
    println!("{} states", explored.states);
    assert_eq!(explored.breach, None);
}

#[test]
fn the_document_says_what_the_model_finds() {
    let found = format!("{MARK}{}{}", states(), schedules());
    let document = std::fs::read_to_string(DOCUMENT).expect("the document can be read");
    let (by_hand, known) = document.split_at(document.find(MARK).expect("it has the mark"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(DOCUMENT, format!("{by_hand}{found}")).expect("it can be written");
    } else {
        assert!(known == found, "UPDATE_EXPECT=1 cargo test --test models writes:\n{found}");
    }
}

/// How many states the rule has within its bounds, none of which is bad.
fn states() -> String {
    let mut text =
        "\n## States\n\n| participants | the coordinator owns a path | states |\n".to_owned();
    text += "|---|---|---|\n";
    for (participants, owns) in [(1, false), (1, true), (2, false), (2, true)] {
        let explored = explore(&bounded(participants, owns), MOST);
        assert_eq!(explored.breach, None, "{participants} participants");
        let owns = if owns { "yes" } else { "no" };
        writeln!(text, "| {participants} | {owns} | {} |", explored.states)
            .expect("it is a string");
    }
    text
}

/// A shortest schedule that goes wrong without each clause.
fn schedules() -> String {
    let mut text = "\n## Without one clause\n".to_owned();
    for (clause, is) in Clause::ALL {
        let found = [(1, true), (2, false)].into_iter().find_map(|(participants, owns)| {
            let retries = *clause == Clause::IsInDoubtAboutNoOtherAttempt;
            let whole = bounded(participants, owns);
            let model = LostDisks { gives_up: false, retries, without: Some(*clause), ..whole };
            explore(&model, MOST).breach
        });
        let (way, wrong) = found.unwrap_or_else(|| panic!("no schedule where {is}"));
        write!(text, "\n### {is}\n\n").expect("it is a string");
        for (place, step) in (1..).zip(way) {
            writeln!(text, "{place}. {step}").expect("it is a string");
        }
        write!(text, "\nThen {wrong}.\n").expect("it is a string");
    }
    text
}
