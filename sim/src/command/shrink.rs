//! `shrink`: a failing run, of a file or of an artifact, becomes a small scenario file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::ShrinkArguments;
use super::jobs::cores;
use super::output::{Output, complain};
use super::replay::load;
use super::{Done, Status, interrupt};
use crate::artifact::Artifact;
use crate::report::replay_line;
use crate::scenario::text_of;
use crate::shrink::{NotShrunk, Shrinking, Shrunk, SoFar};
use crate::under_test::UnderTest;

pub(super) fn shrink<S: UnderTest>(arguments: &ShrinkArguments<S>, output: &mut Output) -> Done {
    let began = Instant::now();
    let Some(Failing { name, text, seed }) = failing(arguments) else {
        return Ok(Status::WrongInput);
    };
    // Before the search: what cannot be written is not searched for.
    let output_file = arguments.output.as_deref();
    if let Some(why) = output_file.and_then(why_not_written) {
        return refuse([why]);
    }
    let ShrinkArguments { defect, runs, jobs, .. } = *arguments;
    interrupt::listen();
    let bar = bar();
    let telling = bar.clone();
    let tell = move |SoFar { runs, size }| {
        telling.set_position(runs);
        telling.set_message(size.to_string());
    };
    let mut shrinking = match Shrinking::<S>::new(&name, &text, seed, defect) {
        Ok(new) => new.until(interrupt::has_come).jobs(jobs.unwrap_or_else(cores)).telling(tell),
        Err(NotShrunk::Refused(errors)) => return refuse(errors.lines()),
        Err(why @ NotShrunk::Passes) => {
            let sweep = format!("{} sweep {name}", S::COMMAND.name);
            return refuse([format!(
                "{name}, seed {seed}: {why}; `{sweep}` looks for seeds that fail"
            )]);
        }
        Err(why @ NotShrunk::SeedTooHigh) => return refuse([format!("--seed {seed}: {why}")]),
    };
    shrinking.shrink(runs);
    bar.finish_and_clear();
    let is_interrupted = interrupt::has_come();
    if is_interrupted {
        complain(&format!("interrupted: after {} runs", shrinking.runs()));
    }
    let verdict = shrinking.kind().verdict.clone();
    let shrunk = shrinking.finish();
    match output_file {
        None => output.text(&shrunk.file)?,
        Some(path) => {
            let written =
                new_file(path).and_then(|mut file| file.write_all(shrunk.file.as_bytes()));
            if let Err(error) = written {
                output.text(&shrunk.file)?; // the search may have taken long
                return refuse([format!("{}: not written: {error}", path.display())]);
            }
        }
    }
    let written = output_file.unwrap_or(Path::new("FILE")).display().to_string();
    said::<S>(&shrunk, &verdict, seed, &written, began);
    Ok(if is_interrupted { Status::Interrupted } else { Status::AsExpected })
}

/// The run that is to be shrunk.
struct Failing {
    /// The name of its file.
    name: String,
    /// What the file says.
    text: String,
    seed: u64,
}

/// Reads the file, or the artifact; complains if that, or the seed, is not to be had.
fn failing<S: UnderTest>(arguments: &ShrinkArguments<S>) -> Option<Failing> {
    let path = &arguments.file;
    if Artifact::is_at(path) {
        let (Artifact { header, scenario, .. }, _) = load::<S>(path)?;
        let seed = arguments.seed.unwrap_or(header.seed);
        return Some(Failing { name: header.file, text: scenario, seed });
    }
    let name = path.display().to_string();
    let complain = |line: String| complain(&format!("error: {line}"));
    let text = text_of(path).map_err(|errors| errors.lines().for_each(complain)).ok()?;
    if arguments.seed.is_none() {
        complain(format!("{name}: --seed N is missing: only an artifact has a seed of its own"));
    }
    Some(Failing { name, text, seed: arguments.seed? })
}

/// Says on standard error what the search has found.
fn said<S: UnderTest>(shrunk: &Shrunk, verdict: &str, seed: u64, written: &str, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    complain(&format!("{verdict}: {}; {} runs in {seconds:.1}s", shrunk.size, shrunk.runs));
    match shrunk.passes_without_defects {
        Some(true) => complain("without its defects it passes"),
        Some(false) => complain("without its defects it fails too"),
        None => {}
    }
    let seed = if shrunk.needs_no_seed { 0 } else { seed };
    let which = if shrunk.needs_no_seed { "any seed" } else { "this seed" };
    complain(&format!("{which} shows it: {}", replay_line::<S>(written, seed)));
}

fn refuse(lines: impl IntoIterator<Item = impl std::fmt::Display>) -> Done {
    lines.into_iter().for_each(|line| complain(&format!("error: {line}")));
    Ok(Status::WrongInput)
}

/// Why no new file can be at `path`, as far as can be seen now.
fn why_not_written(path: &Path) -> Option<String> {
    if path.exists() {
        return Some(format!("{}: is there already, and is not overwritten", path.display()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let missing = folder.filter(|folder| !folder.is_dir())?;
    Some(format!("{}: not written: there is no folder {}", path.display(), missing.display()))
}

/// A file that was not there: nothing is lost.
fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Drawn on a terminal only.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {pos} runs, {per_sec}: {msg}");
    let bar = ProgressBar::new_spinner();
    bar.with_style(style.expect("a template that is right"))
}
