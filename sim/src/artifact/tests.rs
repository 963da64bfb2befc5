//! What is written is read, what was changed is refused, and replays part where they part.

mod bytes;
mod partings;

use seedbed::machine::Time;
use seedbed::proto::FileService;

use super::*;
use crate::file_service::{Event, Scenario, Step, World};
use crate::run;
use crate::verdict::RunReport;
use crate::world::Watcher;

/// A file of which no run ends as it says.
const FAILS: &str = "title = 'a file is made'\n[cluster]\nnodes = 1\nreplicas = 1\n\
    [[script]]\nclient = 'c1'\nat = '1s'\ncreate = '/a'\ndata = 'x'\nanswer = 'unknown'\n\
    [phases]\nprobes = false\n";

fn scenario() -> Scenario {
    Scenario::parse("a/fails.toml", FAILS).unwrap()
}

/// Panics when this step begins, as a machine does.
struct PanicsAt(u64);

impl Watcher<FileService> for PanicsAt {
    fn begins(&mut self, world: &World, _at: Time, _event: &Event) {
        assert!(world.steps() + 1 < self.0, "it panics");
    }

    fn watch(&mut self, _world: &World, _step: &Step) {}
}

fn artifact_of(run: &RunReport<FileService>, recorder: &Recorder<FileService>) -> String {
    Failing { scenario: &scenario(), text: FAILS, run, recorder }.artifact()
}

/// The artifact of seed 7, the run of which may panic in a step.
fn written(panics_at: u64) -> String {
    let mut watcher = (Recorder::default(), PanicsAt(panics_at));
    let run = run::run(&scenario(), 7, &mut watcher);
    artifact_of(&run, &watcher.0)
}

fn read(text: &str) -> Artifact {
    Artifact::parse("x.jsonl", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn replayed(artifact: &Artifact, panics_at: u64) -> (Ending, Option<Difference>) {
    let scenario = Scenario::parse(&artifact.header.file, &artifact.scenario).unwrap();
    let mut watcher = (Replay::new(artifact), PanicsAt(panics_at));
    let run = run::run(&scenario, artifact.header.seed, &mut watcher);
    watcher.0.finish(&run)
}

#[test]
fn what_is_written_is_read_and_replays_to_the_same_end() {
    let artifact = read(&written(u64::MAX));
    let Header { system, file, seed, ending, .. } = &artifact.header;
    assert_eq!((&system[..], &file[..], *seed), ("seedbed", "a/fails.toml", 7));
    assert_eq!(ending.verdict, "unexpected");
    assert_eq!(artifact.scenario, FAILS);
    let steps: Vec<u64> = artifact.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, (1..=ending.steps).collect::<Vec<u64>>());
    assert_eq!(artifact.steps.last().unwrap().digest, Some(ending.digest));
    assert_eq!(run::run(&scenario(), 7, &mut ()).digest, ending.digest.0);
    assert_eq!(artifact.steps[0].said(), "control starts");
    let (again, difference) = replayed(&artifact, u64::MAX);
    assert_eq!((&again, difference), (ending, None));
}

#[test]
fn of_a_panic_the_steps_up_to_it_are_kept_and_replay_to_the_same() {
    let artifact = read(&written(5));
    let ending = &artifact.header.ending;
    assert_eq!((&ending.verdict[..], ending.steps), ("panic", 4));
    assert_eq!(artifact.steps.len(), 5);
    let (last, before) = (&artifact.steps[4], &artifact.steps[3]);
    assert_eq!((last.digest, before.digest), (None, Some(ending.digest)));
    assert!(last.event.is_some());
    assert_eq!(replayed(&artifact, 5).1, None);
}

#[test]
fn a_panic_before_the_first_step_is_kept_too() {
    let artifact = read(&written(1));
    assert_eq!((artifact.header.ending.steps, artifact.steps.len()), (0, 1));
    assert_eq!(replayed(&artifact, 1).1, None);
    assert!(replayed(&artifact, 2).1.is_some());
}

#[test]
fn another_file_seed_or_text_has_another_name() {
    let recorder = Recorder::default();
    let name = |file: &str, text: &str, seed: u64| {
        let scenario = Scenario::parse(file, text).unwrap();
        let run = RunReport::without_figures(seed, crate::verdict::Verdict::Pass);
        Failing { scenario: &scenario, text, run: &run, recorder: &recorder }.file_name()
    };
    let other = format!("{FAILS}# changed\n");
    let names = [
        name("mixed/files.toml", FAILS, 4),
        name("swarm/files.toml", FAILS, 4),
        name("a/mixed/files.toml", FAILS, 4),
        name("mixed/files.toml", FAILS, 5),
        name("mixed/files.toml", &other, 4),
    ];
    assert!(names[0].starts_with("mixed-files-seed4-"), "{}", names[0]);
    let all: std::collections::BTreeSet<&String> = names.iter().collect();
    assert_eq!(all.len(), names.len());
}

#[test]
fn a_run_that_is_not_the_same_again_is_told() {
    let recorder = Recorder::default();
    let run = run::run(&scenario(), 7, &mut ());
    let other = run::run(&scenario(), 8, &mut ());
    let failing = Failing { scenario: &scenario(), text: FAILS, run: &run, recorder: &recorder };
    assert_eq!(failing.not_the_same(&run), None);
    assert!(failing.not_the_same(&other).unwrap().starts_with("run twice, and not the same: "));
}
