//! A failing run becomes a small file.

use std::fs;
use std::path::Path;

use super::{BUSY, Files};

/// What `shrink` writes of the example in README.md, which runs at the root of the repository.
fn of_readme(more: &[&str]) -> super::Said {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the root");
    let files = Files::new();
    let mut command = files.command(&["shrink", "scenarios/mixed/files.toml", "--seed", "4"]);
    command.current_dir(root).args(["--defect", "token_restarts"]).args(more);
    super::Said::of(command.output().unwrap())
}

#[test]
fn readme_shows_what_is_written() {
    let said = of_readme(&[]);
    assert_eq!(said.status, 0, "{said:?}");
    let readme = fs::read_to_string("../README.md").unwrap();
    assert!(readme.contains(&format!("```toml\n{}```", said.out)), "{}", said.out);
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(
        lines[0].starts_with("violation tokens_grow: 1 fault, 2 scripts, no rule; "),
        "{said:?}"
    );
    assert_eq!(lines[1], "without its defects it passes");
    assert_eq!(lines[2], "any seed shows it: seedbed run FILE --seed 0");
    assert_eq!(of_readme(&["-j", "1"]).out, said.out);
    assert_eq!(of_readme(&["-j", "3"]).out, said.out);
}

#[test]
fn a_file_is_written_where_none_is() {
    let files = Files::new();
    let text = BUSY.replace("clients = 2", "clients = 2\ndefects = ['vote_not_forced']");
    files.write("busy.toml", text).write("taken.toml", "as it was");
    let shrink = |output: &str| files.run(&["shrink", "busy.toml", "--seed", "3", "-o", output]);
    let said = shrink("small.toml");
    assert!(said.status == 0 && said.out.is_empty(), "{said:?}");
    assert!(said.err.contains("seedbed run small.toml --seed 0"), "{said:?}");
    assert_eq!(files.run(&["sweep", "small.toml"]).status, 0);
    shrink("taken.toml").refuses("taken.toml: is there already");
    assert_eq!(fs::read_to_string(files.path("taken.toml")).unwrap(), "as it was");
    shrink("no/folder.toml").refuses("no/folder.toml: not written");
}

#[test]
fn what_cannot_be_shrunk_is_wrong_input() {
    let files = Files::new();
    files.write("busy.toml", BUSY).write("key.toml", "title = 't'\nscripts = 1\n");
    let passes = files.run(&["shrink", "busy.toml", "--seed", "3"]);
    passes.refuses("busy.toml, seed 3: the run passes, but for what `[expect]` may say");
    passes.refuses("`seedbed sweep busy.toml` looks for seeds that fail");
    files.run(&["shrink", "key.toml", "--seed", "3"]).refuses("did you mean `script`?");
    files.run(&["shrink", "missing.toml", "--seed", "3"]).refuses("missing.toml: not read");
    files.run(&["shrink", "busy.toml"]).refuses("--seed");
    let high = u64::MAX.to_string();
    files.run(&["shrink", "busy.toml", "--seed", &high]).refuses("no file can say a seed above");
    files.run(&["shrink", "busy.toml", "--seed", "x"]).refuses("invalid value 'x'");
    files.run(&["shrink", "busy.toml", "--seed", "3", "--runs", "0"]).refuses("--runs");
    files
        .run(&["shrink", "busy.toml", "--seed", "3", "--defect", "vote_not_forcd"])
        .refuses("did you mean `vote_not_forced`?");
}
