//! Settings, links and clocks that make no sense.

use super::*;

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
            "[timing]\nmembership_lease = '9999us'",
            "3: timing.membership_lease: expected 10ms to one day, found `'9999us'`",
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
            "2: network.link[0].from: missing, expected the machine that sends",
        ),
        (
            "[[network.link]]\nfrom = 'c1'\nto = 'c1'",
            "4: network.link[0].to: expected another machine than `from`, found `'c1'`",
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
