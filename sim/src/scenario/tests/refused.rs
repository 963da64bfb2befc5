use std::fs;

use super::*;

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
    let not_text = Scenario::from_bytes("x.toml", b"title = 't'\n# \xff").unwrap_err();
    assert_eq!(not_text.to_string(), "x.toml:2: not UTF-8");
    let too_long = Scenario::from_bytes("x.toml", long.as_bytes()).unwrap_err();
    assert_eq!(too_long.to_string(), "x.toml: longer than 1048576 bytes, not read");
}

#[test]
fn loading_refuses_what_is_long_or_not_there_and_reads_the_rest() {
    let folder = std::env::temp_dir().join(format!("seedbed-scenario-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("a.toml");
    fs::write(&path, SAMPLE).unwrap();
    let loaded = Scenario::load(&path).unwrap();
    assert_eq!(loaded, Scenario { file: path.display().to_string(), ..sample() });
    fs::write(&path, vec![b' '; LONGEST + 1]).unwrap();
    let long = Scenario::load(&path).unwrap_err();
    assert_eq!(long.message, "longer than 1048576 bytes, not read");
    fs::remove_dir_all(&folder).unwrap();
    let absent = Scenario::load(&path).unwrap_err();
    assert!(absent.message.starts_with("not read: "), "{absent}");
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
             `replicas`, `membership`, `virtual_nodes`, `hash`, `ring_bits`, `commit`, `defects`, \
             `checkpoint_records` or `chunk_paths`",
        ),
        (
            "\"a\\nb\" = 1",
            "2: a...: unknown key, expected `title`, `about`, `seeds`, `cluster`, \
          `timing`, `network`, `disk`, `clock`, `workload`, `script`, `fault`, `message`, `chaos`, \
          `swarm`, `phases` or `expect`",
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
             `partition`, `isolate`, `clog`, `delay`, `loss`, `duplicate`, `slow_disk`, `bit_rot`, \
             `drift`, `join`, `leave`, `wipe` or `attrition`; did you mean `crash`?",
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
    let known = ["participants_agree", "tokens_grow"];
    let text = |name| around(&format!("[expect]\nviolates = '{name}'"));
    let read = |name| Scenario::parse_with("x.toml", &text(name), &known);
    let expected = Expected::Violates("tokens_grow".to_owned());
    assert_eq!(read("tokens_grow").unwrap().expect.verdict, expected);
    assert_eq!(
        read("participant_agree").unwrap_err().to_string(),
        "x.toml:3: expect.violates: unknown invariant `participant_agree`, expected one that \
         `seedbed invariants` lists; did you mean `participants_agree`?"
    );
}

#[test]
fn settings_that_make_no_sense() {
    assert_wrong(&[
        (
            "[cluster]\nreplicas = 4",
            "3: cluster.replicas: 4 replicas, expected 1 to 3, the number of storage nodes",
        ),
        ("[cluster]\nnodes = 2000", "3: cluster.nodes: 2000 storage nodes, expected at most 1000"),
        (
            "[cluster]\nvirtual_nodes = 0",
            "3: cluster.virtual_nodes: expected 1 to 10000, found `0`",
        ),
        (
            "[cluster]\nnodes = 1000\nvirtual_nodes = 1001",
            "4: cluster.virtual_nodes: 1001000 points on the ring in all, expected at most 1000000",
        ),
        (
            "[timing]\n\nvote_timeout = '100ns'",
            "4: timing.vote_timeout: expected 1us to one day, found `'100ns'`",
        ),
        (
            "[timing]\ndrift_max_ppm = 500_000",
            "3: timing.drift_max_ppm: expected less than 500000, found `500_000`",
        ),
        (
            "[cluster]\ncheckpoint_records = 0",
            "3: cluster.checkpoint_records: expected at least 1, found `0`",
        ),
    ]);
}

#[test]
fn links_and_clocks_that_make_no_sense() {
    assert_wrong(&[
        (
            "[[network.link]]\nto = 'c1'",
            "2: network.link[0].from: missing, expected the node that sends",
        ),
        (
            "[[network.link]]\nfrom = 'c1'\nto = 'c1'",
            "4: network.link[0].to: expected another node than `from`, found `'c1'`",
        ),
        (
            "[[network.link]]\nfrom = 'c1'\nto = 'n1'",
            "2: network.link[0]: expected `latency` or `loss`, found neither",
        ),
        (
            "[[network.link]]\nfrom = 'c1'\nto = 'n1'\nloss = 0\n\
             [[network.link]]\nfrom = 'c1'\nto = 'n1'\nloss = 1",
            "6: network.link[1]: the link from `c1` to `n1` is there twice",
        ),
        (
            "[[clock]]\nnode = 'n1'\n[[clock]]\nnode = 'n1'",
            "4: clock[1]: the clock of `n1` is there twice",
        ),
        (
            "[[clock]]\nnode = 'n1'\ndrift_ppm = -501",
            "4: clock[0].drift_ppm: expected -500 to 500 (`timing.drift_max_ppm`) or \
             `beyond_bound = true`, found `-501`",
        ),
    ]);
}

#[test]
fn workloads_that_make_no_sense() {
    let workload = |lines| wrong_text(&format!("title = 't'\n[workload]\n{lines}"));
    assert_eq!(
        workload(""),
        "2: workload.kind: missing, expected `files`, `locked_counter` or `bank`"
    );
    assert_eq!(
        workload("kind = 'file'"),
        "3: workload.kind: unknown kind `file`, expected `files`, `locked_counter` or `bank`; \
         did you mean `files`?"
    );
    assert_eq!(
        workload("kind = 'bank'\nread_fraction = 0.5"),
        "4: workload.read_fraction: does not go with kind `bank`"
    );
    assert_eq!(
        workload("kind = 'bank'\npaths = 1"),
        "4: workload.paths: expected a whole number, 2 to 1000000, found `1`"
    );
}

#[test]
fn scripts_that_make_no_sense() {
    let script = |lines| wrong(&format!("[[script]]\nclient = 'c1'\nat = '1s'\n{lines}"));
    let forms = "expected exactly one of `read`, `create`, `write`, `delete`, `rename`, \
                 `transaction`, `acquire` or `release`, found";
    assert_eq!(script(""), format!("2: script[0]: {forms} none"));
    assert_eq!(
        script("read = '/a'\nwrite = '/a'"),
        format!("2: script[0]: {forms} `read` and `write`")
    );
    assert_eq!(script("read = '/a'\ndata = 'x'"), "6: script[0].data: does not go with `read`");
    assert_eq!(
        script("acquire = '/a'\ncoordinator = 'n1'"),
        "6: script[0].coordinator: does not go with `acquire`"
    );
    assert_eq!(
        script("write = '/a'\ndata = 'x'\ncoordinator = 'c1'"),
        "7: script[0].coordinator: expected a storage node, found `'c1'`"
    );
    assert_eq!(script("write = '/a'"), "2: script[0].data: missing, expected the contents");
    assert_eq!(
        script("read = 'a'"),
        "5: script[0].read: expected a path: it starts with `/` and has no control characters, \
         found `'a'`"
    );
    assert_eq!(
        script("rename = '/a'\nto = '/a'"),
        "6: script[0].to: expected another path than `rename`, found `'/a'`"
    );
    assert_eq!(
        script("transaction = []"),
        "5: script[0].transaction: expected operations, found none"
    );
    assert_eq!(
        script("transaction = [{ acquire = '/a' }]"),
        "5: script[0].transaction[0].acquire: unknown key, expected `read`, `create`, `data`, \
         `write`, `if_version`, `delete`, `rename` or `to`"
    );
    assert_wrong(&[
        (
            "[[script]]\nclient = 'n1'\nat = '1s'\nread = '/a'",
            "3: script[0].client: expected a client, found `'n1'`",
        ),
        (
            "[[script]]\nclient = 'c1'\nat = '30s'\nread = '/a'",
            "4: script[0].at: expected a time before the end of the safety phase (30s), \
             found `'30s'`",
        ),
    ]);
}

#[test]
fn faults_that_make_no_sense() {
    let at = |lines| wrong(&format!("[[fault]]\nat = '1s'\n{lines}"));
    let forms = "expected exactly one of `crash`, `pause`, `isolate`, `partition`, `clog`, \
                 `majorities_ring`, `bump`, `bit_rot`, `wipe`, `rolling_restart`, `attrition`, \
                 `join`, `leave`, `set` or `accept_loss`, found";
    assert_eq!(at(""), format!("2: fault[0]: {forms} none"));
    assert_eq!(
        at("crash = 'n1'\npause = 'n1'"),
        format!("2: fault[0]: {forms} `crash` and `pause`")
    );
    assert_eq!(at("crash = 'n1'\nfor = '1s'"), "5: fault[0].for: does not go with `crash`");
    assert_eq!(
        at("pause = 'n1'\nrestart = 'never'"),
        "5: fault[0].restart: does not go with `pause`"
    );
    assert_eq!(
        at("crash = 'n1'\nrestart = 'never'\nrestart_after = '1s'"),
        "5: fault[0].restart: does not go with `restart_after`"
    );
    assert_eq!(
        at("crash = 'n1'\nrestart = 'later'"),
        "5: fault[0].restart: unknown restart `later`, expected `never`"
    );
    assert_eq!(
        at("crash = 'coordinator'"),
        "4: fault[0].crash: the role `coordinator` needs a `when`: \
         at a time nobody is known to have it"
    );
    assert_eq!(
        at("crash = 'n7'"),
        "4: fault[0].crash: expected `control`, `n1` to `n3`, `c1` or a role, found `'n7'`"
    );
    assert_eq!(
        at("bit_rot = 'c1'"),
        "4: fault[0].bit_rot: expected a machine with a log, and a client has none, found `'c1'`"
    );
    assert_eq!(at("bump = 'n1'"), "2: fault[0].by: missing, expected how far, such as \"5s\"");
    assert_eq!(
        at("pause = 'n1'\nfor = '0s'"),
        "5: fault[0].for: expected a duration above zero, found `'0s'`"
    );
    assert_eq!(
        at("majorities_ring = false"),
        "4: fault[0].majorities_ring: expected `true`, or no such key, found `false`"
    );
    assert_eq!(
        wrong("cluster.nodes = 2\n[[fault]]\nat = '1s'\nmajorities_ring = true"),
        "5: fault[0].majorities_ring: needs 4 storage nodes, found 2"
    );
    assert_eq!(
        at("rolling_restart = true\nfor = '1s'"),
        "5: fault[0].for: does not go with `rolling_restart`"
    );
    assert_eq!(
        at("attrition = 4"),
        "4: fault[0].attrition: expected a whole number, 1 to 3, found `4`"
    );
    assert_eq!(at("crash = 'n1'\ndown = '1s'"), "5: fault[0].down: does not go with `crash`");
    assert_eq!(
        at("clog = { from = 'n1' }"),
        "4: fault[0].clog.to: missing, expected the node that receives"
    );
}

#[test]
fn changes_of_membership_that_make_no_sense() {
    assert_wrong(&[
        (
            "[cluster]\nspare = 1",
            "3: cluster.spare: a spare machine is of no use while membership is fixed: \
             expected 0, or `membership = \"managed\"`",
        ),
        (
            "[cluster]\nnodes = 900\nspare = 101\nmembership = 'managed'",
            "4: cluster.spare: 1001 storage nodes in all, expected at most 1000",
        ),
        (
            "[cluster]\nring_bits = 65",
            "3: cluster.ring_bits: expected a whole number, 1 to 64, found `65`",
        ),
        ("[cluster]\nchunk_paths = 0", "3: cluster.chunk_paths: expected at least 1, found `0`"),
        (
            "[timing]\nchunk_pause = '0s'",
            "3: timing.chunk_pause: expected 1us to one day, found `'0s'`",
        ),
        (
            "[[fault]]\nat = '1s'\njoin = 'n1'",
            "4: fault[0].join: needs `cluster.membership = \"managed\"`",
        ),
        (
            "[[fault]]\nat = '1s'\nwipe = 'n1'",
            "4: fault[0].wipe: needs `cluster.membership = \"managed\"`",
        ),
        (
            "[chaos]\nkinds = ['crash', 'leave']",
            "3: chaos.kinds[1]: needs `cluster.membership = \"managed\"`",
        ),
        (
            "[chaos]\nkinds = ['crash']\nbudget = { wipes = 1 }",
            "4: chaos.budget.wipes: needs `cluster.membership = \"managed\"`",
        ),
        (
            "cluster.membership = 'managed'\n[chaos]\nkinds = ['crash', 'wipe']",
            "4: chaos.kinds[1]: can never strike: needs `chaos.budget.wipes`, at least 1",
        ),
    ]);
    let at = |lines| {
        let cluster = "cluster = { membership = 'managed', spare = 1 }";
        wrong(&format!("{cluster}\n[[fault]]\nat = '1s'\n{lines}"))
    };
    assert_eq!(at("join = 'n5'"), "5: fault[0].join: expected `n1` to `n4`, found `'n5'`");
    assert_eq!(at("leave = 'c1'"), "5: fault[0].leave: expected a storage node, found `'c1'`");
    assert_eq!(
        at("set = {}"),
        "5: fault[0].set: expected at least one of `replicas`, `virtual_nodes`, `lock_lease` or \
         `membership_lease`, found none"
    );
    assert_eq!(
        at("set = { replicas = 5 }"),
        "5: fault[0].set.replicas: expected a whole number, 1 to 4, found `5`"
    );
    assert_eq!(
        at("set = { membership_lease = '0s' }"),
        "5: fault[0].set.membership_lease: expected 1us to one day, found `'0s'`"
    );
    assert_eq!(
        at("accept_loss = false"),
        "5: fault[0].accept_loss: expected `true`, or no such key, found `false`"
    );
    assert_eq!(
        at("wipe = 'control'"),
        "5: fault[0].wipe: the disk of `control` cannot be lost: views and locks stand nowhere \
         else; expected a storage node"
    );
    assert_eq!(
        at("wipe = 'c1'"),
        "5: fault[0].wipe: expected a machine with a log, and a client has none, found `'c1'`"
    );
    assert_eq!(
        at("wipe = 'n1'\nrestart = 'never'"),
        "6: fault[0].restart: does not go with `wipe`"
    );
}

#[test]
fn partitions_that_make_no_sense() {
    let cut = |lines| wrong(&format!("[[fault]]\nat = '1s'\npartition = {lines}"));
    assert_eq!(cut("[['n1']]"), "4: fault[0].partition: expected at least 2 groups, found 1");
    assert_eq!(
        cut("[['n1'], ['n2'], ['n3']]\none_way = true"),
        "4: fault[0].partition: expected exactly 2 groups, found 3"
    );
    assert_eq!(cut("[['n1'], []]"), "4: fault[0].partition[1]: expected at least one, found none");
    assert_eq!(cut("[['n1', 'n1'], ['n2']]"), "4: fault[0].partition[0][1]: `'n1'` is there twice");
    assert_eq!(
        cut("[['n1'], ['n2', 'n1']]"),
        "4: fault[0].partition[1]: `n1` is in another group as well"
    );
}

#[test]
fn triggers_that_make_no_sense() {
    let when = |milestone, target| {
        wrong(&format!("[[fault]]\nwhen = {{ milestone = '{milestone}' }}\ncrash = '{target}'"))
    };
    assert_eq!(
        wrong("[[fault]]\ncrash = 'n1'"),
        "2: fault[0]: expected `at` or `when`, found neither"
    );
    assert_eq!(
        wrong("[[fault]]\nat = '1s'\nwhen = { milestone = 'crashed' }\ncrash = 'n1'"),
        "2: fault[0]: expected `at` or `when`, found both"
    );
    assert_eq!(
        wrong("[[fault]]\nwhen = { nth = 1 }\ncrash = 'n1'"),
        "3: fault[0].when.milestone: missing, expected what to wait for"
    );
    assert_eq!(
        wrong("[[fault]]\nat = '31s'\ncrash = 'n1'"),
        "3: fault[0].at: expected a time before the end of the safety phase (30s), found `'31s'`"
    );
    assert_eq!(
        when("all_voted", "holder"),
        "4: fault[0].crash: `all_voted` binds `coordinator`, `participant` or `owner`, not `holder`"
    );
    assert_eq!(when("crashed", "owner"), "4: fault[0].crash: `crashed` binds no role, not `owner`");
}

#[test]
fn messages_chaos_and_expectations_that_make_no_sense() {
    assert_wrong(&[
        ("[[message]]\ndrop = true", "2: message[0].kind: missing, expected a kind of message"),
        (
            "[[message]]\nkind = 'commit'",
            "2: message[0]: expected exactly one of `drop`, `delay` or `duplicate`, found none",
        ),
        (
            "[[message]]\nkind = 'commit'\ndrop = false",
            "4: message[0].drop: expected `true`, or no such key, found `false`",
        ),
        (
            "[[message]]\nkind = 'commit'\nnth = 0\ndrop = true",
            "4: message[0].nth: expected a whole number, 1 to 4294967295, found `0`",
        ),
        ("[chaos]", "2: chaos.kinds: missing, expected kinds of faults"),
        ("[chaos]\nkinds = []", "3: chaos.kinds: expected at least one, found none"),
        (
            "[chaos]\nkinds = ['crash']\nbudget.storage_nodes_down = 4",
            "4: chaos.budget.storage_nodes_down: expected a whole number, 0 to 3, found `4`",
        ),
        (
            "[chaos]\nkinds = ['crash']\ninterval = ['0s', '1s']",
            "4: chaos.interval: expected at least \"1ms\" between faults",
        ),
        (
            "[expect]\nverdict = 'pass'\nviolates = 'x'",
            "2: expect: expected exactly one of `verdict`, `violates` or `blocks`, \
             found `verdict` and `violates`",
        ),
        (
            "[expect]\nblocks = 'all_voted'",
            "3: expect.blocks: nothing blocks for good where every machine restarts: \
             expected a crash with `restart = \"never\"`",
        ),
        (
            "[expect]\nreached = ['crashed', 'crashed']",
            "3: expect.reached[1]: `'crashed'` is there twice",
        ),
    ]);
}
