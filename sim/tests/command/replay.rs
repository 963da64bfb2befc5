//! What is kept of failing runs, and their replay by another process.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::verdicts::{LOST, SCRIPTED};
use super::{BUSY, Files, Said};

/// A file of which runs violate an invariant, though it expects them to pass.
fn violating() -> String {
    BUSY.replace("clients = 2", "clients = 2\ndefects = ['vote_not_forced']")
}

fn unexpected() -> String {
    SCRIPTED.replace("'exists'", "'fenced'")
}

impl Files {
    /// The artifacts that were kept, by name.
    fn kept(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.path("kept")) else { return Vec::new() };
        let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        all.sort();
        all
    }

    /// Keeps the run of one seed of `text`, which fails; the scenario file is gone afterwards.
    fn keep(&self, text: &str, seed: u64) -> String {
        self.write("fails.toml", text);
        let seeds = format!("{seed}..{}", seed + 1);
        let said = self.run(&["sweep", "fails.toml", "--seeds", &seeds, "--json"]);
        assert_eq!(said.status, 1, "{said:?}");
        fs::remove_file(self.path("fails.toml")).unwrap();
        said.objects()[0]["artifact"].as_str().expect("it is kept").to_owned()
    }

    /// Changes an artifact as if it had been written so.
    fn rewrite(&self, artifact: &str, change: impl Fn(&str) -> String) {
        let path = self.path(artifact);
        let text = fs::read_to_string(&path).unwrap();
        let (above, _) = text.trim_end().rsplit_once('\n').unwrap();
        let above = format!("{}\n", change(above));
        let (lines, xxh3) = (above.lines().count(), xxh3_64(above.as_bytes()));
        let closing = format!("{{\"lines\":{lines},\"xxh3\":\"{xxh3:016x}\"}}\n");
        fs::write(path, above + &closing).unwrap();
    }
}

#[test]
fn a_run_of_every_verdict_is_kept_and_replays_to_the_same_digest() {
    let files = Files::new();
    let circle = "../scenarios/lock/two_clients_lock_in_opposite_order.toml";
    let blocked = fs::read_to_string(circle).unwrap().replace("blocks = \"lock_queued\"", "");
    let ruled_out = format!("{BUSY}[expect]\nnever = ['request_done']\n");
    let cases = [
        ("violation", violating(), 3),
        ("starved", LOST.to_owned(), 0),
        ("spinning", format!("{BUSY}[timing]\nlock_lease = '1us'\n"), 3),
        ("unexpected", unexpected(), 0),
        ("ruled_out", ruled_out, 3),
        ("blocked", blocked, 0),
    ];
    for (verdict, text, seed) in cases {
        files.write("fails.toml", &text);
        let object = &files.run(&["run", "fails.toml", "--seed", &seed.to_string(), "--json"]);
        let object = &object.objects()[0];
        assert_eq!(object["verdict"], verdict);
        let said = files.run(&["replay", &files.keep(&text, seed)]);
        let digest = object["digest"].as_str().unwrap();
        let last = format!("steps, digest {digest}, as recorded\n");
        assert!(said.status == 0 && said.out.ends_with(&last), "{verdict}: {said:?}");
        assert!(said.out.contains("\nseedbed replay kept/fails-seed"), "{said:?}");
    }
}

#[test]
fn a_replay_is_explained_as_a_run_is() {
    let files = Files::new();
    let artifact = files.keep(&violating(), 3);
    let replay = files.run(&["replay", &artifact]);
    files.write("fails.toml", violating());
    let run = files.run(&["run", "fails.toml", "--seed", "3"]);
    let is_timed = |line: &&str| !line.contains(" simulated in ") && !line.starts_with("seedbed");
    let lines = |said: &Said| -> Vec<String> {
        said.out.lines().filter(is_timed).map(str::to_owned).collect()
    };
    let (run, replay) = (lines(&run), lines(&replay));
    assert!(run.len() > 10);
    assert_eq!(run[..], replay[..run.len()]);
    assert_eq!(replay.len(), run.len() + 1);
}

#[test]
fn a_sweep_names_what_it_keeps_and_keeps_the_first_ten() {
    let files = Files::new();
    files.write("fails.toml", LOST);
    let said = files.run(&["sweep", "fails.toml", "--seeds", "0..12", "-j", "2"]);
    assert_eq!((said.status, &said.err[..]), (1, ""));
    let named: Vec<&str> =
        said.out.lines().filter_map(|line| line.strip_prefix("  seedbed replay ")).collect();
    let kept = files.kept();
    assert_eq!((named.len(), kept.len()), (10, 10));
    for name in named {
        assert!(kept.contains(&files.path(name)), "{name}");
        assert_eq!(files.run(&["replay", name]).status, 0);
    }
    let again = files.run(&["sweep", "fails.toml", "--seeds", "0..12"]);
    assert_eq!(files.kept(), kept, "the same names: {again:?}");
}

#[test]
fn nothing_is_kept_of_what_does_not_fail_or_is_meant_to_or_where_it_is_not_wanted() {
    let files = Files::new();
    files.write("good.toml", BUSY).write("lost.toml", LOST);
    files.write(
        "meant.toml",
        format!("{LOST}[expect]\nviolates = 'some_request_is_done_or_refused'"),
    );
    let defect = ["--defect", "vote_not_forced"];
    for (arguments, status) in [
        (&["sweep", "good.toml", "meant.toml"][..], 0),
        (&[&["sweep", "good.toml"], &defect[..]].concat(), 0),
        (&["sweep", "lost.toml", "--seeds", "0..2", "--no-artifacts"], 1),
        (&["run", "lost.toml"], 1),
    ] {
        let said = files.run(arguments);
        assert_eq!(said.status, status, "{said:?}");
        assert!(!said.out.contains("replay") && files.kept().is_empty(), "{said:?}");
    }
    let mut command = files.command(&["sweep", "lost.toml", "--seeds", "0..2"]);
    let said = Said::of(command.env("SEEDBED_ARTIFACTS", "").output().unwrap());
    assert!(said.status == 1 && !said.out.contains("replay"), "{said:?}");
}

#[test]
fn where_artifacts_are_kept_can_be_said() {
    let files = Files::new();
    files.write("lost.toml", LOST);
    let sweep = ["sweep", "lost.toml", "--seeds", "0..1"];
    let said = files.run(&[&sweep[..], &["--artifacts", "it's here"]].concat());
    assert!(said.out.contains("  seedbed replay 'it'\\''s here/lost-seed0-"), "{said:?}");
    let mut command = files.command(&sweep);
    command.env_remove("SEEDBED_ARTIFACTS").env("CARGO_TARGET_DIR", "built");
    let said = Said::of(command.output().unwrap());
    assert!(said.out.contains("  seedbed replay built/seedbed/lost-seed0-"), "{said:?}");
    fs::create_dir_all(files.path("target")).unwrap();
    files.write("target/CACHEDIR.TAG", "");
    command.env_remove("CARGO_TARGET_DIR");
    let said = Said::of(command.output().unwrap());
    assert!(said.out.contains("  seedbed replay target/seedbed/lost-seed0-"), "{said:?}");
    let both = files.run(&[&sweep[..], &["--artifacts", "x", "--no-artifacts"]].concat());
    both.refuses("--no-artifacts");
}

#[test]
fn an_artifact_that_cannot_be_written_changes_no_verdict() {
    let files = Files::new();
    files.write("lost.toml", LOST).write("taken", "no folder");
    let said = files.run(&["sweep", "lost.toml", "--seeds", "0..1", "--artifacts", "taken"]);
    assert_eq!(said.status, 1);
    assert!(said.err.starts_with("warning: lost.toml, seed 0: no artifact is kept: "), "{said:?}");
    assert!(said.out.contains("seed 0: starved") && !said.out.contains("replay"), "{said:?}");
}

#[test]
fn where_a_run_parts_from_what_was_recorded_is_said() {
    let files = Files::new();
    let artifact = files.keep(&unexpected(), 0);
    let other = |text: &str, step: u64| -> String {
        let change = |line: &str| {
            let (front, _) = line.split_once(",\"digest\":").unwrap();
            format!("{front},\"digest\":\"0000000000000001\"}}")
        };
        let is_it = |line: &str| line.starts_with(&format!("{{\"step\":{step},"));
        let lines = text.lines();
        let lines = lines.map(|line| if is_it(line) { change(line) } else { line.to_owned() });
        lines.collect::<Vec<String>>().join("\n")
    };
    files.rewrite(&artifact, |text| other(text, 7));
    let said = files.run(&["replay", &artifact]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.starts_with("parts at step 7\nfails.toml, seed 0\n  recorded  "), "{said:?}");
    for what in ["\n  now       ", "\nthe recorded run  unexpected: ", "\nthis run          "] {
        assert!(said.out.contains(what), "{what}: {said:?}");
    }
    let object = &files.run(&["replay", &artifact, "--json"]).objects()[0];
    assert_eq!((&object["same"], &object["seed"]), (&false.into(), &0.into()));
    let parting = &object["parting"];
    assert_eq!((&parting["same"], &parting["differs"]), (&6.into(), &7.into()));
    files.rewrite(&artifact, |text| text.replace("'fenced'", "'locked'"));
    files.run(&["replay", &artifact]).refuses("2: this build refuses its scenario:");
}

#[test]
fn another_build_is_named_and_the_run_is_compared_all_the_same() {
    let files = Files::new();
    let artifact = files.keep(&unexpected(), 0);
    let same = files.run(&["replay", &artifact]);
    assert!(!same.out.contains("written by"), "{same:?}");
    files.rewrite(&artifact, |text| text.replace("\"version\":\"", "\"version\":\"0.0."));
    let said = files.run(&["replay", &artifact]);
    assert!(said.status == 0 && said.out.contains(", as recorded\nwritten by 0.0."), "{said:?}");
    assert!(said.out.contains("; this is "), "{said:?}");
    let object = &files.run(&["replay", &artifact, "--json"]).objects()[0];
    assert_eq!((&object["same"], &object["parting"]), (&true.into(), &Value::Null));
    assert!(object["recorded"]["build"]["version"].as_str().unwrap().starts_with("0.0."));
    assert_eq!(object["recorded"]["digest"], object["now"]["digest"]);
}

#[test]
fn what_is_no_artifact_of_this_command_is_wrong_input() {
    let files = Files::new();
    let artifact = files.keep(&unexpected(), 0);
    let whole = fs::read_to_string(files.path(&artifact)).unwrap();
    let (head, _) = whole.split_at(whole.len() / 2);
    files
        .write("cut.jsonl", head)
        .write("bytes.jsonl", whole.replace("starts", "st\u{fffd}rts"))
        .write("newer.jsonl", whole.replace("_artifact\":1", "_artifact\":9"))
        .write("file.toml", BUSY)
        .write("empty.jsonl", "");
    files.rewrite(&artifact, |text| text.replace("\"system\":\"seedbed\"", "\"system\":\"other\""));
    let of_other = format!("{artifact}:1: an artifact of `other`; this is `seedbed`");
    for (file, what) in [
        ("missing.jsonl", "missing.jsonl: not read: "),
        (".", ".: not read: "),
        ("cut.jsonl", ": cut: the file ends within this line"),
        ("bytes.jsonl", ": corrupt: the "),
        ("newer.jsonl", "newer.jsonl:1: format 9 of artifacts; this build reads format 1"),
        ("file.toml", "file.toml: not an artifact"),
        ("empty.jsonl", "empty.jsonl: not an artifact"),
        (&artifact[..], &of_other[..]),
    ] {
        files.run(&["replay", file]).refuses(what);
    }
    files.run(&["replay"]).refuses("Usage");
}

#[test]
fn an_artifact_is_shrunk_without_its_scenario_file() {
    let files = Files::new();
    let artifact = files.keep(&violating(), 3);
    let said = files.run(&["shrink", &artifact, "-o", "small.toml"]);
    assert_eq!(said.status, 0, "{said:?}");
    let small = fs::read_to_string(files.path("small.toml")).unwrap();
    assert!(small.contains("Shrunk from fails.toml, seed 3.\n"), "{small}");
    assert_eq!(files.run(&["sweep", "small.toml"]).status, 0);
    let other = files.run(&["shrink", &artifact, "--seed", "4", "-o", "other.toml"]);
    assert!([0, 2].contains(&other.status), "{other:?}");
    assert!(other.err.contains("fails.toml, seed 4") || other.status == 0, "{other:?}");
}
