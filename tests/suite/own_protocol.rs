//! `docs/own-protocol.md` is what `examples/counter` is: its blocks are the files of that crate,
//! whole and in order, or pieces of `examples/primary_backup`.

use std::collections::BTreeMap;
use std::fs;

use counter::Counter;
use seedbed_sim::reference::markdown;
use seedbed_sim::scenario::Scenario;

const CRATE: &str = "examples/counter";

/// A fenced block and the file that the line before it names.
struct Block {
    file: Option<String>,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut said = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text = text.map(|line| format!("{line}\n")).collect();
            let file = said.strip_prefix('`').and_then(|said| said.split_once('`'));
            blocks.push(Block { file: file.map(|(file, _)| file.to_owned()), text });
            said = "";
        } else if !line.is_empty() {
            said = line;
        }
    }
    blocks
}

/// The lines that say something.
fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

/// A file as the page shows it: the crate stands beside the checkout.
fn shown(file: &str) -> String {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"));
    match file {
        "Cargo.toml" => read(&format!("{CRATE}/Cargo.toml"))
            .replace("path = \"../..\"", "path = \"../seedbed\"")
            .replace("path = \"../../sim\"", "path = \"../seedbed/sim\""),
        ".cargo/config.toml" => {
            let text = read(file);
            text.lines().filter(|line| !line.starts_with('#')).map(|l| format!("{l}\n")).collect()
        }
        _ => read(&format!("{CRATE}/{file}")),
    }
}

#[test]
fn keys_for_what_a_system_has_not_are_refused_and_not_listed() {
    let reference = markdown::<Counter>();
    for name in ["spare", "control", "operator"] {
        assert!(!reference.contains(name), "{name} is in the reference");
    }
    let refused = |text: &str| {
        let text = format!("title = 'x'\n[workload]\n[cluster]\nnodes = 1\n{text}");
        Scenario::<Counter>::parse("x.toml", &text).unwrap_err().to_string()
    };
    let no_operator = "this system has no operator to let a spare node in: count it in `nodes`, or \
                       leave it out";
    let no_control = "this system has no control node: leave it out";
    let chaos = "[chaos]\nkinds = ['crash']\n";
    assert_eq!(refused("spare = 1"), format!("x.toml:5: cluster.spare: {no_operator}"));
    assert_eq!(refused("[swarm]\nspare = [0, 1]"), format!("x.toml:6: swarm.spare: {no_operator}"));
    assert_eq!(
        refused(&format!("{chaos}budget.control_down = true")),
        format!("x.toml:7: chaos.budget.control_down: {no_control}")
    );
    assert_eq!(
        refused(&format!("{chaos}[swarm]\ncontrol_down = 'any'")),
        format!("x.toml:8: swarm.control_down: {no_control}")
    );
}

#[test]
fn the_page_shows_the_whole_crate() {
    let page = fs::read_to_string("docs/own-protocol.md").unwrap();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for Block { file, text } in blocks(&page) {
        match file {
            Some(file) if file.starts_with("examples/") => {
                let source = fs::read_to_string(&file).unwrap();
                assert!(source.contains(&text), "{file} has not:\n{text}");
            }
            Some(file) => files.entry(file).or_default().push_str(&text),
            None => {}
        }
    }
    for (file, text) in &files {
        assert_eq!(lines(text), lines(&shown(file)), "{file}");
    }
    let files: Vec<&str> = files.keys().map(String::as_str).collect();
    let all = [
        ".cargo/config.toml",
        "Cargo.toml",
        "scenarios/a_doubled_request_is_counted_twice.explained",
        "scenarios/a_doubled_request_is_counted_twice.toml",
        "scenarios/an_answer_leaves_before_its_record_is_durable.toml",
        "scenarios/messages_are_lost.toml",
        "src/lib.rs",
        "src/main.rs",
        "src/testbed.rs",
        "tests/scenarios.rs",
    ];
    assert_eq!(files, all);
}
