//! What stands for files: folders, and `-` for standard input.

use std::io::Write as _;

use super::*;

fn with_input(files: &Files, arguments: &[&str], input: &str) -> Said {
    let mut command = files.command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Said::of(child.wait_with_output().unwrap())
}

#[test]
fn check_tells_the_owners_of_paths() {
    let files = Files::new();
    let scripts = "title = 'owners'\nabout = 'x'\n[cluster]\nnodes = 3\nreplicas = 2\n\
        [[script]]\nclient = 'c1'\nat = '1s'\nrename = '/a'\nto = '/long'\n\
        [[script]]\nclient = 'c1'\nat = '2s'\nacquire = '/lock'\n";
    files.write("scripts.toml", scripts).write("busy.toml", BUSY);
    let said = files.run(&["check", "--owners", "scripts.toml", "busy.toml"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines[1..4], ["  /a     n3 n2", "  /lock  n2 n3", "  /long  n1 n3"]);
    assert_eq!(lines[4..], ["busy.toml: ok: much goes on", "  asks for no path by itself"]);
}

#[test]
fn a_folder_stands_for_all_files_in_it_and_below() {
    let files = Files::new();
    fs::create_dir_all(files.path("all/b")).unwrap();
    fs::create_dir_all(files.path("none/more")).unwrap();
    files.write("all/c.toml", BUSY).write("all/b/x.toml", BUSY).write("all/a.toml", BUSY);
    files.write("all/notes.txt", "no scenario").write("none/more/notes.txt", "");
    let ok = |names: &[&str]| {
        names.iter().map(|name| format!("{name}: ok: much goes on\n")).collect::<String>()
    };
    let said = files.run(&["check", "all"]);
    assert_eq!((said.status, said.out), (0, ok(&["all/a.toml", "all/b/x.toml", "all/c.toml"])));
    let said = files.run(&["check", "all/b", "all/a.toml"]);
    assert_eq!((said.status, said.out), (0, ok(&["all/b/x.toml", "all/a.toml"])));
    let said = files.run(&["sweep", "all", "--seeds", "0..1", "--json"]);
    let files_of: Vec<_> = said.objects().iter().map(|it| it["scenario"].clone()).collect();
    assert_eq!(said.status, 0, "{said:?}");
    assert_eq!(files_of[3..], ["all/a.toml", "all/b/x.toml", "all/c.toml"]);
    for command in ["sweep", "check"] {
        files.run(&[command, "none"]).refuses("none: no `*.toml` in it or below");
    }
    files.run(&["run", "all"]).refuses("all: a folder, expected one file");
    files.write("all/b/bad.toml", "").run(&["sweep", "all"]).refuses("all/b/bad.toml: title");
}

#[test]
fn a_dash_stands_for_standard_input_and_only_once() {
    let files = Files::new();
    let said = with_input(&files, &["check", "-"], BUSY);
    assert_eq!((said.status, &*said.out), (0, "-: ok: much goes on\n"));
    let said = with_input(&files, &["run", "-", "--seed", "4", "--json"], BUSY);
    let of_file = files.write("a.toml", BUSY).run(&["run", "a.toml", "--seed", "4", "--json"]);
    assert_eq!(said.objects()[0]["digest"], of_file.objects()[0]["digest"]);
    let said = with_input(&files, &["sweep", "-", "--seeds", "0..1"], BUSY);
    assert!(said.status == 0 && said.out.starts_with("-: as expected"), "{said:?}");
    let wrong = BUSY.replace("paths = 2", "paths = 0");
    with_input(&files, &["run", "-"], &wrong).refuses("-:7: workload.paths: expected a whole");
    let said = with_input(&files, &["check", "-", "-"], BUSY);
    assert!(said.status == 2 && said.out.starts_with("-: ok: "), "{said:?}");
    assert!(said.err.contains("-: standard input can be read only once"), "{said:?}");
    with_input(&files, &["check", "-"], &"#".repeat((1 << 20) + 1)).refuses("longer than 1048576");
}
