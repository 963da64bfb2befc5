//! Ctrl-C: a sweep tells what it has so far, a search writes the best file so far.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::verdicts::LOST;
use super::{BUSY, Files, Said};

fn start(files: &Files, arguments: &[&str]) -> Child {
    let mut command = files.command(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
}

#[test]
fn a_sweep_that_is_interrupted_tells_what_it_has() {
    let files = Files::new();
    files.write("busy.toml", BUSY).write("other.toml", BUSY);
    let sweep = ["sweep", "busy.toml", "other.toml", "--seeds", "0..1000000"];
    let child = start(&files, &sweep);
    sleep(Duration::from_secs(1));
    interrupt(&child);
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.status, 130, "{said:?}");
    assert!(said.out.starts_with("busy.toml: interrupted: after "), "{}", said.out);
    assert!(said.out.contains(" of 1,000,000 runs; ") && said.out.contains("per 1,000 seeds"));
    assert!(!said.out.contains("other.toml"), "{}", said.out);
    assert!(said.err.starts_with("interrupted: after "), "{}", said.err);
    assert!(said.err.ends_with(" of 2,000,000 runs\n"), "{}", said.err);
}

#[test]
fn the_runs_before_an_interruption_are_all_told() {
    let files = Files::new();
    files.write("busy.toml", BUSY);
    let mut child =
        start(&files, &["sweep", "busy.toml", "--seeds", "0..1000000", "--json", "-j", "2"]);
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    out.read_line(&mut first).unwrap();
    interrupt(&child);
    let lines: Vec<String> = out.lines().map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let file: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!((&file["verdict"], &file["runs"]), (&"interrupted".into(), &lines.len().into()));
}

#[test]
fn the_second_interruption_ends_the_process_at_once() {
    let files = Files::new();
    // A run of minutes.
    let text = BUSY.replace("safety = '5s'", "safety = '80000s'");
    files.write("long.toml", text.replace("operations = 30", "operations = 100_000"));
    let began = Instant::now();
    let mut child = start(&files, &["sweep", "long.toml", "--seeds", "0..2"]);
    sleep(Duration::from_secs(1));
    interrupt(&child);
    sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "the run under way goes on");
    interrupt(&child);
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!((said.status, &said.out[..]), (130, ""));
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_search_that_is_interrupted_writes_the_best_file_so_far() {
    let files = Files::new();
    // Each run takes long.
    let text = LOST.replace("operations = 30", "operations = 20_000");
    files.write("lost.toml", format!("{text}[phases]\nsafety = '80000s'\n"));
    let child = start(&files, &["shrink", "lost.toml", "--seed", "0", "-o", "small.toml"]);
    sleep(Duration::from_millis(300));
    interrupt(&child);
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.status, 130, "{said:?}");
    assert!(said.err.starts_with("interrupted: after "), "{}", said.err);
    assert_eq!(files.run(&["check", "small.toml"]).status, 0);
}
