//! Who may know of whom, held by reading the sources.
//!
//! What ships knows nothing of what tests it: `src` does not name the package in `sim`. The
//! protocols know nothing of how they are run. In `sim`, the world knows no oracle, the oracle no
//! run, and only `run` knows the runtime.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
    for source in sources("sim/src/world") {
        source.must_not_import(&["oracle", "simulation", "run", "report", "verdict"]);
    }
}

#[test]
fn the_oracle_knows_no_run() {
    for source in sources("sim/src/oracle") {
        source.must_not_import(&["simulation", "run", "report", "trace"]);
    }
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
fn the_reader_of_sources_sees_words_imports_and_comments() {
    let text =
        "//! The seed of it.\nuse crate::{oracle::Seen, world};\nlet seedbed = 1; // fault\n";
    assert!(words(text).any(|word| word == "seed"));
    assert!(!words(without_comments(text).as_str()).any(|word| word == "seed" || word == "fault"));
    let at = |path: &str, text: &str| {
        let module = module_of(Path::new(path));
        imports(&module, text).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(at("sim/src/world/disk.rs", text), ["oracle", "world"]);
    assert_eq!(at("sim/src/world/disk.rs", "use super::super::run::run;"), ["run"]);
    assert_eq!(at("sim/src/world/mod.rs", "use super::oracle::Oracle;"), ["oracle"]);
    assert_eq!(at("sim/src/world/disk.rs", "use super::Event;"), ["world"]);
    assert_eq!(at("sim/src/world/disk.rs", "mod tests { use super::*; }"), ["world"]);
    assert_eq!(at("sim/src/world/mod.rs", "use super::*; run();"), [""; 0]);
    assert_eq!(at("sim/src/run.rs", "fn f(s: crate::simulation::Simulation) {}"), ["simulation"]);
}

/// A source file.
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

    fn must_not_import(&self, modules: &[&str]) {
        let imported = imports(&module_of(&self.path), &without_comments(&self.text));
        let bad = modules.iter().find(|module| imported.contains(**module));
        assert!(bad.is_none(), "{}: imports `{}`", self.path.display(), bad.unwrap_or(&""));
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

/// The modules around the contents of a file, from the root: `sim/src/world/disk.rs` is `world`,
/// `disk`.
fn module_of(path: &Path) -> Vec<String> {
    let inside = path.components().skip_while(|part| part.as_os_str() != "src").skip(1);
    let mut parts: Vec<String> = inside
        .map(|part| part.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned())
        .collect();
    parts.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_str()));
    parts
}

/// The top modules of its own crate that a file names by a path from `crate` or `super`.
///
/// A path that begins in a module written inside the file is taken for one of the file itself, so
/// it may seem to reach one module higher than it does, never lower.
fn imports(module: &[String], text: &str) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        imports.extend(heads(&text[at + "crate::".len()..]));
    }
    for (at, _) in text.match_indices("super::") {
        if text[..at].ends_with("super::") {
            continue; // counted from its first
        }
        let mut rest = &text[at..];
        let mut up = 0;
        while let Some(next) = rest.strip_prefix("super::") {
            (rest, up) = (next, up + 1);
        }
        match module.len().checked_sub(up) {
            Some(0) | None => imports.extend(heads(rest)),
            Some(_) => imports.extend(module.first().cloned()),
        }
    }
    imports
}

/// The first names of a path: one, or those of a group in braces.
fn heads(path: &str) -> Vec<String> {
    // `*` has none.
    let name = |text: &str| {
        let text = text.trim_start();
        text.starts_with(char::is_alphabetic).then(|| words(text).next().map(str::to_owned))?
    };
    let Some(group) = path.strip_prefix('{') else { return name(path).into_iter().collect() };
    let mut depth = 0;
    let mut heads = Vec::new();
    let mut start = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                heads.extend(name(&group[start..at]));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    heads
}
