//! The document with what was measured: `docs/measured-power.md`.

use std::fmt::Write as _;
use std::fs;

use toml::Value;

use super::Failed;
use super::planted::{self, Group, Planted};
use super::results::{Measured, Results};
use super::sweep::Found;

const FILE: &str = "docs/measured-power.md";
/// Above this line the document is written by hand.
const MARK: &str = "<!-- From here on `scripts/mutants` writes. -->";

/// Writes the tables into the document, behind what is written there by hand.
pub fn write() -> Result<(), Failed> {
    let text = fs::read_to_string(FILE).map_err(|error| format!("{FILE}: {error}"))?;
    let (by_hand, _) = text.split_once(MARK).ok_or_else(|| format!("{FILE}: no line `{MARK}`"))?;
    let (all, results) = (planted::load()?, Results::load()?);
    let mut text = format!("{by_hand}{MARK}\n");
    let (named, all): (Vec<Planted>, _) = all.into_iter().partition(|one| one.is_named);
    let title = "Planted by a fresh reader";
    let command = "scripts/mutants planted";
    planted_tables(&mut text, title, command, &all, &results).expect("a string takes everything");
    let title = "Named as what must be found";
    let command = "scripts/mutants planted --named";
    planted_tables(&mut text, title, command, &named, &results).expect("a string takes everything");
    sampled_tables(&mut text, &results).expect("a string takes everything");
    fs::write(FILE, text).map_err(|error| format!("{FILE}: {error}"))
}

fn planted_tables(
    text: &mut String,
    title: &str,
    command: &str,
    all: &[Planted],
    results: &Results,
) -> std::fmt::Result {
    let measured: Vec<(&Planted, Measured)> =
        all.iter().filter_map(|one| Some((one, results.planted(&one.id)?))).collect();
    writeln!(text, "\n## {title}\n")?;
    writeln!(text, "    {command}\n")?;
    writeln!(text, "| group | planted | measured | found | within 50 seeds | median seed |")?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for group in Group::ALL {
        let of = |one: &Planted| one.group == group;
        let planted = all.iter().filter(|one| of(one)).count();
        let here = measured.iter().filter(|(one, _)| of(one)).map(|(_, measured)| measured);
        summary(text, group.name(), planted, here)?;
    }
    summary(text, "all", all.len(), measured.iter().map(|(_, measured)| measured))?;
    writeln!(text, "\n| mistake | file | found by | scenario | seed |")?;
    writeln!(text, "|---|---|---|---|---|")?;
    for group in Group::ALL {
        writeln!(text, "| **{}** | | | | |", group.name())?;
        for (one, measured) in measured.iter().filter(|(one, _)| one.group == group) {
            let Planted { id, file, why, .. } = one;
            write!(text, "| `{id}`: {why} | `{file}` | ")?;
            match &measured.found {
                Some(Found { scenario, seed, verdict, what }) => {
                    let how = match verdict.as_str() {
                        "violation" | "starved" | "ruled_out" => format!("`{what}`"),
                        other => format!("{other}: {}", what.replace('|', "\\|")),
                    };
                    let scenario = scenario.trim_start_matches("scenarios/");
                    writeln!(text, "{how} | `{scenario}` | {seed} |")?;
                }
                None => writeln!(text, "**not found** | in {} seeds | |", measured.seeds)?,
            }
        }
    }
    Ok(())
}

/// One line: how many were found, and the median of the seeds, those not found counted as above
/// all others.
fn summary<'a>(
    text: &mut String,
    name: &str,
    planted: usize,
    measured: impl Iterator<Item = &'a Measured>,
) -> std::fmt::Result {
    let mut seeds: Vec<u64> = measured
        .map(|measured| measured.found.as_ref().map_or(u64::MAX, |found| found.seed))
        .collect();
    seeds.sort_unstable();
    let found = seeds.iter().filter(|seed| **seed < u64::MAX).count();
    let soon = seeds.iter().filter(|seed| **seed < 50).count();
    let median = match seeds.get(seeds.len().saturating_sub(1) / 2) {
        Some(&u64::MAX) => "none".to_owned(),
        Some(seed) => seed.to_string(),
        None => "-".to_owned(),
    };
    let measured = seeds.len();
    writeln!(text, "| {name} | {planted} | {measured} | {found} | {soon} | {median} |")
}

fn sampled_tables(text: &mut String, results: &Results) -> std::fmt::Result {
    writeln!(text, "\n## Drawn by cargo-mutants\n")?;
    writeln!(text, "    scripts/mutants sample\n")?;
    if results.sampled().next().is_none() {
        return writeln!(text, "Nothing has been measured yet.");
    }
    writeln!(text, "| shard | seeds | viable | caught | endless | survivors |")?;
    writeln!(text, "|---|---|---|---|---|---|")?;
    for (shard, of) in results.sampled() {
        let number = |key: &str| of.get(key).and_then(Value::as_integer).unwrap_or(0);
        let missed = of.get("missed").and_then(Value::as_table).map_or(0, |missed| missed.len());
        let (seeds, caught, endless) = (number("seeds"), number("caught"), number("endless"));
        let viable = caught + endless + i64::try_from(missed).unwrap_or(i64::MAX);
        writeln!(text, "| {shard} | {seeds} | {viable} | {caught} | {endless} | {missed} |")?;
    }
    writeln!(text, "\n| survivor | because |\n|---|---|")?;
    for (_, of) in results.sampled() {
        for (name, survivor) in of.get("missed").and_then(Value::as_table).into_iter().flatten() {
            let because = survivor.get("because").and_then(Value::as_str).unwrap_or_default();
            let because = if because.is_empty() { "**not looked at**" } else { because };
            writeln!(text, "| `{}` | {because} |", name.replace('|', "\\|"))?;
        }
    }
    Ok(())
}
