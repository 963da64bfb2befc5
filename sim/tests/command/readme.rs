//! README.md shows what the commands print that it names.

use std::fs;
use std::path::Path;

use super::Files;

/// What a command prints at the root of the repository.
fn printed(arguments: &[&str]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the root");
    let files = Files::new();
    let mut command = files.command(arguments);
    command.current_dir(root);
    super::Said::of(command.output().unwrap()).out
}

fn readme() -> String {
    fs::read_to_string("../README.md").unwrap()
}

/// The text without how long a run really took.
fn timeless(text: &str) -> String {
    let timeless = |line: &str| match line.split_once(" simulated in ") {
        Some((before, after)) => {
            let after = after.split_once(';').map_or("", |(_, after)| after);
            format!("{before} simulated;{after}\n")
        }
        None => format!("{line}\n"),
    };
    text.lines().map(timeless).collect()
}

#[test]
fn a_failing_run_is_shown_from_the_sweep_to_the_explanation() {
    let readme = timeless(&readme());
    let of_defect = ["scenarios/mixed/files.toml", "--defect", "token_restarts"];
    let swept =
        printed(&[&["sweep", "--no-artifacts", "--seeds", "0..10"], &of_defect[..]].concat());
    let swept: String = swept.lines().take(3).map(|line| format!("{line}\n")).collect();
    assert!(readme.contains(&format!("```text\n{swept}```")), "README.md should say\n{swept}");
    let explained = timeless(&printed(&[&["run", "--seed", "4"], &of_defect[..]].concat()));
    let shown = format!("```text\n{explained}```");
    assert!(readme.contains(&shown), "README.md should say\n{explained}");
}
