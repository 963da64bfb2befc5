//! What the scenarios can say, the swarms draw.
//!
//! Every key of a scenario file is drawn by some file in `scenarios/swarm/`, or stands in a list of
//! exceptions with its reason; so does every kind of drawn fault. And what is drawn matters: with
//! the least and with the most of a key the same seeds make different runs. What the faults of a
//! seed have to meet to find anything, they meet in a fair share of seeds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use seedbed::proto::FileService;
use seedbed_sim::cell::Seeds;
use seedbed_sim::draw::swarm::{DrawnKey, at_both_ends, keys};
use seedbed_sim::file_service::Cell;
use seedbed_sim::file_service::ChaosKind;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::coverage::Situation;
use seedbed_sim::name::Name;
use seedbed_sim::run;
use seedbed_sim::scenario::tables::tables;

/// Keys, or all keys of a table, that no swarm draws, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("title", "it changes no run"),
    ("about", "it changes no run"),
    ("seeds", "it says which runs there are"),
    ("cluster.membership", "each swarm has one: `fixed_members` the other"),
    ("cluster.defects", "a mistake is meant, and `negative/` has one file for each"),
    ("network.link", "drawn faults make single links slow, lossy and doubling"),
    ("clock.node", "every clock gets an offset"),
    ("clock.drift_ppm", "the fault `drift` draws it, within the bound that is drawn"),
    ("clock.beyond_bound", "beyond the bound nothing is promised: `negative/`"),
    ("limits.path_bytes", "small in each swarm, and requests are drawn beyond it"),
    ("limits.contents_bytes", "small in each swarm, and requests are drawn beyond it"),
    ("limits.operations", "small in each swarm, and requests are drawn beyond it"),
    ("workload.kind", "each swarm has one"),
    ("workload.balance", "no step depends on it"),
    ("script", "what is asked is drawn by the workload"),
    ("fault", "what breaks is drawn by `[chaos]`: see the kinds below"),
    ("message", "links lose, hold up and double messages; a rule tells one story"),
    ("sync", "disks are slow and stall; a rule tells one story"),
    ("chaos.kinds", "`kinds` draws some of those that the file names"),
    (
        "chaos.moments",
        "most swarms aim at all of them; those that lose disks as epochs end, at some",
    ),
    (
        "chaos.last_copies",
        "a loss that is accepted excuses much: only swarms about lost disks have it",
    ),
    ("swarm", "it is what draws"),
    ("phases.liveness", "it has to be long enough for the slowest cluster that is drawn"),
    ("phases.probes", "every run of a swarm is probed"),
    ("expect", "it judges, and changes no run"),
];

/// Kinds of drawn faults that no swarm draws, and why.
const KINDS_LEFT_OUT: &[(ChaosKind, &str)] = &[];

fn swarms() -> Vec<Scenario> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/swarm");
    let entries = std::fs::read_dir(folder).expect("the folder of swarms");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let load = |path: &std::path::PathBuf| match Scenario::load(path) {
        Ok(scenario) => scenario,
        Err(errors) => panic!("{errors}"),
    };
    paths.iter().map(load).collect()
}

/// Every key of a scenario file, as `table.key`; those of the file itself without a table.
fn all_keys() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for table in tables::<FileService>() {
        for (_, key) in table.all_keys() {
            let name = match table.name {
                "" => key.name.to_owned(),
                table => format!("{table}.{}", key.name),
            };
            all.insert(name);
        }
    }
    // What leads to a table is no key of its own.
    let leads: Vec<_> = tables::<FileService>().iter().map(|table| table.name.to_owned()).collect();
    all.retain(|key| !leads.contains(key) || ["seeds"].contains(&key.as_str()));
    all
}

#[test]
fn every_key_is_drawn_or_has_a_reason_not_to_be() {
    let drawn: BTreeSet<&str> = swarms().iter().flat_map(keys).map(|key| key.replaces).collect();
    let is_excepted = |key: &str| {
        let is_of = |name: &str| key == name || key.starts_with(&format!("{name}."));
        EXCEPTIONS.iter().any(|(name, _)| is_of(name))
    };
    let all = all_keys();
    let forgotten: Vec<_> =
        all.iter().filter(|key| !drawn.contains(key.as_str()) && !is_excepted(key)).collect();
    assert!(forgotten.is_empty(), "neither drawn nor excepted: {forgotten:?}");
    for (name, reason) in EXCEPTIONS {
        let is_its = |key: &String| key == name || key.starts_with(&format!("{name}."));
        assert!(all.iter().any(is_its) && !reason.is_empty(), "`{name}` is no key");
        assert!(!drawn.contains(name), "`{name}` is drawn after all");
    }
}

#[test]
fn every_kind_of_fault_is_drawn_or_has_a_reason_not_to_be() {
    let swarms = swarms();
    let drawn: BTreeSet<ChaosKind> =
        swarms.iter().flat_map(|file| &file.chaos).flat_map(|chaos| chaos.kinds.clone()).collect();
    for kind in ChaosKind::all() {
        let is_left_out = KINDS_LEFT_OUT.iter().any(|(other, _)| *other == kind);
        assert!(drawn.contains(&kind) != is_left_out, "`{}`", kind.name());
    }
}

/// Of so many seeds the run must be another one with so many, if a key has its least and its most.
const SEEDS: u64 = 100;
const DIFFERENT: u64 = 10;

fn is_different(scenario: &Scenario, seed: u64, key: DrawnKey<FileService>) -> bool {
    let [least, most] = at_both_ends(scenario, seed, key);
    let digest = |scenario: &Scenario| run::run(scenario, seed, &mut ()).digest;
    digest(&least) != digest(&most)
}

#[test]
fn both_ends_of_what_is_drawn_make_different_runs() {
    // One file of those that draw a key is enough.
    let mut by_name: BTreeMap<&str, (Scenario, DrawnKey<FileService>)> = BTreeMap::new();
    for scenario in swarms() {
        for key in keys(&scenario) {
            by_name.entry(key.name).or_insert_with(|| (scenario.clone(), key));
        }
    }
    for (name, (scenario, key)) in by_name {
        let different = (0..SEEDS).filter(|seed| is_different(&scenario, *seed, key));
        let found = different.take(DIFFERENT as usize).count() as u64;
        assert_eq!(found, DIFFERENT, "`{name}` of {}: of {SEEDS} seeds", scenario.file);
    }
}

/// Of so many seeds each situation that a file can get into has its share.
const WATCHED: u64 = 200;

/// The least share of a situation, in percent.
fn least(situation: Situation) -> u64 {
    match situation {
        // Without a fault of a storage node there is little to find.
        Situation::NodeAway => 85,
        Situation::CrashBesideAnother | Situation::ViewOverUnsettled => 20,
        Situation::WipeInDoubt | Situation::WipeInHandOver | Situation::Orphaned => 3,
        Situation::LastCopyLost => 15,
    }
}

#[test]
fn each_situation_has_its_share_of_the_seeds() {
    for swarm in swarms() {
        let mut seeds = Seeds::default();
        (0..WATCHED).for_each(|seed| seeds.add(&run::covered(&swarm, seed, &mut ()).covered));
        for situation in Situation::ALL {
            let cell = Cell::Situation(*situation);
            if swarm.why_never_covered(cell).is_some() {
                continue;
            }
            let (percent, least) = (100 * seeds.of(cell) / WATCHED, least(*situation));
            assert!(percent >= least, "{}: {cell} in {percent} %, not {least}", swarm.file);
        }
    }
}
