//! What `[swarm]` refuses.

use super::*;

#[test]
fn ranges_that_make_no_sense() {
    let cases = [
        ("[swarm]", "2: swarm: expected at least one key, found none"),
        ("[swarm]\nnodes = 3", "3: swarm.nodes: expected an array, found `3`"),
        ("[swarm]\nnodes = [3]", "3: swarm.nodes: expected two values, found 1"),
        ("[swarm]\nnodes = [6, 3]", "3: swarm.nodes: expected the smaller value first"),
        (
            "[swarm]\nnodes = [0, 3]",
            "3: swarm.nodes[0]: expected a whole number, 1 to 1000, found `0`",
        ),
        (
            "[swarm]\nloss = [0, 2]",
            "3: swarm.loss[1]: expected a probability, 0 to 1 and not finer than 1e-9, found `2`",
        ),
        (
            "[swarm]\nlock_lease = ['0s', '1s']",
            "3: swarm.lock_lease[0]: expected 1us to one day, found `'0s'`",
        ),
        (
            "[swarm]\nmembership_lease = ['1us', '1s']",
            "3: swarm.membership_lease[0]: expected 10ms to one day, found `'1us'`",
        ),
        ("[swarm]\nspare = [0, 1]", "3: swarm.spare: needs `cluster.membership = \"managed\"`"),
        ("[swarm]\nkinds = 'any'", "3: swarm.kinds: needs `[chaos]`"),
        (
            "[swarm]\nkinds = 'all'\n[chaos]\nkinds = ['crash']",
            "3: swarm.kinds: unknown choice of kinds `all`, expected `any`",
        ),
        ("[swarm]\nnodes = [1, 3]", "3: swarm.nodes: at least 2 replicas do not go with 1 nodes"),
        (
            "[swarm]\nnodes = [2, 3]\nreplicas = [3, 3]",
            "4: swarm.replicas: at least 3 replicas do not go with 2 nodes",
        ),
        (
            "[swarm]\nvirtual_nodes = [1, 10000]\nnodes = [3, 101]",
            "3: swarm.virtual_nodes: 1010000 points on the ring in all, expected at most 1000000",
        ),
        (
            "[swarm]\nqueue = [0, 3]",
            "3: swarm.queue[0]: expected a whole number, 1 to 1000000, found `0`",
        ),
        ("[swarm]\ncommit = 'staged'", "3: swarm.commit: unknown choice `staged`, expected `any`"),
        ("[swarm]\naimed = [0, 1]", "3: swarm.aimed: needs `[chaos]`"),
        (
            "[swarm]\nrequest_timeout = ['1s', '2m']",
            "3: swarm.request_timeout: the liveness phase (60s) is too short for that",
        ),
        (
            "[swarm]\ndrift_max_ppm = [0, 9]\n[[fault]]\nat = '1s'\ndrift = 'n1'\nppm = 5",
            "3: swarm.drift_max_ppm: a fault lets a clock drift by 5 ppm: expected at least that",
        ),
        (
            "[swarm]\nsafety = ['2s', '30s']\n[[fault]]\nat = '3s'\ncrash = 'n1'",
            "5: fault[0].at: expected a time before the end of the safety phase (2s), \
             found `'3s'`",
        ),
        (
            "[swarm]\nnodes = [2, 4]\n[[fault]]\nat = '1s'\ncrash = 'n3'",
            "6: fault[0].crash: expected `control`, `n1` to `n2`, `c1` or a role, found `'n3'`: \
             `[swarm]` draws as few as these",
        ),
        (
            "[swarm]\nwipes = [0, 1]\n[chaos]\nkinds = ['crash']",
            "3: swarm.wipes: needs `cluster.membership = \"managed\"`",
        ),
        (
            "cluster.membership = 'managed'\n[swarm]\nwipes = [0, 0]\n[chaos]\nkinds = ['wipe']",
            "6: chaos.kinds[0]: can never strike: needs `chaos.budget.wipes`, at least 1",
        ),
    ];
    for (lines, message) in cases {
        assert_eq!(wrong(lines), message, "of\n{lines}");
    }
}

#[test]
fn ranges_that_do_not_go_with_the_workload() {
    let cases = [
        (
            "[swarm]\ncontents_bytes = [0, 99]\n[limits]\ncontents_bytes = 98\n[workload]\nkind = 'files'",
            "3: swarm.contents_bytes: expected at most 98 (`limits.contents_bytes`)",
        ),
        (
            "[swarm]\nat_once = [3, 4]\npaths = [2, 8]\n[workload]\nkind = 'locked_counter'",
            "4: swarm.paths: 3 users of a client (`at_once`) need 3 counters",
        ),
    ];
    for (lines, message) in cases {
        assert_eq!(wrong_text(&format!("title = 't'\n{lines}")), message, "of\n{lines}");
    }
}
