//! `sweep --coverage`: matrices, JSON, and files that demand cells.

use serde_json::Value;

use super::{BUSY, Files};

#[test]
fn a_sweep_says_what_it_has_covered_with_any_number_of_jobs() {
    let files = Files::new();
    files.write("a.toml", BUSY).write("b.toml", BUSY.replace("start = 3", "start = 40"));
    let sweep = |jobs| files.run(&["sweep", "a.toml", "b.toml", "--coverage", "-j", jobs]);
    let matrices = |jobs| {
        let said = sweep(jobs);
        assert_eq!(said.status, 0, "{said:?}");
        let lines = said.out.lines().skip_while(|line| !line.starts_with("coverage: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let one = matrices("1");
    assert!(one[0].starts_with("coverage: in how many of 24 seeds each cell was seen"), "{one:?}");
    assert!(one[1].starts_with("  what a fault met: "), "{one:?}");
    assert_eq!(one[2].split_whitespace().collect::<Vec<_>>(), ["crash", "partition"]);
    assert!(one.iter().any(|line| line.starts_with("    empty: ")), "{one:?}");
    assert!(one.iter().all(|line| line.len() <= 160));
    for jobs in ["2", "7"] {
        assert_eq!(matrices(jobs), one, "-j {jobs}");
    }
    let plain = files.run(&["sweep", "a.toml"]);
    assert!(!plain.out.contains("coverage"), "{plain:?}");
}

#[test]
fn the_last_object_has_every_cell_and_no_digest_changes() {
    let files = Files::new();
    files.write("a.toml", BUSY);
    let digests = |more: &[&str]| {
        let said = files.run(&[&["sweep", "a.toml", "--json"], more].concat());
        let of = |object: &Value| object.get("digest").cloned();
        (said.objects().iter().filter_map(of).collect::<Vec<_>>(), said)
    };
    let ((plain, _), (watched, said)) = (digests(&[]), digests(&["--coverage"]));
    assert_eq!((plain.len(), plain), (12, watched));
    let objects = said.objects();
    let coverage = objects.last().expect("an object");
    assert_eq!(coverage["runs"], 12);
    let covered = coverage["covered"].as_object().expect("all cells");
    assert_eq!(covered.len(), files.run(&["cells"]).out.lines().count());
    assert!(covered["partition/idle"].as_u64().is_some_and(|seeds| seeds > 0));
    assert_eq!(covered["refused/queue_full"], 0);
    for impossible in ["pause/idle", "crash/client_asking", "crash/joiner", "delayed/begin"] {
        assert_eq!(covered[impossible], Value::Null, "{impossible}");
    }
}

#[test]
fn a_file_whose_cell_no_seed_sees_is_vacuous() {
    let files = Files::new();
    let covered = |cell: &str| format!("{BUSY}[expect]\ncovered = ['{cell}']\n");
    files.write("seen.toml", covered("partition/idle"));
    files.write("missed.toml", covered("refused/queue_full"));
    files.write("wrong.toml", covered("crash/ilde"));
    assert_eq!(files.run(&["sweep", "seen.toml"]).status, 0);
    let said = files.run(&["sweep", "missed.toml"]);
    assert_eq!(said.status, 1);
    let why = "missed.toml: vacuous: of 12 seeds none covered `refused/queue_full`; ";
    assert!(said.out.starts_with(why), "{said:?}");
    files.run(&["check", "wrong.toml"]).refuses(
        "wrong.toml:17: expect.covered[0]: unknown cell `crash/ilde`, expected one that `seedbed \
         cells` lists; did you mean `crash/idle`?",
    );
}
