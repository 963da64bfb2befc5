//! What the oracle sees, measured: mistakes are planted in `src/proto`, and the general scenarios
//! are swept until a run ends otherwise than with a pass. `scripts/mutants` builds this and says
//! how it is called; `README.md` beside it says what its files are.

mod planted;
mod results;
mod sweep;
mod table;
mod tree;

use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

/// Why it cannot go on, in words for the caller.
type Failed = String;

/// The seeds of one measurement, if the caller does not say how many.
const SEEDS: u64 = 2_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(status) => ExitCode::from(status),
        Err(failed) => {
            eprintln!("scripts/mutants: {failed}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &[String]) -> Result<u8, Failed> {
    let (command, rest) = arguments.split_first().ok_or("no command; try --help")?;
    match command.as_str() {
        "planted" => planted::measure(&planted_arguments(rest)?),
        "table" if rest.is_empty() => table::write().map(|()| 0),
        "table" => Err("`table` takes no arguments".to_owned()),
        "sampled" => match rest {
            [shard, seeds, folder, commit] => {
                results::take_in(shard, number("--seeds", seeds)?, folder, commit)
            }
            _ => {
                Err("`sampled` takes a shard, a number of seeds, a folder and a commit".to_owned())
            }
        },
        "commit" => tree::commit().map(|commit| {
            println!("{commit}");
            0
        }),
        "sweep" => {
            let mut options = Options::new(rest);
            options.read()?;
            let seeds = options.seeds.ok_or("`sweep` needs --seeds A..B")?;
            sweep::sweep(range(&seeds)?, options.jobs, options.healthy.as_deref().map(Path::new))
        }
        "run" => match rest {
            [scenario, seed] => sweep::run_one(scenario, seed.parse().map_err(|_| "no seed")?),
            _ => Err("`run` takes a scenario and a seed".to_owned()),
        },
        other => Err(format!("unknown command `{other}`; try --help")),
    }
}

fn planted_arguments(rest: &[String]) -> Result<planted::Arguments, Failed> {
    let mut options = Options::new(rest);
    options.read()?;
    let seeds = options.seeds.map_or(Ok(SEEDS), |seeds| number("--seeds", &seeds))?;
    Ok(planted::Arguments {
        only: options.only,
        is_named: options.is_named,
        seeds,
        jobs: options.jobs,
    })
}

struct Options<'a> {
    rest: &'a [String],
    seeds: Option<String>,
    jobs: usize,
    only: Vec<String>,
    is_named: bool,
    /// The program of the code as it is.
    healthy: Option<String>,
}

impl Options<'_> {
    fn new(rest: &[String]) -> Options<'_> {
        Options { rest, seeds: None, jobs: 1, only: Vec::new(), is_named: false, healthy: None }
    }

    fn read(&mut self) -> Result<(), Failed> {
        while let Some((name, rest)) = self.rest.split_first() {
            if name == "--named" {
                (self.is_named, self.rest) = (true, rest);
                continue;
            }
            let value = || rest.first().cloned().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--only" => self.only.push(value()?),
                "--healthy" => self.healthy = Some(value()?),
                "--seeds" => self.seeds = Some(value()?),
                "-j" | "--jobs" => {
                    let jobs = usize::try_from(number(name, &value()?)?).ok();
                    self.jobs = jobs.ok_or("-j: more than there can be")?;
                }
                _ => return Err(format!("unknown option `{name}`; try --help")),
            }
            self.rest = &rest[1..];
        }
        Ok(())
    }
}

fn number(option: &str, text: &str) -> Result<u64, Failed> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| format!("{option}: expected a whole number from 1 on, found `{text}`"))
}

fn range(text: &str) -> Result<Range<u64>, Failed> {
    let ends = text.split_once("..").and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    let ends = ends.filter(|seeds: &Range<u64>| !seeds.is_empty());
    ends.ok_or_else(|| {
        format!("--seeds: expected A..B with A below B, such as 0..50, found `{text}`")
    })
}
