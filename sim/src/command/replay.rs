//! `replay`: the run of an artifact again, step by step beside what was recorded.

use std::path::Path;

use serde::Serialize;

use super::arguments::ReplayArguments;
use super::output::{Output, complain};
use super::run::{layout, watched};
use super::timed_run::{Played, play};
use super::{Done, Status, json};
use crate::artifact::{Artifact, Build, Difference, Ending, Header, Parting, Replay, replay_line};
use crate::report::{History, Line, Tone, explain};
use crate::scenario::Scenario;
use crate::text::Thousands;
use crate::under_test::UnderTest;

pub(super) fn replay<S: UnderTest>(arguments: &ReplayArguments, output: &mut Output) -> Done {
    let Some((artifact, scenario)) = load::<S>(&arguments.artifact) else {
        return Ok(Status::WrongInput);
    };
    let mut watcher = (History::default(), Replay::new(&artifact));
    let played = play(&scenario, artifact.header.seed, &mut watcher);
    let (history, replay) = watcher;
    let (ending, difference) = replay.finish(&played.run);
    let this = Replayed { path: &arguments.artifact, artifact: &artifact, ending, difference };
    if arguments.json {
        json::object(output, &this.object())?;
    } else {
        let lines = match this.difference {
            None => this.same(&scenario, &played, history),
            Some(_) => this.apart(),
        };
        lines.iter().try_for_each(|line| output.toned(line))?;
    }
    Ok(if this.difference.is_none() { Status::AsExpected } else { Status::NotAsExpected })
}

/// Reads an artifact with its scenario, or complains.
pub(super) fn load<S: UnderTest>(path: &Path) -> Option<(Artifact, Scenario<S>)> {
    let complain = |line: &dyn std::fmt::Display| complain(&format!("error: {line}"));
    let artifact = Artifact::load(path).map_err(|error| complain(&error)).ok()?;
    let Header { system, file, .. } = &artifact.header;
    if system != S::COMMAND.name {
        let (path, this) = (path.display(), S::COMMAND.name);
        complain(&format!("{path}:1: an artifact of `{system}`; this is `{this}`"));
        return None;
    }
    match Scenario::parse(file, &artifact.scenario) {
        Ok(scenario) => Some((artifact, scenario)),
        Err(errors) => {
            complain(&format!("{}:2: this build refuses its scenario:", path.display()));
            errors.lines().for_each(|line| complain(&line));
            None
        }
    }
}

/// A run that is over, beside the recorded one.
struct Replayed<'a> {
    path: &'a Path,
    artifact: &'a Artifact,
    ending: Ending,
    difference: Option<Difference>,
}

impl Replayed<'_> {
    /// What is said if nothing differs: all that `run` says, and that it is as recorded.
    fn same<S: UnderTest>(
        &self,
        scenario: &Scenario<S>,
        played: &Played<S>,
        history: History<S>,
    ) -> Vec<Line> {
        let seed = played.run.seed;
        let mut lines = explain(scenario, &watched(scenario, played, history), layout());
        // The scenario file may have changed, or be gone.
        let of_file = crate::report::run_line(scenario, seed);
        if lines.last().is_some_and(|line| line.text == of_file) {
            lines.pop();
        }
        lines.push(plain(replay_line::<S>(self.path)));
        let (steps, digest) = (Thousands(self.ending.steps), self.ending.digest);
        let text = format!("replayed: {steps} steps, digest {digest}, as recorded");
        lines.push(Line { tone: Tone::Good, text });
        lines.extend(self.builds());
        lines
    }

    /// What is said if something differs.
    fn apart(&self) -> Vec<Line> {
        let (headline, details) = match &self.difference {
            Some(Difference::Steps(parting)) => (where_they_part(parting), details(parting)),
            Some(Difference::Verdict) | None => {
                ("the same steps, and another verdict".to_owned(), Vec::new())
            }
        };
        let header = &self.artifact.header;
        let mut lines = vec![Line { tone: Tone::Bad, text: headline }];
        lines.push(plain(format!("{}, seed {}", header.file, header.seed)));
        lines.extend(details);
        lines.push(plain(format!("the recorded run  {}", ended(&header.ending))));
        lines.push(plain(format!("this run          {}", ended(&self.ending))));
        lines.extend(self.builds());
        lines
    }

    /// Another build may well run otherwise.
    fn builds(&self) -> Option<Line> {
        let (theirs, ours) = (&self.artifact.header.build, Build::this());
        let text = format!("written by {theirs}; this is {ours}");
        (theirs != ours).then_some(Line { tone: Tone::Faint, text })
    }

    fn object(&self) -> Object<'_> {
        let header = &self.artifact.header;
        let parting = match &self.difference {
            Some(Difference::Steps(parting)) => Some(Part::of(parting)),
            Some(Difference::Verdict) | None => None,
        };
        Object {
            artifact: self.path.display().to_string(),
            scenario: &header.file,
            seed: header.seed,
            same: self.difference.is_none(),
            parting,
            recorded: Run { build: &header.build, ending: &header.ending },
            now: Run { build: Build::this(), ending: &self.ending },
        }
    }
}

fn plain(text: String) -> Line {
    Line { tone: Tone::Plain, text }
}

fn where_they_part(parting: &Parting) -> String {
    let (first, last) = (Thousands(parting.same + 1), Thousands(parting.differs));
    match parting.same + 1 == parting.differs {
        true => format!("parts at step {last}"),
        false => format!("parts between step {first} and step {last}"),
    }
}

fn details(parting: &Parting) -> Vec<Line> {
    let mut lines = vec![
        plain(format!("  recorded  {}", parting.recorded)),
        plain(format!("  now       {}", parting.now)),
    ];
    if parting.is_of_what_followed() {
        lines
            .push(plain("  the event is the same, and not what followed from it; now:".to_owned()));
        lines.extend(parting.followed.iter().map(|line| plain(format!("  {line}"))));
    }
    lines
}

fn ended(ending: &Ending) -> String {
    let steps = Thousands(ending.steps);
    format!("{}; {steps} steps, digest {}", ending.said(), ending.digest)
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Object<'a> {
    artifact: String,
    scenario: &'a str,
    seed: u64,
    /// Are steps and verdict as recorded?
    same: bool,
    /// Where the steps differ; null if they do not.
    parting: Option<Part<'a>>,
    recorded: Run<'a>,
    now: Run<'a>,
}

/// Where the steps of two runs differ.
#[derive(Debug, Serialize)]
struct Part<'a> {
    /// The last step up to which they are known to be the same.
    same: u64,
    /// The first in which they are known to differ.
    differs: u64,
    recorded: &'a str,
    now: &'a str,
}

impl<'a> Part<'a> {
    fn of(parting: &'a Parting) -> Part<'a> {
        let Parting { same, differs, recorded, now, .. } = parting;
        Part { same: *same, differs: *differs, recorded, now }
    }
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    build: &'a Build,
    #[serde(flatten)]
    ending: &'a Ending,
}
