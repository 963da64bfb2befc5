//! What a scenario file may not say, with the whole message of each error.

mod cluster;
mod disks;
mod faults;
mod never;
mod requests;
mod several;

use std::fs;

use super::*;
use crate::file_service::InvariantName;
use crate::file_service::invariant::FileInvariant;
use crate::scenario::Expected;

/// Each pair: lines from line 2 on, and what is said of them.
fn assert_wrong(cases: &[(&str, &str)]) {
    for (lines, message) in cases {
        assert_eq!(wrong(lines), *message, "of\n{lines}");
    }
}

#[test]
fn files_that_are_no_scenario_at_all() {
    let long = "#".repeat(LONGEST + 1);
    assert_eq!(wrong_text(""), " title: missing, expected a few words on what is shown");
    assert_eq!(wrong_text("title = ' '"), "1: title: expected one line of text, found `' '`");
    assert_eq!(
        wrong_text("title = 'a\\nb'".replace('\'', "\"").as_str()),
        "1: title: expected one line of text, found `\"a\\nb\"`"
    );
    assert_eq!(wrong_text("title = 't'"), " nothing to do: expected `[workload]` or `[[script]]`");
    assert_eq!(
        wrong_text("title = 't'\nx ="),
        "2: not TOML: string values must be quoted, expected literal string"
    );
    assert_eq!(wrong_text("title = 't'\n\ntitle = 'u'"), "3: not TOML: duplicate key");
    assert_eq!(wrong_text(&long), " longer than 1048576 bytes, not read");
    let not_text = Scenario::read("x.toml", &b"title = 't'\n# \xff"[..]).unwrap_err();
    assert_eq!(not_text.to_string(), "x.toml:2: not UTF-8");
    let too_long = Scenario::read("x.toml", long.as_bytes()).unwrap_err();
    assert_eq!(too_long.to_string(), "x.toml: longer than 1048576 bytes, not read");
}

#[test]
fn loading_refuses_what_is_long_or_not_there_and_reads_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, SAMPLE).unwrap();
    let loaded = Scenario::load(&path).unwrap();
    assert_eq!(loaded, Scenario { file: path.display().to_string(), ..sample() });
    fs::write(&path, vec![b' '; LONGEST + 1]).unwrap();
    let long = Scenario::load(&path).unwrap_err();
    assert_eq!(long.told()[0].message, "longer than 1048576 bytes, not read");
    fs::remove_file(&path).unwrap();
    let absent = Scenario::load(&path).unwrap_err();
    assert!(absent.told()[0].message.starts_with("not read: "), "{absent}");
}

#[test]
fn unknown_keys() {
    assert_wrong(&[
        ("[network]\nlatncy = 1", "3: network.latncy: unknown key; did you mean `latency`?"),
        ("[disk]\nbandwidth = 1", "3: disk.bandwidth: unknown key, expected `sync`"),
        ("[netwrk]", "2: netwrk: unknown key; did you mean `network`?"),
        (
            "[[network.link]]\nfrom = 'c1'\nto = 'n1'\nlos = 0.1",
            "5: network.link[0].los: unknown key; did you mean `loss`?",
        ),
        (
            "[[script]]\nclient = 'c1'\nat = '1s'\n\
             transaction = [\n{ read = '/a' },\n{ raed = '/a' }]",
            "7: script[0].transaction[1].raed: unknown key; did you mean `read`?",
        ),
        (
            "[cluster]\nbandwidth = 1",
            "3: cluster.bandwidth: unknown key, expected `nodes`, `spare`, `clients`, \
             `defects`, `replicas`, `membership`, `virtual_nodes`, `hash`, `ring_bits`, `commit`, \
             `checkpoint_records` or `chunk_paths`",
        ),
        (
            "\"a\\nb\" = 1",
            "2: a...: unknown key, expected `title`, `about`, `seeds`, `cluster`, \
             `network`, `disk`, `clock`, `workload`, `script`, `fault`, `message`, `sync`, `chaos`, \
             `swarm`, `phases`, `expect`, `timing` or `limits`",
        ),
    ]);
}

#[test]
fn values_of_the_wrong_type_or_out_of_range() {
    assert_wrong(&[
        ("about = 5", "2: about: expected a string, found `5`"),
        ("cluster = 5", "2: cluster: expected a table, found `5`"),
        ("[[cluster]]", "2: cluster: expected a table, found an array"),
        ("[fault]", "2: fault: one table, expected any number: write `[[fault]]`"),
        ("fault = 1", "2: fault: expected an array, found `1`"),
        ("seeds.count = 0", "2: seeds.count: expected a whole number, at least 1, found `0`"),
        ("seeds.start = -1", "2: seeds.start: expected a whole number, at least 0, found `-1`"),
        (
            "[cluster]\nnodes = 0",
            "3: cluster.nodes: expected a whole number, 1 to 32767, found `0`",
        ),
        (
            "[cluster]\nclients = 99999999999999999999",
            "3: cluster.clients: expected a whole number, 1 to 32767, found `99999999999999999999`",
        ),
        ("[cluster]\ndefects = 'x'", "3: cluster.defects: expected an array, found `'x'`"),
        (
            "[network]\nloss = 1.5",
            "3: network.loss: expected a probability, 0 to 1 and not finer than 1e-9, found `1.5`",
        ),
        (
            "[network]\nloss = nan",
            "3: network.loss: expected a probability, 0 to 1 and not finer than 1e-9, found `nan`",
        ),
        (
            "[disk]\nsync = '1ms'",
            "3: disk.sync: expected two durations such as [\"1ms\", \"10ms\"], found `'1ms'`",
        ),
        (
            "[disk]\nsync = ['1ms']",
            "3: disk.sync: expected two durations such as [\"1ms\", \"10ms\"], found 1 values",
        ),
        ("[disk]\nsync = ['2ms', '1ms']", "3: disk.sync: expected the shorter duration first"),
        (
            "[disk]\nsync = ['1ms',\n'2 ms']",
            "4: disk.sync[1]: expected a duration such as \"250ms\", found `'2 ms'`: \
             unknown unit ` ms` (ns, us, ms, s, m, h)",
        ),
        (
            "[timing]\nlock_lease = 5",
            "3: timing.lock_lease: expected a duration such as \"250ms\", found `5`",
        ),
        (
            "[timing]\nlock_lease = '-5s'",
            "3: timing.lock_lease: expected a duration such as \"250ms\", found `'-5s'`: \
             it is negative",
        ),
        (
            "[phases]\nsafety = '0s'",
            "3: phases.safety: expected a duration above zero, found `'0s'`",
        ),
    ]);
}

#[test]
fn unknown_names() {
    assert_wrong(&[
        (
            "[cluster]\nhash = 'sha2'",
            "3: cluster.hash: unknown hash `sha2`, expected `sha1` or `md5`; did you mean `sha1`?",
        ),
        (
            "[cluster]\ncommit = 'raft'",
            "3: cluster.commit: unknown commit mode `raft`, expected `staged` or `two_phase`",
        ),
        (
            "[cluster]\ndefects = ['claim_skipped', 'vote_not_force']",
            "3: cluster.defects[1]: unknown defect `vote_not_force`, expected one that \
             `seedbed defects` lists; did you mean `vote_not_forced`?",
        ),
        (
            "[expect]\nreached = ['all_votd']",
            "3: expect.reached[0]: unknown milestone `all_votd`, expected one that \
             `seedbed milestones` lists; did you mean `all_voted`?",
        ),
        (
            "[[clock]]\nnode = 'n4'",
            "3: clock[0].node: expected `control`, `n1` to `n3`, `c1`, found `'n4'`",
        ),
        (
            "[[clock]]\nnode = 'contrl'",
            "3: clock[0].node: expected `control`, `n1` to `n3`, `c1`, found `'contrl'`; \
             did you mean `control`?",
        ),
        (
            "[[fault]]\nwhen = { milestone = 'all_voted' }\ncrash = 'cordinator'",
            "4: fault[0].crash: expected `control`, `n1` to `n3`, `c1` or a role, \
             found `'cordinator'`; did you mean `coordinator`?",
        ),
        (
            "[chaos]\nkinds = ['crush']",
            "3: chaos.kinds[0]: unknown kind of fault `crush`, expected `crash`, `pause`, \
             `partition`, `isolate`, `clog`, `delay`, `loss`, `duplicate`, `drop`, `slow_disk`, \
             `stalled_disk`, `full_disk`, `bit_rot`, `drift`, `majorities_ring`, `bump`, `wipe`, \
             `rolling_restart`, `attrition`, `join`, `leave`, `set` or `accept_loss`; did you mean \
             `crash`?",
        ),
        (
            "[expect]\nverdict = 'fail'",
            "3: expect.verdict: unknown verdict `fail`, expected `pass`",
        ),
    ]);
    let unknown = wrong("[[message]]\nkind = 'comit'\ndrop = true");
    assert!(unknown.starts_with("3: message[0].kind: unknown message `comit`, expected `begin`, "));
    assert!(unknown.ends_with("; did you mean `commit`?"), "{unknown}");
}

#[test]
fn invariants_are_checked_where_they_are_known() {
    let text = |name| around(&format!("[expect]\nviolates = '{name}'"));
    let read = |name| Scenario::parse("x.toml", &text(name));
    let expected = Expected::Violates(InvariantName::System(FileInvariant::TokensGrow));
    assert_eq!(read("tokens_grow").unwrap().expect.verdict, expected);
    assert_eq!(
        read("participant_agree").unwrap_err().to_string(),
        "x.toml:3: expect.violates: unknown invariant `participant_agree`, expected one that \
         `seedbed invariants` lists; did you mean `participants_agree`?"
    );
}
