//! `grammar`, and files in which several things are wrong.

use super::*;

#[test]
fn the_grammar_is_printed_whole_by_table_or_as_markdown() {
    let files = Files::new();
    let said = files.run(&["grammar"]);
    assert!(said.status == 0 && said.out.contains("\n[[fault]]: "), "{said:?}");
    for name in ["fault", "[[fault]]"] {
        let said = files.run(&["grammar", name]);
        assert!(said.status == 0 && said.out.starts_with("[[fault]]: "), "{said:?}");
        assert!(said.out.contains("\n    restart_after  "), "{}", said.out);
        assert!(said.out.lines().all(|line| line.chars().count() <= 100), "{}", said.out);
    }
    let said = files.run(&["grammar", "--markdown"]);
    assert!(said.status == 0 && said.out.contains("\n## `[[fault]]`\n"), "{}", said.out);
    files.run(&["grammar", "falt"]).refuses("unknown table `falt`; did you mean `fault`?");
    files.run(&["grammar", "qqq"]).refuses("unknown table `qqq`, expected `file`, `seeds`, ");
    files.run(&["grammar", "fault", "--markdown"]).refuses("--markdown");
}

#[test]
fn every_error_of_a_file_is_a_line() {
    let files = Files::new();
    files.write("bad.toml", "title = 't'\nseed = 3\n[workload]\nkind = 'files'\npaths = 0\n");
    for command in ["run", "sweep", "check"] {
        let said = files.run(&[command, "bad.toml"]);
        said.refuses("error: bad.toml:2: seed: unknown key; did you mean `seeds`?\n");
        said.refuses("error: bad.toml:5: workload.paths: expected a whole number, ");
        assert_eq!(said.err.lines().count(), 2, "{said:?}");
    }
}
