//! The command as a shell sees it: exit status, what is said where, JSON, order.

#![cfg(feature = "command")]

mod coverage;
mod files;
mod grammar;
mod interrupt;
mod readme;
mod replay;
mod run;
mod shrink;
mod verdicts;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use seedbed_sim::file_service::Milestone;
use serde_json::Value;
use tempfile::TempDir;

const BUSY: &str = "title = 'much goes on'\n[cluster]\nclients = 2\n[workload]\nkind = 'files'\n\
    operations = 30\npaths = 2\n[chaos]\nkinds = ['crash', 'partition']\n\
    [phases]\nsafety = '5s'\nliveness = '40s'\n[seeds]\nstart = 3\ncount = 12\n";

/// Files of one test, in a folder of its own, gone with it.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Files {
        fs::write(self.path(name), text).unwrap();
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        command.current_dir(&self.0).args(arguments).env_remove("CLICOLOR_FORCE");
        command.env("SEEDBED_ARTIFACTS", "kept");
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }
}

#[derive(Debug)]
struct Said {
    status: i32,
    out: String,
    err: String,
}

impl Said {
    /// The object that is printed.
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn of(output: Output) -> Said {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let status = output.status.code().expect("ended by itself");
        Said { status, out: text(output.stdout), err: text(output.stderr) }
    }

    /// Wrong input: status 2, and standard error names what it is.
    #[track_caller]
    fn refuses(&self, what: &str) {
        assert_eq!(self.status, 2, "{self:?}");
        assert!(self.err.contains(what), "{what}: {self:?}");
        assert!(self.out.is_empty() && !self.err.contains("panicked"), "{self:?}");
    }

    fn objects(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn a_file_that_cannot_be_used_is_wrong_input_and_is_said_to_be() {
    let files = Files::new();
    files
        .write("key.toml", "title = 'x'\n[workload]\nkind = 'files'\noperatons = 3\n")
        .write("text.toml", "this is not a scenario")
        .write("empty.toml", "")
        .write("bytes.toml", b"title = '\xff\xfe'")
        .write("long.toml", vec![b'#'; (1 << 20) + 1])
        .write("good.toml", BUSY);
    let wrong = [
        ("missing.toml", "missing.toml: not read"),
        ("key.toml", "key.toml:4: workload.operatons: unknown key; did you mean `operations`?"),
        ("text.toml", "text.toml:1"),
        ("empty.toml", "empty.toml"),
        ("bytes.toml", "not UTF-8"),
        ("long.toml", "longer than 1048576 bytes"),
    ];
    for (file, what) in wrong {
        for command in ["run", "sweep", "check"] {
            files.run(&[command, file]).refuses(what);
        }
    }
    let all: Vec<&str> = wrong.iter().map(|(file, _)| *file).collect();
    let said = files.run(&[&["sweep", "good.toml"], &all[..]].concat());
    for (_, what) in wrong {
        said.refuses(what);
    }
    let said = files.run(&["check", "good.toml", "key.toml"]);
    assert_eq!((said.status, &said.out[..]), (2, "good.toml: ok: much goes on\n"));
}

#[test]
fn arguments_that_make_no_sense_are_wrong_input() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    let sweep = |more: &[&str]| files.run(&[&["sweep", "good.toml"], more].concat());
    sweep(&["--defect", "vote_not_forcd"]).refuses("did you mean `vote_not_forced`?");
    sweep(&["--defect", "zzz"]).refuses("`seedbed defects` lists them");
    for range in ["", "5", "5..", "..5", "a..b", "-3..4", "5..5", "6..5", "0..=3", "1..2..3"] {
        sweep(&[&format!("--seeds={range}")]).refuses("--seeds");
    }
    sweep(&["--seeds", "5..5"]).refuses("no seed lies from 5 up to and without 5");
    for jobs in ["0", "-1", "x", "100000"] {
        sweep(&[&format!("-j={jobs}")]).refuses("--jobs");
    }
    for wrong in [&["run"][..], &["sweep"], &["check"], &[], &["walk"], &["run", "a", "b"]] {
        files.run(wrong).refuses("Usage");
    }
    for seed in ["x", "-1", "18446744073709551616", "0.5"] {
        files.run(&["run", "good.toml", &format!("--seed={seed}")]).refuses("--seed");
    }
    for (command, option, value) in
        [("run", "--seed", "-1"), ("sweep", "--seeds", "-3..4"), ("sweep", "-j", "-1")]
    {
        let said = files.run(&[command, "good.toml", option, value]);
        said.refuses(&format!("invalid value '{value}' for '"));
    }
}

#[test]
fn every_subcommand_has_help_with_an_example() {
    let files = Files::new();
    let commands = [
        "run",
        "sweep",
        "replay",
        "shrink",
        "check",
        "grammar",
        "defects",
        "invariants",
        "milestones",
        "cells",
    ];
    for command in commands {
        let said = files.run(&[command, "--help"]);
        assert_eq!(said.status, 0);
        assert!(said.out.contains("Example"), "{}", said.out);
        assert!(said.out.contains(&format!("  seedbed {command}")), "{}", said.out);
        assert!(said.out.lines().all(|line| line.chars().count() <= 100), "{}", said.out);
    }
    let said = files.run(&["--help"]);
    assert!(said.status == 0 && commands.iter().all(|name| said.out.contains(name)));
    assert!(said.out.starts_with("Runs scenarios of a simulated cluster "), "{}", said.out);
}

#[test]
fn a_run_is_explained_and_its_status_tells_whether_the_file_expects_it() {
    let files = Files::new();
    let other = "[expect]\nviolates = 'participants_agree'\n";
    files.write("good.toml", BUSY).write("other.toml", format!("{BUSY}{other}"));
    let said = files.run(&["run", "good.toml"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.starts_with("pass: 26 done, 4 refused, 0 unknown; every"), "{}", said.out);
    assert!(said.out.contains("good.toml, seed 3: much goes on"), "{}", said.out);
    assert!(said.out.ends_with("seedbed run good.toml --seed 3\n"), "{}", said.out);
    let said = files.run(&["run", "other.toml"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("another seed may show it: violates = \"participants_agree\""));
}

#[test]
fn a_trace_has_a_line_for_each_step() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    let said = files.run(&["run", "good.toml", "--seed", "4", "--trace"]);
    assert_eq!(said.status, 0);
    let object = &files.run(&["run", "good.toml", "--seed", "4", "--json"]).objects()[0];
    let (trace, _) = said.out.split_once("\n\n").unwrap();
    let step = |line: &str| line.split_whitespace().next().unwrap().parse::<u64>().unwrap();
    let mut steps: Vec<u64> = trace.lines().map(step).collect();
    steps.dedup();
    let all: Vec<u64> = (1..=object["steps"].as_u64().unwrap()).collect();
    assert_eq!(steps, all);
}

#[test]
fn a_run_as_json_has_the_promised_fields() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    let said = files.run(&["run", "good.toml", "--json", "--seed", "18446744073709551615"]);
    let objects = said.objects();
    let object = objects[0].as_object().unwrap();
    let keys: Vec<&str> = object.keys().map(String::as_str).collect();
    let expected = "asked digest done forced_writes invariant messages refused scenario seed \
                    sim_ns step steps unknown verdict wall_ns why";
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(sorted.join(" "), expected.split_whitespace().collect::<Vec<_>>().join(" "));
    assert_eq!(object["verdict"], "pass");
    assert_eq!(object["seed"], u64::MAX);
    assert_eq!((&object["invariant"], &object["why"]), (&Value::Null, &Value::Null));
    let digest = object["digest"].as_str().unwrap();
    assert!(digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert!(object["wall_ns"].as_u64().unwrap() > 0);
}

#[test]
fn a_history_has_the_fields_of_jepsen_and_is_the_same_every_time() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    let run = |more: &[&str]| files.run(&[&["run", "good.toml", "--seed", "4"], more].concat());
    let read = |name: &str| fs::read_to_string(files.path(name)).unwrap();
    let said = run(&["--history", "a.jsonl"]);
    assert!(said.status == 0 && said.out.starts_with("pass: 25 done"), "{said:?}");
    files.write("b.jsonl", "x".repeat(1 << 20));
    assert_eq!(run(&["--history", "b.jsonl", "--json"]).objects()[0]["verdict"], "pass");
    assert_eq!(read("a.jsonl"), read("b.jsonl"), "what was there before is gone");
    let said = run(&["--history", "-"]);
    assert_eq!((said.status, &said.out), (0, &read("a.jsonl")));
    let lines = said.objects();
    let mut open = std::collections::BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["index"], index);
        assert!(line["time"].is_u64() && !line["value"].is_null(), "{line}");
        assert!(["txn", "acquire", "release"].contains(&line["f"].as_str().unwrap()), "{line}");
        let process = line["process"].as_u64().unwrap();
        match (line["type"].as_str().unwrap(), open.remove(&process)) {
            ("invoke", None) => drop(open.insert(process, line["request"].clone())),
            ("ok" | "fail" | "info", Some(request)) => assert_eq!(line["request"], request),
            other => panic!("{other:?}: {line}"),
        }
    }
    assert!(lines.len() > 20 && lines.is_sorted_by_key(|line| line["time"].as_u64()));
}

#[test]
fn a_history_that_cannot_be_written_is_wrong_input_before_anything_is_run() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    for path in [".", "missing/history.jsonl"] {
        files.run(&["run", "good.toml", "--history", path]).refuses("not written");
    }
    files.run(&["run", "good.toml", "--history"]).refuses("--history");
    files.run(&["run", "good.toml", "--trace", "--history", "-"]).refuses("standard output");
    files.run(&["run", "good.toml", "--json", "--history", "-"]).refuses("standard output");
    let whole = files.path("good.toml").display().to_string();
    for path in ["good.toml", "./good.toml", &whole] {
        files.run(&["run", "good.toml", "--history", path]).refuses("is the scenario file");
    }
    assert_eq!(fs::read_to_string(files.path("good.toml")).unwrap(), BUSY);
    files.write("kept.jsonl", "kept").run(&["run", "missing.toml", "--history", "kept.jsonl"]);
    assert_eq!(fs::read_to_string(files.path("kept.jsonl")).unwrap(), "kept");
}

/// The objects without what depends on the machine.
fn comparable(said: &Said) -> Vec<Value> {
    let mut objects = said.objects();
    for object in &mut objects {
        object.as_object_mut().unwrap().remove("wall_ns").expect("every object has it");
    }
    objects
}

#[test]
fn a_sweep_gives_the_same_results_in_the_same_order_with_any_number_of_jobs() {
    let files = Files::new();
    files.write("a.toml", BUSY).write("b.toml", BUSY.replace("start = 3", "start = 40"));
    let sweep = |jobs| files.run(&["sweep", "a.toml", "b.toml", "--json", "-j", jobs]);
    let one = sweep("1");
    assert_eq!(one.status, 0, "{}", one.err);
    let objects = comparable(&one);
    for jobs in ["2", "7"] {
        assert_eq!(comparable(&sweep(jobs)), objects, "-j {jobs}");
    }
    let seeds: Vec<u64> = objects[..24].iter().map(|run| run["seed"].as_u64().unwrap()).collect();
    assert_eq!(seeds, (3..15).chain(40..52).collect::<Vec<_>>());
    assert_eq!(objects.len(), 26);
    for (file, name) in objects[24..].iter().zip(["a.toml", "b.toml"]) {
        assert_eq!(file["scenario"], name);
        assert_eq!(file["verdict"], "as_expected");
        assert_eq!(file["runs"], 12);
        assert!(file["counts"]["request_done"].is_u64());
        assert!(file["counts"]["crashed_in_doubt"].is_u64());
    }
}

#[test]
fn a_sweep_says_how_files_did() {
    let files = Files::new();
    let other = format!("{BUSY}[expect]\nviolates = 'participants_agree'\n");
    files.write("good.toml", BUSY).write("other.toml", other);
    let said = files.run(&["sweep", "good.toml", "--seeds", "0..5"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.starts_with("good.toml: as expected: 5 of 5 runs show it; "));
    for what in ["per 1,000 seeds", "done", "aborted by conflict", "in doubt", "steps/s", "seeds/s"]
    {
        assert!(said.out.contains(what), "{what}: {}", said.out);
    }
    assert!(said.err.is_empty(), "no bar but on a terminal: {}", said.err);
    let said = files.run(&["sweep", "other.toml", "--seeds", "0..5", "--json"]);
    assert_eq!(said.status, 1);
    let file = &said.objects()[5];
    assert_eq!(file["verdict"], "vacuous");
    assert_eq!(file["reason"], "no seed violated `participants_agree`");
}

#[test]
fn names_are_listed_with_a_line_each() {
    let files = Files::new();
    let said = files.run(&["defects"]);
    assert_eq!((said.status, said.out.lines().count()), (0, seedbed::proto::Defect::ALL.len()));
    assert!(said.out.contains("vote_not_forced  "));
    let said = files.run(&["milestones"]);
    let is_row = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let rows: Vec<&str> = said.out.lines().filter(is_row).collect();
    assert_eq!((said.status, rows.len()), (0, Milestone::all().count()));
    assert!(!said.out.contains("settled_durable "), "it stands in checkpoints only");
    let columns = |line: &&str| line.find("  ").is_some_and(|at| line.len() > at + 2);
    assert!(rows.iter().all(columns));
    assert!(said.out.contains("# transactions; roles: coordinator, participant, owner\n"));
    let managed = |name: &str| {
        let row = rows.iter().find(|row| row.starts_with(&format!("{name} "))).unwrap();
        row.ends_with(" (managed)")
    };
    assert!(managed("view_active") && managed("chunk_sent") && !managed("all_voted"), "{rows:?}");
    assert_eq!(files.run(&["invariants"]).status, 0);
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let files = Files::new();
    files.write("good.toml", BUSY).write("bad.toml", "title = 3");
    for arguments in [&["run", "good.toml"][..], &["sweep", "good.toml"], &["run", "bad.toml"]] {
        let said = files.run(arguments);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{said:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error_of_its_own() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    let full = || fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let commands = [&["milestones"][..], &["run", "good.toml"], &["check", "good.toml"]];
    let histories = [&["run", "good.toml", "--history", "-"][..]];
    for arguments in commands.into_iter().chain(histories) {
        let said = Said::of(files.command(arguments).stdout(full()).output().unwrap());
        said.refuses("cannot write the output");
    }
    let said = files.run(&["run", "good.toml", "--history", "/dev/full"]);
    assert_eq!(said.status, 2, "{said:?}");
    assert!(said.err.contains("--history /dev/full: not written"), "{said:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_panic() {
    let files = Files::new();
    files.write("good.toml", BUSY);
    let commands = [
        &["milestones"][..],
        &["run", "good.toml", "--trace"],
        &["sweep", "good.toml", "--json", "--seeds", "0..100000"],
    ];
    for arguments in commands {
        let mut command = files.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut err = String::new();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert!(child.wait().unwrap().code().is_some_and(|code| code <= 1), "{arguments:?}");
        assert_eq!(err, "", "{arguments:?}");
    }
}
