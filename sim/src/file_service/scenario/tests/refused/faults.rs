//! Faults, rules for messages and expectations that make no sense.

use super::*;

#[test]
fn faults_that_make_no_sense() {
    let at = |lines| wrong(&format!("[[fault]]\nat = '1s'\n{lines}"));
    let forms = "expected exactly one of `crash`, `pause`, `isolate`, `partition`, `clog`, \
                 `delay`, `loss`, `duplicate`, `drop`, `majorities_ring`, `bump`, `drift`, `slow_disk`, \
                 `stalled_disk`, `full_disk`, `bit_rot`, `wipe`, `rolling_restart`, `attrition`, \
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
    let paused = "until = { milestone = 'paused' }";
    let pause = format!("pause = 'n1'\nfor = '1s'\n{paused}");
    assert_eq!(at(&pause), "6: fault[0].until: does not go with `for`");
    let bump = format!("bump = 'n1'\nby = '1s'\n{paused}");
    assert_eq!(at(&bump), "6: fault[0].until: does not go with a fault that does not last");
    assert_eq!(
        at("pause = 'n1'\nuntil = { milestone = 'disk_full' }"),
        "5: fault[0].until.milestone: `'disk_full'` can never happen here: needs a fault with \
         `full_disk`"
    );
    assert_eq!(
        at("crash = 'n1'\nrestart = 'later'"),
        "5: fault[0].restart: unknown restart `later`, expected `never`"
    );
    assert_eq!(
        at("crash = 'coordinator'"),
        "4: fault[0].crash: the role `coordinator` needs a `when`: \
         with `at` no machine is known to have it"
    );
    assert_eq!(
        at("crash = 'n7'"),
        "4: fault[0].crash: expected `control`, `n1` to `n3`, `c1` or a role, found `'n7'`"
    );
    assert_eq!(
        at("bit_rot = 'c1'"),
        "4: fault[0].bit_rot: expected a machine with a log, and a client has none, found `'c1'`"
    );
    assert_eq!(
        at("bit_rot = 'n1'\nrecord = 0"),
        "5: fault[0].record: expected a whole number, 1 to 4294967295, found `0`"
    );
    assert_eq!(at("crash = 'n1'\nbit = 1"), "5: fault[0].bit: does not go with `crash`");
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
        "5: fault[0].majorities_ring: needs 4 nodes, found 2"
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
        "4: fault[0].clog.to: missing, expected the machine that receives, or several"
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
    assert_wrong(&[
        (
            "[chaos]\nkinds = ['crash']\naimed = 0.5\nmoments = ['decided', 'view_announced']",
            "5: chaos.moments[1]: `'view_announced'` can never happen here: \
             needs `membership = \"managed\"`",
        ),
        (
            "[chaos]\nkinds = ['crash']\naimed = 0.5\nmoments = ['decided', 'decided']",
            "5: chaos.moments[1]: `'decided'` is there twice",
        ),
        (
            "[chaos]\nkinds = ['crash']\nmoments = ['decided']",
            "4: chaos.moments: no fault waits for a moment: needs `chaos.aimed`, more than 0",
        ),
        (
            "cluster.membership = 'managed'\n[chaos]\nkinds = ['wipe']\nbudget.wipes = 1\n\
             aimed = 0.5\nmoments = ['view_announced']",
            "7: chaos.moments: no disk is lost at these: needs one at which others want what is on it",
        ),
        (
            "[chaos]\nkinds = ['crash']\nlast_copies = true",
            "4: chaos.last_copies: needs `cluster.membership = \"managed\"`",
        ),
        (
            "cluster.membership = 'managed'\n[chaos]\nkinds = ['crash']\nlast_copies = true",
            "5: chaos.last_copies: can never be lost: needs `wipe` in `chaos.kinds`",
        ),
        (
            "cluster.membership = 'managed'\n[chaos]\nkinds = ['wipe']\nlast_copies = true",
            "4: chaos.kinds[0]: can never strike: needs `chaos.budget.wipes`, at least 1",
        ),
        (
            "cluster.membership = 'managed'\ntiming.request_timeout = '5s'\n\
             phases.liveness = '20s'\n[chaos]\nkinds = ['wipe']\nbudget.wipes = 1\n\
             last_copies = true",
            "8: chaos.last_copies: the liveness phase (20s) is too short for that: \
             expected more than 20s",
        ),
    ]);
    let at = |lines| {
        let cluster = "cluster = { membership = 'managed', spare = 1 }";
        wrong(&format!("{cluster}\n[[fault]]\nat = '1s'\n{lines}"))
    };
    assert_eq!(at("join = 'n5'"), "5: fault[0].join: expected `n1` to `n4`, found `'n5'`");
    assert_eq!(at("leave = 'c1'"), "5: fault[0].leave: expected a node, found `'c1'`");
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
        at("set = { membership_lease = '9ms' }"),
        "5: fault[0].set.membership_lease: expected 10ms to one day, found `'9ms'`"
    );
    assert_eq!(
        at("accept_loss = false"),
        "5: fault[0].accept_loss: expected `true`, or no such key, found `false`"
    );
    assert_eq!(
        at("wipe = 'control'"),
        "5: fault[0].wipe: the disk of `control` cannot be lost, only that of a node"
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
fn targets_that_make_no_sense() {
    let decided =
        |lines: &str| wrong(&format!("[[fault]]\nwhen = {{ milestone = 'decided' }}\n{lines}"));
    let at = |lines: &str| wrong(&format!("[[fault]]\nat = '1s'\n{lines}"));
    assert_eq!(
        decided("crash = 'participants'"),
        "4: fault[0].crash: expected one machine: write `participant`, not `participants`"
    );
    assert_eq!(
        decided("crash = 'coordinatr'"),
        "4: fault[0].crash: expected `control`, `n1` to `n3`, `c1` or a role, \
         found `'coordinatr'`; did you mean `coordinator`?"
    );
    assert_eq!(
        decided("partition = [['rest'], ['coordinator']]"),
        "4: fault[0].partition[0]: `rest` is every machine that is left: it comes last"
    );
    assert_eq!(
        decided("partition = [['coordinator'], ['waiters']]"),
        "4: fault[0].partition[1][0]: `decided` binds `coordinator`, `participant` or `owner`, \
         not `waiter`"
    );
    assert_eq!(
        at("partition = [['participants'], ['rest']]"),
        "4: fault[0].partition[0][0]: the role `participants` needs a `when`: \
         with `at` no machine is known to have it"
    );
    assert_eq!(
        at("clog = { from = 'rest', to = 'n1' }"),
        "4: fault[0].clog.from: `rest` is every machine that `from` does not name: only for `to`"
    );
    assert_eq!(
        at("delay = { from = ['n1', 'n2'], to = 'n2' }\nby = ['1s', '2s']"),
        "4: fault[0].delay.to: expected another machine than `from`, found `'n2'`"
    );
    assert_eq!(
        at("loss = { from = 'n1', to = 'n2' }\nshare = 0"),
        "5: fault[0].share: expected a share above zero, found `0`"
    );
    assert_eq!(
        at("duplicate = { from = 'n1', to = 'n2' }"),
        "2: fault[0].share: missing, expected how many of the messages, 0 to 1"
    );
    assert_eq!(
        at("drift = 'n1'\nppm = 501"),
        "5: fault[0].ppm: expected a whole number, -500 to 500, found `501`"
    );
    assert_eq!(
        wrong(
            "cluster.membership = 'managed'\n[[fault]]\nwhen = { milestone = 'lock_granted' }\n\
             leave = 'holder'"
        ),
        "5: fault[0].leave: expected a node, found `'holder'`"
    );
}

#[test]
fn filters_that_make_no_sense() {
    let when = |filter: &str| {
        let script = "[[script]]\nname = 'move'\nclient = 'c1'\nat = '1s'\nread = '/a'";
        wrong(&format!("{script}\n[[fault]]\nwhen = {{ {filter} }}\ncrash = 'n1'"))
    };
    assert_eq!(
        when("milestone = 'crashed', path = '/a'"),
        "8: fault[0].when.path: `crashed` is about no path"
    );
    assert_eq!(
        when("milestone = 'decided', lock = '/a'"),
        "8: fault[0].when.lock: `decided` is about no lock"
    );
    assert_eq!(
        when("milestone = 'decided', path = 'a'"),
        "8: fault[0].when.path: expected a path: it starts with `/` and has no control \
         characters, found `'a'`"
    );
    assert_eq!(
        when("milestone = 'decided', request = 'mov'"),
        "8: fault[0].when.request: expected the `name` of a script, or a request such as `c1#3` \
         or `c1.2#3`, found `'mov'`; did you mean `move`?"
    );
    assert_eq!(
        when("milestone = 'decided', request = 'c2#1'"),
        "8: fault[0].when.request: expected the `name` of a script, or a request such as `c1#3` \
         or `c1.2#3`, found `'c2#1'`"
    );
    assert_eq!(
        when("milestone = 'decided', transaction = 'n9.1/2'"),
        "8: fault[0].when.transaction: expected a transaction such as `n1.1/2`, as traces name \
         it, found `'n9.1/2'`"
    );
    assert_eq!(
        when("milestone = 'decided', every = 0"),
        "8: fault[0].when.every: expected a whole number, 1 to 4294967295, found `0`"
    );
    assert_eq!(
        wrong("[[message]]\nkind = 'heartbeat'\nfrom = 'owner'\ndrop = true"),
        "4: message[0].from: this kind of message binds no role, not `owner`"
    );
    assert_eq!(
        wrong("[[message]]\nkind = 'commit'\npath = '/a'\nat = '40s'\ndrop = true"),
        "5: message[0].at: expected a time before the end of the safety phase (30s), \
         found `'40s'`"
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
            "2: message[0]: expected exactly one of `drop`, `delay`, `duplicate` or `latency`, \
             found none",
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
            "[chaos]\nkinds = ['crash']\nbudget.nodes_down = 4",
            "4: chaos.budget.nodes_down: expected a whole number, 0 to 3, found `4`",
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
             expected a crash with `restart = \"never\"`, a `wipe` without an `accept_loss`, or two \
             clients that acquire two locks",
        ),
        (
            "[expect]\nreached = ['crashed', 'crashed']",
            "3: expect.reached[1]: `'crashed'` is there twice",
        ),
    ]);
}
