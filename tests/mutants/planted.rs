//! The planted mistakes, each built and swept.

use std::collections::BTreeSet;
use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;

use super::Failed;
use super::results::{Measured, Results};
use super::table;
use super::tree::{self, Tree};

/// Where they are written down: those that measure, and those that are named as what must be found.
const FILES: [&str; 2] = ["tests/mutants/planted.toml", "tests/mutants/named.toml"];

/// What the caller wants.
pub struct Arguments {
    pub only: Vec<String>,
    /// Only those of `named.toml`.
    pub is_named: bool,
    pub seeds: u64,
    pub jobs: usize,
}

/// A mistake.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planted {
    pub id: String,
    /// Under `src/proto`.
    pub file: String,
    pub group: Group,
    old: String,
    new: String,
    pub why: String,
    /// Does it stand in the second file?
    #[serde(skip)]
    pub is_named: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Outcomes,
    Progress,
    Recovery,
    Membership,
}

impl Group {
    pub const ALL: [Group; 4] =
        [Group::Outcomes, Group::Progress, Group::Recovery, Group::Membership];

    pub fn name(self) -> &'static str {
        match self {
            Group::Outcomes => "outcomes",
            Group::Progress => "progress",
            Group::Recovery => "recovery",
            Group::Membership => "membership",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    planted: Vec<Planted>,
}

/// Reads the mistakes. Each must fit the sources as they are now.
pub fn load() -> Result<Vec<Planted>, Failed> {
    let mut planted = Vec::new();
    for (file, is_named) in FILES.into_iter().zip([false, true]) {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let read: File = toml::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        planted.extend(read.planted.into_iter().map(|one| Planted { is_named, ..one }));
    }
    let mut ids = BTreeSet::new();
    for mistake in &planted {
        let file = FILES[usize::from(mistake.is_named)];
        let failed = |why: String| format!("{file}: `{}`: {why}", mistake.id);
        if !ids.insert(&mistake.id) {
            return Err(failed("there is another of this id".to_owned()));
        }
        let at = mistake.path();
        let source =
            fs::read_to_string(&at).map_err(|e| failed(format!("{}: {e}", at.display())))?;
        match source.matches(&mistake.old).count() {
            1 => {}
            n => {
                let at = at.display();
                return Err(failed(format!("`old` occurs {n} times in {at}, expected once")));
            }
        }
    }
    Ok(planted)
}

impl Planted {
    fn path(&self) -> PathBuf {
        Path::new("src/proto").join(&self.file)
    }
}

/// Measures, writes down each result as it comes, then the table. Exit status 1 if one that was
/// measured was not found.
pub fn measure(arguments: &Arguments) -> Result<u8, Failed> {
    let all = load()?;
    for id in &arguments.only {
        if !all.iter().any(|mistake| mistake.id == *id) {
            return Err(format!("--only: no mistake `{id}` in {}", FILES.join(" or ")));
        }
    }
    let is_chosen = |mistake: &Planted| {
        arguments.only.is_empty() || arguments.only.iter().any(|id| *id == mistake.id)
    };
    let is_wanted = |mistake: &&Planted| match arguments.is_named {
        true => mistake.is_named && is_chosen(mistake),
        false => is_chosen(mistake),
    };
    let wanted: Vec<&Planted> = all.iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        return Err(format!("--only, --named: none of these stands in {}", FILES[1]));
    }
    let (tree, commit) = (Tree::copy()?, tree::commit()?);
    say(&format!("0/{}: builds the tree as it is", wanted.len()));
    let healthy = tree.keep(&tree.build()?)?;
    let mut results = Results::load()?;
    let (mut missed, mut broken) = (0, 0);
    for (at, mistake) in wanted.iter().enumerate() {
        say(&format!("{}/{}: {}", at + 1, wanted.len(), mistake.id));
        let measured = match measure_one(&tree, &healthy, mistake, arguments, &commit) {
            Ok(measured) => measured,
            // The others may take hours; they are measured all the same.
            Err(why) => {
                eprintln!("scripts/mutants: `{}`: {why}", mistake.id);
                broken += 1;
                continue;
            }
        };
        println!("{}: {}", mistake.id, measured.in_words());
        missed += u8::from(measured.found.is_none());
        match results.put(&mistake.id, &measured) {
            Ok(()) => results.save()?,
            Err(seeds) => println!("{}: kept what {seeds} seeds gave before", mistake.id),
        }
    }
    table::write()?;
    match broken {
        0 => Ok(u8::from(missed > 0)),
        _ => Err(format!("{broken} of {} could not be measured", wanted.len())),
    }
}

fn measure_one(
    tree: &Tree,
    healthy: &Path,
    mistake: &Planted,
    arguments: &Arguments,
    commit: &str,
) -> Result<Measured, Failed> {
    let began = Instant::now();
    tree.with(&mistake.path(), &mistake.old, &mistake.new, || {
        let program = tree.build()?;
        let build = began.elapsed();
        let found = tree.sweep(&program, healthy, arguments.seeds, arguments.jobs)?;
        let (seeds, sweep) = (arguments.seeds, began.elapsed() - build);
        Ok(Measured { found, seeds, commit: commit.to_owned(), build, sweep })
    })
}

/// Progress, on a terminal.
fn say(text: &str) {
    let mut err = std::io::stderr();
    if err.is_terminal() {
        let _ = writeln!(err, "{text}");
    }
}
