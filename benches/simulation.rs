//! How fast whole runs are, on one core with every invariant on, and where the time goes.
//!
//! The scenarios are `scenarios/mixed/files.toml`, whose membership is fixed: 5 storage nodes, 3
//! clients, 200 operations in 30 simulated seconds of faults, then the liveness phase; and
//! `scenarios/swarm/files.toml`, whose membership is managed and of which every seed draws a
//! cluster and faults of its own.
//!
//! The shares come from doing the events of recorded runs again: the machines alone, the world
//! around them, with the digest, with the oracle; each line is the difference to the one before.
//! What a whole run needs beyond that is choosing the events: the queue, the draws, the faults,
//! milestones, madsim's runtime.
//!
//! Last, what a step costs in a managed cluster that grows while its load stays the same: it should
//! stay the same, too.

mod recording;

use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use recording::Recording;
use seedbed::proto::{Config, Membership, Settings};
use seedbed_sim::digest::Digest;
use seedbed_sim::file_service::InvariantName;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::World;
use seedbed_sim::file_service::invariant::FileInvariant;
use seedbed_sim::file_service::oracle::{Oracle, registry};
use seedbed_sim::name::Name;
use seedbed_sim::run;

const SEEDS: u64 = 20;
/// The fastest of so many counts: noise only ever adds.
const ROUNDS: usize = 7;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    for file in ["mixed/files.toml", "swarm/files.toml"] {
        whole_runs(&mut criterion, file);
    }
    sizes(&mut criterion);
    criterion.final_summary();
}

/// Without this argument it is a test that the bench works.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn whole_runs(criterion: &mut Criterion, file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(file);
    let scenario = Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
    let recordings: Vec<Recording> =
        (0..SEEDS).map(|seed| Recording::of(&scenario, seed)).collect();
    every_invariant_is_on(&recordings[0].world(), &scenario);
    if is_measured() {
        println!("\n{file}:");
        print_shares(&scenario, &recordings);
    }
    runs(criterion, file, &scenario, &recordings);
}

/// Figures with an invariant switched off are worth nothing. Only the bank's is about another
/// workload, and some have nothing to see where membership is fixed.
fn every_invariant_is_on(world: &World, scenario: &Scenario) {
    let of = |membership| {
        let settings = Settings { membership, ..Settings::default() };
        let world = World::of_config(Config::new(settings).expect("the defaults are right"), 1);
        FileInvariant::ALL
            .iter()
            .filter(|name| registry::make(**name, &world, None).is_some())
            .count()
    };
    let about_views = match world.config().membership {
        Membership::Fixed => of(Membership::Managed) - of(Membership::Fixed),
        Membership::Managed => 0,
    };
    let oracle = Oracle::new(world, scenario.workload.as_ref());
    let wanted = InvariantName::all().count() - 1 - about_views;
    assert_eq!(oracle.invariants(), wanted, "an invariant is off: no figures");
}

fn runs(criterion: &mut Criterion, file: &str, scenario: &Scenario, recordings: &[Recording]) {
    let steps = recordings.iter().map(|recording| recording.events.len() as u64).sum();
    let mut group = criterion.benchmark_group(file);
    group.throughput(Throughput::Elements(steps));
    group.bench_function(format!("whole runs of {SEEDS} seeds, in steps"), |bencher| {
        bencher.iter(|| run_all(scenario, recordings));
    });
    group.finish();
}

/// Whole runs of managed clusters of several sizes under one load.
fn sizes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("managed, cost of a step");
    group.sample_size(10);
    for nodes in [5, 20, 50, 100] {
        let scenario = load_on(nodes);
        let recording = Recording::of(&scenario, 1);
        every_invariant_is_on(&recording.world(), &scenario);
        let steps = recording.events.len() as u64;
        let recordings = [recording];
        if is_measured() {
            println!("\nmanaged, {nodes} storage nodes:");
            print_shares(&scenario, &recordings);
        }
        group.throughput(Throughput::Elements(steps));
        group.bench_with_input(BenchmarkId::new("nodes", nodes), &scenario, |bencher, scenario| {
            bencher.iter(|| run_all(scenario, &recordings));
        });
    }
    group.finish();
}

fn load_on(nodes: u32) -> Scenario {
    let text = format!(
        "title = \"{nodes} nodes\"
         [cluster]
         membership = \"managed\"
         nodes = {nodes}
         clients = 20
         replicas = 3
         [workload]
         kind = \"files\"
         operations = 4000
         paths = 1000
         [phases]
         safety = \"30s\"
         liveness = \"40s\"
        "
    );
    Scenario::parse("a load", &text).unwrap_or_else(|error| panic!("{error}"))
}

fn run_all(scenario: &Scenario, recordings: &[Recording]) {
    for recording in recordings {
        black_box(run::run(scenario, recording.seed, &mut ()).digest);
    }
}

fn print_shares(scenario: &Scenario, recordings: &[Recording]) {
    let machines = fastest(recordings, Recording::core, |_, core| {
        black_box(core.replay());
    });
    let world = fastest(recordings, Recording::world, |recording, world| {
        black_box(recording.replay(world, |_, _| {}));
    });
    let digest = fastest(recordings, Recording::world, |recording, world| {
        let mut digest = Digest::default();
        recording.replay(world, |_, step| digest.add(step));
        black_box(digest.value());
    });
    let oracle = fastest(recordings, Recording::world, |recording, world| {
        let mut digest = Digest::default();
        let mut oracle = Oracle::new(&world, scenario.workload.as_ref());
        let end = recording.replay(world, |world: &World, step| {
            digest.add(step);
            oracle.observe(world, step).expect("the run passed");
        });
        oracle.at_end(&end).expect("the run passed");
        black_box(digest.value());
    });
    let whole = fastest(
        recordings,
        |_| (),
        |recording, ()| {
            black_box(run::run(scenario, recording.seed, &mut ()).digest);
        },
    );
    let steps: u64 = recordings.iter().map(|recording| recording.events.len() as u64).sum();
    let answered: u64 = recordings.iter().map(|recording| recording.answered).sum();
    let line = |name: &str, time: Duration| {
        let ns = time.as_nanos() as f64 / steps as f64;
        let share = 100.0 * time.as_secs_f64() / whole.as_secs_f64();
        println!("  {name:<38} {ns:>8.0} ns per step {share:>6.1} %");
    };
    let seeds = recordings.len();
    println!("{seeds} seeds, {steps} steps, {answered} operations answered, on one core:");
    line("machines of the protocols", machines);
    line("world: hosts, disks, network, clocks", world.saturating_sub(machines));
    line("digest", digest.saturating_sub(world));
    line("oracle", oracle.saturating_sub(digest));
    line("choosing events: queue, draws, runtime", whole.saturating_sub(oracle));
    line("whole", whole);
    let per_second = |count: u64| count as f64 / whole.as_secs_f64();
    println!(
        "  {:.0} steps/s, {:.0} operations/s, {:.0} seeds/s\n",
        per_second(steps),
        per_second(answered),
        per_second(seeds as u64)
    );
}

/// The sum over all recordings of the fastest round of each.
fn fastest<T>(
    recordings: &[Recording],
    prepare: impl Fn(&Recording) -> T,
    act: impl Fn(&Recording, T),
) -> Duration {
    let round = |recording: &Recording| {
        let prepared = prepare(recording);
        let start = Instant::now();
        act(recording, prepared);
        start.elapsed()
    };
    let best = |recording| (0..ROUNDS).map(|_| round(recording)).min().unwrap_or_default();
    recordings.iter().map(best).sum()
}
