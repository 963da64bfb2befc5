//! What was measured, as it is kept between calls: `results.toml`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use toml::{Table, Value};

use super::Failed;
use super::sweep::Found;
use super::table;

const FILE: &str = "tests/mutants/results.toml";

const HEAD: &str = "\
# What `scripts/mutants` has measured; README.md beside it has the keys. `planted` is written by it alone; of `sampled` the
# key `because` of a survivor is written by hand: why it is equivalent, or what closes it.

";

/// One planted mistake, measured.
#[derive(Clone, Debug)]
pub struct Measured {
    pub found: Option<Found>,
    /// With how many seeds at most.
    pub seeds: u64,
    /// The commit whose protocols, world and oracle it were.
    pub commit: String,
    pub build: Duration,
    pub sweep: Duration,
}

impl Measured {
    pub fn in_words(&self) -> String {
        let (build, sweep) = (self.build.as_secs(), self.sweep.as_secs());
        let times = format!("({build} s to build, {sweep} s to sweep)");
        match &self.found {
            Some(Found { scenario, seed, verdict, what }) => {
                format!("{verdict} of {what}, {scenario}, seed {seed} {times}")
            }
            None => format!("not found in {} seeds {times}", self.seeds),
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Results(Table);

impl Results {
    pub fn load() -> Result<Results, Failed> {
        if !Path::new(FILE).exists() {
            return Ok(Results::default());
        }
        let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
        text.parse().map(Results).map_err(|error| format!("{FILE}: {error}"))
    }

    pub fn save(&self) -> Result<(), Failed> {
        let text = format!("{HEAD}{}", self.0);
        fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))
    }

    /// Takes in a measurement. One with more seeds before says more and is kept: then the error is
    /// how many.
    pub fn put(&mut self, id: &str, measured: &Measured) -> Result<(), u64> {
        if let Some(before) = self.planted(id).filter(|before| before.seeds > measured.seeds) {
            return Err(before.seeds);
        }
        let mut entry = Table::new();
        entry.insert("commit".to_owned(), Value::String(measured.commit.clone()));
        entry.insert("seeds".to_owned(), whole(measured.seeds));
        if let Some(Found { scenario, seed, verdict, what }) = &measured.found {
            let text = |text: &str| Value::String(text.to_owned());
            entry.insert("scenario".to_owned(), text(scenario));
            entry.insert("seed".to_owned(), whole(*seed));
            entry.insert("verdict".to_owned(), text(verdict));
            entry.insert("what".to_owned(), text(what));
        }
        self.table("planted").insert(id.to_owned(), Value::Table(entry));
        Ok(())
    }

    pub fn planted(&self, id: &str) -> Option<Measured> {
        let entry = self.0.get("planted")?.get(id)?;
        let text = |key| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key| entry.get(key)?.as_integer().and_then(|n| u64::try_from(n).ok());
        let found = text("scenario").and_then(|scenario| {
            let (seed, verdict, what) = (number("seed")?, text("verdict")?, text("what")?);
            Some(Found { scenario, seed, verdict, what })
        });
        let (build, sweep) = (Duration::ZERO, Duration::ZERO);
        let (seeds, commit) = (number("seeds")?, text("commit").unwrap_or_default());
        Some(Measured { found, seeds, commit, build, sweep })
    }

    /// The shards of the sample.
    pub fn sampled(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.get("sampled").and_then(Value::as_table).into_iter().flatten()
    }

    fn table(&mut self, name: &str) -> &mut Table {
        let entry = self.0.entry(name).or_insert_with(|| Value::Table(Table::new()));
        if !entry.is_table() {
            *entry = Value::Table(Table::new());
        }
        entry.as_table_mut().expect("it has just been made one")
    }
}

fn whole(number: u64) -> Value {
    Value::Integer(whole_of(number))
}

fn whole_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Takes in what cargo-mutants has left in `folder`. What was said of a survivor before is kept.
pub fn take_in(shard: &str, seeds: u64, folder: &str, commit: &str) -> Result<u8, Failed> {
    let lines = |name: &str| -> Result<Vec<String>, Failed> {
        let at = Path::new(folder).join(name);
        let text = fs::read_to_string(&at).map_err(|e| format!("{}: {e}", at.display()))?;
        Ok(text.lines().map(str::to_owned).collect())
    };
    let (caught, endless) = (lines("caught.txt")?.len(), lines("timeout.txt")?.len());
    let (missed, unviable) = (lines("missed.txt")?, lines("unviable.txt")?.len());
    let mut results = Results::load()?;
    let shards = results.table("sampled");
    let before = shards.get(shard).and_then(|old| old.get("missed")).cloned();
    let seeds_before = shards.get(shard).and_then(|old| old.get("seeds")?.as_integer());
    if let Some(more) = seeds_before.filter(|before| *before > whole_of(seeds)) {
        return Err(format!("shard {shard}: {more} seeds were measured before, and are kept"));
    }
    let mut entry = Table::new();
    for (key, number) in [("caught", caught), ("endless", endless), ("unviable", unviable)] {
        entry.insert(key.to_owned(), whole(number as u64));
    }
    entry.insert("seeds".to_owned(), whole(seeds));
    entry.insert("commit".to_owned(), Value::String(commit.to_owned()));
    let because = |name: &String| {
        let text = before.as_ref().and_then(|old| old.get(name)?.get("because")?.as_str());
        let text = Value::String(text.unwrap_or_default().to_owned());
        Value::Table([("because".to_owned(), text)].into_iter().collect())
    };
    let survivors: Table = missed.iter().map(|name| (name.clone(), because(name))).collect();
    entry.insert("missed".to_owned(), Value::Table(survivors));
    shards.insert(shard.to_owned(), Value::Table(entry));
    results.save()?;
    table::write()?;
    Ok(u8::from(!missed.is_empty()))
}
