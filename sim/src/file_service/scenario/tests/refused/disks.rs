//! Disks that a file says something impossible of.

use super::*;

#[test]
fn faults_of_disks_that_make_no_sense() {
    let at = |lines: &str| wrong(&format!("[[fault]]\nat = '1s'\n{lines}"));
    for kind in ["slow_disk", "stalled_disk", "full_disk"] {
        let sync = if kind == "slow_disk" { "\nsync = ['1ms', '2ms']" } else { "" };
        assert_eq!(
            at(&format!("{kind} = 'c1'{sync}")),
            format!(
                "4: fault[0].{kind}: expected a machine with a log, and a client has none, \
                 found `'c1'`"
            )
        );
    }
    assert_eq!(
        at("slow_disk = 'n1'"),
        "2: fault[0].sync: missing, expected two durations such as [\"50ms\", \"80ms\"]"
    );
    assert_eq!(
        at("full_disk = 'n1'\nsync = ['1ms', '2ms']"),
        "5: fault[0].sync: does not go with `full_disk`"
    );
    assert_eq!(
        at("crash = 'n1'\nkeeps = 'some'"),
        "5: fault[0].keeps: unknown number of records `some`, expected `all` or `none`"
    );
    assert_eq!(
        at("crash = 'n1'\nkeeps = -1"),
        "5: fault[0].keeps: expected a whole number, 0 to 4294967295, found `-1`"
    );
    assert_eq!(
        at("crash = 'n1'\ntorn = 'holes'"),
        "5: fault[0].torn: unknown form of a torn record `holes`, \
         expected `none`, `prefix`, `zeros` or `hole`; did you mean `hole`?"
    );
    assert_eq!(
        at("crash = 'c1'\ntorn = 'zeros'"),
        "4: fault[0].crash: expected a machine with a log, and a client has none, found `'c1'`"
    );
}

#[test]
fn rules_for_syncs_that_make_no_sense() {
    let of = |lines| wrong(&format!("[[sync]]\n{lines}"));
    assert_eq!(
        of("node = 'n1'"),
        "2: sync[0].takes: missing, expected a duration, or a range of them"
    );
    assert_eq!(
        of("node = 'c1'\ntakes = '1s'"),
        "3: sync[0].node: expected a machine with a disk, and a client has none, found `'c1'`"
    );
    assert_eq!(
        of("takes = ['2ms', '1ms']"),
        "3: sync[0].takes: expected the shorter duration first"
    );
    let found = of("record = 'votd'\ntakes = '1s'");
    assert!(found.starts_with("3: sync[0].record: unknown record `votd`, expected `born`"));
    assert!(found.ends_with("did you mean `voted`?"), "{found}");
    let found = of("record = 'entered'\ntakes = '1s'");
    let why = "3: sync[0].record: `'entered'` can never be written here: needs `membership = \"managed\"`";
    assert!(found.starts_with(why), "{found}");
}

#[test]
fn a_full_disk_is_expected_only_where_one_may_be_full() {
    let script = "[[script]]\nclient = 'c1'\nat = '1s'\n";
    let full = "answer = { refused = 'disk_full' }\n";
    let found = wrong(&format!("{script}write = '/a'\ndata = 'x'\n{full}"));
    let why = "can never happen here: needs a fault with `full_disk`";
    assert!(found.contains(why), "{found}");
    let found = wrong(&format!("{script}read = '/a'\n{full}"));
    assert!(found.contains("is never refused with `disk_full`"), "{found}");
}
