use std::collections::BTreeSet;

use seedbed::proto::Span;

use super::*;
use crate::fault::ChaosKind;
use crate::quantity::Ppb;

#[test]
fn the_same_seed_draws_the_same() {
    let scenario = sample();
    assert_eq!(scenario.for_seed(7), scenario.for_seed(7));
    assert_ne!(scenario.for_seed(7), scenario.for_seed(8));
    let drawn = scenario.drawn(7).unwrap();
    assert!(drawn.starts_with("nodes ") && drawn.contains(", kinds "), "{drawn}");
    assert_eq!(scenario.drawn(7), Some(drawn));
    let without = Scenario { swarm: None, ..scenario };
    assert_eq!((&*without.for_seed(7), without.drawn(7)), (&without, None));
}

/// Every value is within its range, goes with the others, and comes up at both of its ends.
#[test]
fn what_is_drawn_is_within_its_range_and_goes_together() {
    let scenario = sample();
    let mut seen = [const { BTreeSet::new() }; 6];
    let millis = |span: Span| span.as_nanos() / 1_000_000;
    for seed in 0..1_000 {
        let drawn = scenario.for_seed(seed);
        let Scenario { cast, config, network, disk, chaos, .. } = &*drawn;
        let Some(chaos) = chaos else { panic!("chaos stays") };
        let replicas = config.replicas as u64;
        let down = chaos.budget.storage_nodes_down.into();
        assert!(cast.members().eq(config.members.iter().copied()), "seed {seed}");
        assert!(replicas <= cast.nodes.into() && down < replicas, "seed {seed}");
        assert!((1_000..=8_000).contains(&millis(config.lock_lease)), "seed {seed}");
        assert!((500..=4_000).contains(&millis(config.membership_lease)), "seed {seed}");
        assert!((500..=4_000).contains(&millis(chaos.interval.max)), "seed {seed}");
        assert!(network.latency.min <= network.latency.max, "seed {seed}");
        assert!((1..=50).contains(&millis(network.latency.max)), "seed {seed}");
        assert!((1..=20).contains(&millis(disk.sync.max)), "seed {seed}");
        assert!(network.loss <= Ppb::new(50_000_000).unwrap(), "seed {seed}");
        assert!(chaos.kinds.iter().all(|kind| scenario.chaos_has(*kind)), "seed {seed}");
        assert!(!chaos.kinds.is_empty(), "seed {seed}");
        assert!(drawn.phases.liveness >= config.request_timeout, "seed {seed}");
        assert_eq!(drawn.swarm, None);
        let values = [
            cast.nodes.into(),
            cast.spare.into(),
            cast.clients.into(),
            replicas,
            down,
            chaos.budget.wipes.into(),
        ];
        seen.iter_mut().zip(values).for_each(|(seen, value): (&mut BTreeSet<u64>, _)| {
            seen.insert(value);
        });
    }
    let expected = [4..=6, 2..=3, 2..=4, 2..=5, 0..=3, 0..=1];
    assert_eq!(seen, expected.map(|range| range.collect()));
}

impl Scenario {
    fn chaos_has(&self, kind: ChaosKind) -> bool {
        self.chaos.as_ref().is_some_and(|chaos| chaos.kinds.contains(&kind))
    }
}

/// A key that is taken out changes no other value.
#[test]
fn every_key_has_draws_of_its_own() {
    let all = sample();
    let fewer = SAMPLE.replace("clients = [2, 4]\n", "").replace("loss = [0.0, 0.05]\n", "");
    let fewer = Scenario::parse("sample.toml", &fewer).unwrap();
    for seed in 0..20 {
        let (all, fewer) = (all.for_seed(seed), fewer.for_seed(seed));
        assert_eq!((all.cast.nodes, all.cast.spare), (fewer.cast.nodes, fewer.cast.spare));
        assert_eq!((&all.config, &all.chaos), (&fewer.config, &fewer.chaos));
    }
}

#[test]
fn a_budget_is_less_than_the_replicas_even_if_it_is_not_drawn() {
    let text = around("swarm.replicas = [1, 3]\n[chaos]\nkinds = ['attrition']");
    let scenario = Scenario::parse("x.toml", &text).unwrap();
    for seed in 0..100 {
        let drawn = scenario.for_seed(seed);
        let down = drawn.chaos.as_ref().unwrap().budget.storage_nodes_down;
        assert_eq!(usize::from(down), (drawn.config.replicas - 1).min(1), "seed {seed}");
    }
}

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
            "[swarm]\nstorage_nodes_down = [2, 2]\n[chaos]\nkinds = ['crash']",
            "3: swarm.storage_nodes_down: at least 2 down do not go with 2 replicas",
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
