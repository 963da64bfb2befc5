//! The mistakes that the files of `tests/mutations` list.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::thing_in_step::Thing;
use super::{Change, Mutation, by_hand};

const FOLDER: &str = "tests/mutations";

/// A file, by area.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Area {
    mutation: Vec<Entry>,
}

/// A mistake as a file has it: what is changed, in one of five ways.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    violates: String,
    mistake: String,
    run: String,
    drop: Option<Thing>,
    beside: Option<Thing>,
    repeat: Option<Thing>,
    alter: Option<Thing>,
    set: Option<toml::Table>,
    end_after: Option<Thing>,
    by_hand: Option<String>,
}

/// Every mistake, file by file.
///
/// # Panics
/// If a file is not well formed, with its name.
pub fn all() -> Vec<Mutation> {
    let entries = std::fs::read_dir(FOLDER).expect("the folder of mutations");
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let all: Vec<Mutation> = files.iter().flat_map(|file| read(file)).collect();
    assert!(!all.is_empty(), "{FOLDER} lists mistakes");
    all
}

fn read(file: &Path) -> Vec<Mutation> {
    let text = std::fs::read_to_string(file).expect("it can be read");
    let area: Area =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mutation = |entry: Entry| {
        let mistake = entry.mistake.clone();
        mutation(entry).unwrap_or_else(|why| panic!("{}: {mistake}: {why}", file.display()))
    };
    area.mutation.into_iter().map(mutation).collect()
}

fn mutation(entry: Entry) -> Result<Mutation, String> {
    let Entry { violates, mistake, run, drop, beside, repeat, alter, set, end_after, by_hand } =
        entry;
    if [&drop, &repeat].into_iter().flatten().any(Thing::arrives) {
        return Err("what arrives can be altered, but not dropped or repeated".to_owned());
    }
    if beside.as_ref().is_some_and(Thing::is_counted) {
        return Err("`nth` makes no sense in `beside`".to_owned());
    }
    let run = PathBuf::from(format!("{FOLDER}/runs/{run}.toml"));
    let change = match (drop, beside, repeat, alter, set, end_after, by_hand) {
        (Some(drop), beside, None, None, None, None, None) => Change::Drop(drop, beside),
        (None, None, Some(repeat), None, None, None, None) => Change::Repeat(repeat),
        (None, None, None, Some(alter), Some(set), None, None) => Change::Set(alter, set),
        (None, None, None, None, None, Some(end), None) => Change::EndAfter(end),
        (None, None, None, None, None, None, Some(name)) => by_hand::find(&name)
            .ok_or_else(|| format!("no function is called `{name}`, see {FOLDER}/README.md"))?,
        _ => {
            let ways = "`drop`, `drop` and `beside`, `repeat`, `alter` and `set`, `end_after`";
            return Err(format!("expected one of {ways}, `by_hand`"));
        }
    };
    Ok(Mutation { violates, mistake, run, change })
}
