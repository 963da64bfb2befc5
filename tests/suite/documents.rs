//! What the documents name is there: the file or folder of each link, and each path in backticks.
//!
//! A path in backticks may begin anywhere below the root: `world/event.rs`. Blocks of code are not
//! read. The tables of what was measured name files as they were then.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const DOCUMENTS: &[&str] = &[
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/lost-disks.md",
    "docs/own-protocol.md",
    "docs/scenario-reference.md",
    "docs/semantics.md",
    "tests/mutants/README.md",
    "tests/mutations/README.md",
];

#[test]
fn every_path_in_a_document_leads_somewhere() {
    let there = paths_below(Path::new("."));
    let ends_one = |path: &str| there.iter().any(|it| it.ends_with(path.trim_end_matches('/')));
    for document in DOCUMENTS {
        let text = std::fs::read_to_string(document).unwrap_or_else(|e| panic!("{document}: {e}"));
        let folder = Path::new(document).parent().expect("a file is in a folder");
        for (number, line) in prose(&text) {
            let links = targets(line).filter(|target| !folder.join(target).exists());
            let names = in_backticks(line).filter(|name| is_path(name) && !ends_one(name));
            let lost: Vec<&str> = links.chain(names).collect();
            assert!(lost.is_empty(), "{document}:{number}: not there: {lost:?}");
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_seen() {
    let line = "[`a.rs`](src/a.rs) and `world/b.rs`, `x`, `c/`, `a / b`";
    assert_eq!(targets(line).collect::<Vec<_>>(), ["src/a.rs"]);
    let names: Vec<&str> = in_backticks(line).filter(|name| is_path(name)).collect();
    assert_eq!(names, ["world/b.rs", "c/"]);
    assert!(!paths_below(Path::new("docs")).iter().any(|path| path.ends_with("world/b.rs")));
}

/// The lines outside blocks of code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        (!is_code && !is_fence).then_some((number, line))
    })
}

/// The files that the links of a line lead to.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

/// What stands in backticks and is not the text of a link.
fn in_backticks(line: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = line.split('`').collect();
    let count = parts.len();
    (1..count).step_by(2).filter(move |at| at + 1 < count).filter_map(move |at| {
        let is_link = parts[at + 1].starts_with("](");
        (!is_link).then_some(parts[at])
    })
}

/// Is it written like a file of the repository, or like a folder of it? What is built is not there
/// yet.
fn is_path(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let is_file = [".rs", ".toml", ".md", ".explained"].iter().any(|end| name.ends_with(end));
    let is_folder = name.ends_with('/') && name.len() > 1;
    let is_built = name.starts_with("target/");
    name.chars().all(is_plain) && !is_built && (is_folder || is_file && name.contains('/'))
}

fn paths_below(root: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().expect("an entry has a name").to_string_lossy();
            if path.is_dir() && name != "target" && name != ".git" {
                folders.push(path.clone());
            }
            all.insert(path);
        }
    }
    all
}
