//! Which modules may import which, held by reading the sources.
//!
//! What ships knows nothing of what tests it: `src` does not name the package in `sim`. The
//! protocols know nothing of how they are run. In `sim`, the world knows no oracle, the oracle no
//! run, and only `run` knows the runtime. A scenario is read without a look at what is done with
//! it, and nowhere do files import each other in a circle. Nothing in `sim` but the folder
//! `file_service` knows the file service. What counts as importing stands at the head of
//! `imports/mod.rs`.
//!
//! One room is an exception. `under_test` is the trait that a system implements for the testbed:
//! its functions speak of scenarios, milestones and verdicts, all of which are generic over the
//! trait. A generic type and its bound know each other, so arrows that lead to `under_test` do not
//! count; those that lead from it do.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::imports::{Graph, Tests, place_of};

/// The rooms of the ground floor of `sim`.
const GROUND: [&str; 13] = [
    "aimed_moment",
    "cast",
    "cell",
    "fault",
    "figures",
    "invariant",
    "milestone",
    "name",
    "outcome",
    "quantity",
    "role",
    "subject",
    "text",
];

/// The room that any other may know.
const BOUND: &str = "under_test";

#[test]
fn what_ships_does_not_know_that_it_is_simulated() {
    for source in sources("src") {
        for word in ["seedbed_sim", "sim", "madsim"] {
            source.must_not_say(word, &source.text);
        }
    }
}

#[test]
fn protocols_do_not_know_how_they_are_run() {
    for source in sources("src/proto") {
        for word in ["madsim", "tokio", "fault", "faults", "seed", "seeds"] {
            source.must_not_say(word, &source.text);
        }
    }
}

/// The examples are built without the file service, and their protocols without the testbed.
#[test]
fn examples_know_no_file_service_and_their_protocols_no_testbed() {
    for source in sources("examples") {
        for word in ["proto", "file_service"] {
            source.must_not_say(word, &source.text);
        }
    }
    let mut protocols = sources("examples/primary_backup/protocol");
    protocols.extend(
        sources("examples/counter/src").into_iter().filter(|it| it.path.ends_with("lib.rs")),
    );
    assert_eq!(protocols.len(), 5);
    for source in protocols {
        source.must_not_say("seedbed_sim", &source.text);
    }
}

/// A test may look at a part of the testbed by runs of the file service.
#[test]
fn nothing_but_its_own_folder_knows_the_file_service() {
    let house = house(Tests::LeftOut);
    let is_its_own = |file: &str| room(file) == "file_service" || file == "sim/src/main.rs";
    let sim = house.files().filter(|file| file.starts_with("sim/") && !is_its_own(file));
    for file in sim {
        for (to, names) in house.from(file) {
            let is_known = to.starts_with("src/proto/") || room(to) == "file_service";
            assert!(!is_known, "{file} imports {names:?} of {to}");
        }
    }
}

#[test]
fn only_the_module_run_names_the_runtime() {
    let mut saying = BTreeSet::new();
    for source in sources("sim/src") {
        let code = without_comments(&source.text).replace("#[cfg(feature = \"madsim\")]", "");
        if words(&code).any(|word| word == "madsim") {
            saying.insert(source.path);
        }
    }
    assert_eq!(saying, BTreeSet::from([PathBuf::from("sim/src/run.rs")]));
}

#[test]
fn the_world_knows_neither_oracle_nor_run() {
    must_not_import(
        Tests::Included,
        "world",
        &["oracle", "simulation", "run", "report", "verdict"],
    );
}

#[test]
fn the_oracle_knows_no_run() {
    must_not_import(Tests::Included, "oracle", &["simulation", "run", "report", "trace"]);
}

#[test]
fn a_scenario_is_read_without_what_is_done_with_it() {
    let above = ["oracle", "seed", "draw", "simulation", "verdict", "report"];
    must_not_import(Tests::Included, "scenario", &above);
}

#[test]
fn what_is_drawn_knows_neither_oracle_nor_simulation() {
    must_not_import(Tests::Included, "draw", &["oracle", "simulation"]);
}

#[test]
fn a_stream_of_numbers_knows_no_file() {
    let house = house(Tests::Included);
    for (to, names) in house.from("sim/src/seed.rs") {
        let may = to.starts_with("src/") || to == "sim/src/quantity.rs";
        assert!(may, "seed imports {names:?} of {to}");
    }
}

/// Names without machinery: they know the system under test, values of the world such as the bit
/// that reads wrong, and each other.
#[test]
fn the_ground_floor_knows_nothing_above_it() {
    let house = house(Tests::LeftOut);
    let is_below = |file: &str| GROUND.contains(&&*room(file));
    for file in house.files().filter(|file| is_below(file)) {
        for (to, names) in house.from(file) {
            let may = to.starts_with("src/") || room(to) == "world" || is_below(to);
            assert!(may, "{file} imports {names:?} of {to}");
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = house(Tests::LeftOut);
    let circles: Vec<String> =
        house.circles().iter().map(|circle| house.describe(circle)).collect();
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}

/// A room is a module of `sim` with all that lies in it.
#[test]
fn no_rooms_import_each_other_in_a_circle() {
    let rooms = house(Tests::LeftOut).between(room);
    let circles: Vec<String> =
        rooms.circles().iter().map(|circle| rooms.describe(circle)).collect();
    assert!(circles.is_empty(), "circles:\n{}", circles.join("\n"));
}

#[test]
fn only_tests_and_benches_depend_on_the_simulator() {
    let manifest = std::fs::read_to_string("Cargo.toml").expect("the manifest of the package");
    let mut section = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let names_it = line.starts_with("seedbed-sim");
        let may = ["[workspace.dependencies]", "[dev-dependencies]"].contains(&section);
        assert!(!names_it || may, "{section} {line}");
    }
}

/// A misspelt path in clippy.toml is only a warning, and bans nothing.
#[test]
fn everything_that_is_banned_exists() {
    let bans = std::fs::read_to_string("clippy.toml").expect("the bans");
    let quoted = bans.split("path = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let banned: BTreeSet<&str> = quoted.collect();
    assert_eq!(banned, BTreeSet::from(known_to_the_compiler::PATHS));
}

mod known_to_the_compiler {
    /// Paths that must exist, or this does not compile, and as they are written.
    macro_rules! paths {
        ($($($segment:ident)::+;)*) => {
            $(#[allow(unused_imports, reason = "that it can be imported is the test")]
            use $($segment)::+ as _;)*
            pub const PATHS: [&str; [$(stringify!($($segment)+)),*].len()] =
                [$(joined!($($segment)::+)),*];
        };
    }

    macro_rules! joined {
        ($first:ident $(:: $rest:ident)*) => {
            concat!(stringify!($first) $(, "::", stringify!($rest))*)
        };
    }

    paths! {
        std::collections::HashMap;
        std::collections::HashSet;
        std::time::Instant;
        std::time::SystemTime;
        std::thread::spawn;
        std::env::var;
    }
}

/// The checks below see what they look for.
#[test]
fn the_reader_of_sources_sees_words_and_comments() {
    let text = "//! The seed of it.\nlet seedbed = 1; // fault\n";
    assert!(words(text).any(|word| word == "seed"));
    assert!(!words(without_comments(text).as_str()).any(|word| word == "seed" || word == "fault"));
}

/// A source file.
#[derive(Clone)]
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn must_not_say(&self, word: &str, text: &str) {
        for (number, line) in text.lines().enumerate() {
            let says = words(line).any(|other| other.eq_ignore_ascii_case(word));
            assert!(!says, "{}:{}: says `{word}`: {line}", self.path.display(), number + 1);
        }
    }
}

/// The arrows between the files of both packages.
fn house(tests: Tests) -> &'static Graph {
    static WITH_TESTS: LazyLock<Graph> = LazyLock::new(|| read_house(Tests::Included));
    static WITHOUT: LazyLock<Graph> = LazyLock::new(|| read_house(Tests::LeftOut));
    match tests {
        Tests::Included => &WITH_TESTS,
        Tests::LeftOut => &WITHOUT,
    }
}

fn read_house(tests: Tests) -> Graph {
    let all = [sources("src"), sources("sim/src")].concat();
    let texts = all.iter().map(|source| (source.path.to_str().expect("ASCII"), &*source.text));
    Graph::of(texts, tests).without_arrows_to(|file| room(file) == BOUND)
}

/// The room of `sim` that a file lies in, by its module; all of `src` is one.
fn room(file: &str) -> String {
    let place = place_of(file);
    if place[0] == "seedbed" { place[0].clone() } else { place.get(1).unwrap_or(&place[0]).clone() }
}

/// No file of the room `from` takes a name from a file of the rooms `others`.
fn must_not_import(tests: Tests, from: &str, others: &[&str]) {
    let house = house(tests);
    let inside: Vec<&str> = house.files().filter(|file| room(file) == from).collect();
    assert!(!inside.is_empty(), "{from} has files");
    for file in inside {
        for (to, names) in house.from(file) {
            assert!(!others.contains(&&*room(to)), "{file} imports {names:?} of {to}");
        }
    }
}

/// Every file of Rust below `folder`.
fn sources(folder: &str) -> Vec<Source> {
    let mut folders = vec![PathBuf::from(folder)];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a text");
                sources.push(Source { path, text });
            }
        }
    }
    assert!(!sources.is_empty(), "{folder} has sources");
    sources
}

/// Words as Rust has them: `seedbed` and `seed_of` are one word each.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_boundary = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split(is_boundary).filter(|word| !word.is_empty())
}

/// What is left without line comments. A `//` inside a string counts as one too, which hides the
/// rest of its line; no import stands there.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.collect::<Vec<_>>().join("\n")
}
