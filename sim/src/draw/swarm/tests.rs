//! What a seed draws: the same for the same seed, within its range, and so that it goes together.

use std::collections::BTreeSet;

use super::*;
use crate::fault::GeneralChaos;
use crate::file_service::{ChaosKind, Scenario};

const SAMPLE: &str = include_str!("../../file_service/scenario/tests/sample.toml");

fn sample() -> Scenario {
    Scenario::parse("sample.toml", SAMPLE).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_same_seed_draws_the_same() {
    let scenario = sample();
    assert_eq!(for_seed(&scenario, 7), for_seed(&scenario, 7));
    assert_ne!(for_seed(&scenario, 7), for_seed(&scenario, 8));
    let line = drawn(&scenario, 7).unwrap();
    assert!(line.starts_with("nodes ") && line.contains(", kinds "), "{line}");
    assert_eq!(drawn(&scenario, 7), Some(line));
    let without = Scenario { swarm: None, ..scenario };
    assert_eq!((&*for_seed(&without, 7), drawn(&without, 7)), (&without, None));
}

/// Every value is within its range, goes with the others, and comes up at both of its ends.
#[test]
fn what_is_drawn_is_within_its_range_and_goes_together() {
    let scenario = sample();
    let mut seen = [const { BTreeSet::new() }; 6];
    let mut commits = Vec::new();
    let millis = |span: Span| span.as_nanos() / 1_000_000;
    for seed in 0..1_000 {
        let drawn = for_seed(&scenario, seed);
        let Scenario { cast, config, network, disk, chaos, .. } = &*drawn;
        let Some(chaos) = chaos else { panic!("chaos stays") };
        let replicas = config.replicas as u64;
        let down = chaos.budget.nodes_down.into();
        assert!(cast.first_nodes().eq(config.members.iter().copied()), "seed {seed}");
        assert!(replicas <= cast.nodes.into() && down <= cast.all_nodes().into(), "seed {seed}");
        assert!((1_000..=8_000).contains(&millis(config.lock_lease)), "seed {seed}");
        assert!((500..=4_000).contains(&millis(config.membership_lease)), "seed {seed}");
        assert!((500..=4_000).contains(&millis(chaos.interval.max)), "seed {seed}");
        assert!(network.latency.min <= network.latency.max, "seed {seed}");
        assert!((1..=50).contains(&millis(network.latency.max)), "seed {seed}");
        assert!(millis(network.latency.min) <= 20 && millis(disk.sync.min) <= 10, "seed {seed}");
        assert!(disk.sync.min <= disk.sync.max, "seed {seed}");
        assert!((15_000..=20_000).contains(&millis(drawn.phases.safety)), "seed {seed}");
        assert!(chaos.budget.clients_down <= cast.clients.min(2), "seed {seed}");
        assert_eq!(drawn.clocks.len(), cast.machines().count(), "seed {seed}");
        if !commits.contains(&config.commit) {
            commits.push(config.commit);
        }
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
    assert_eq!(commits.len(), 2);
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
        let (all, fewer) = (for_seed(&all, seed), for_seed(&fewer, seed));
        assert_eq!((all.cast.nodes, all.cast.spare), (fewer.cast.nodes, fewer.cast.spare));
        assert_eq!((&all.config, &all.chaos), (&fewer.config, &fewer.chaos));
    }
}

#[test]
fn of_lost_disks_alone_there_may_be_none() {
    let mut stream = Seed(0).stream("kinds", 0);
    let wipe = [ChaosKind::General(GeneralChaos::Wipe)];
    // It would be drawn for ever.
    assert_eq!(some_of(&wipe, Some(false), &mut stream), wipe);
    let two = [ChaosKind::General(GeneralChaos::Wipe), ChaosKind::General(GeneralChaos::Crash)];
    for wipes in [true, false] {
        let drawn: Vec<_> = (0..20).map(|_| some_of(&two, Some(wipes), &mut stream)).collect();
        assert!(
            drawn
                .iter()
                .all(|kinds| kinds.contains(&ChaosKind::General(GeneralChaos::Wipe)) == wipes)
        );
    }
}
