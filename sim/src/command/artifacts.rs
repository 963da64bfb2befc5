//! Failing runs are kept as artifacts.

use std::path::PathBuf;

use super::arguments::SweepArguments;
use super::files::Loaded;
use super::output::complain;
use super::timed_run::play;
use crate::artifact::{Failing, Folder, Recorder};
use crate::under_test::UnderTest;
use crate::verdict::RunReport;

/// Where a sweep keeps artifacts; nowhere if it is not to.
pub(super) fn folder<S: UnderTest>(arguments: &SweepArguments<S>) -> Option<Folder> {
    match &arguments.artifacts {
        _ if arguments.no_artifacts => None,
        Some(path) => Some(Folder::at(path)),
        None => Folder::of_environment(),
    }
}

/// Runs what `failed` reports once more, keeps it as an artifact in `folder` and says where. It
/// complains if it cannot; the sweep goes on.
pub(super) fn keep<S: UnderTest>(
    folder: &Folder,
    loaded: &Loaded<S>,
    failed: &RunReport<S>,
) -> Option<PathBuf> {
    let Loaded { scenario, text } = loaded;
    let mut recorder = Recorder::default();
    let run = play(scenario, failed.seed, &mut recorder).run;
    let failing = Failing { scenario, text, run: &run, recorder: &recorder };
    let warn = |what: String| complain(&format!("warning: {}, seed {what}", scenario.file));
    if let Some(why) = failing.not_the_same(failed) {
        warn(format!("{}: {why}", failed.seed));
    }
    let kept = folder.put(&failing.file_name(), &failing.artifact());
    kept.map_err(|error| warn(format!("{}: no artifact is kept: {error}", failed.seed))).ok()
}
