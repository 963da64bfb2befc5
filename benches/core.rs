//! The parts that everything else is made of: looking up owners, writing and reading logs, and what
//! a step costs as clusters grow.

mod recording;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use recording::Recording;
use seedbed::machine::log::OnCorruption;
use seedbed::machine::{Incarnation, NodeId, RequestId, log};
use seedbed::proto::ring::{HashKind, Ring};
use seedbed::proto::{
    Admission, Contents, Decided, Epoch, File, Member, Outcome, Path, Record, Token, TxnId, Version,
};
use seedbed_sim::file_service::Scenario;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    ring(&mut criterion);
    logs(&mut criterion);
    steps(&mut criterion);
    criterion.final_summary();
}

fn ring(criterion: &mut Criterion) {
    let paths: Vec<Path> =
        (0..1000).map(|i| Path::new(&format!("/file{i}")).expect("a path")).collect();
    let mut group = criterion.benchmark_group("ring, owners of a path");
    group.throughput(Throughput::Elements(paths.len() as u64));
    for nodes in [5, 20, 100] {
        let members: Vec<NodeId> = (1..=nodes).map(NodeId::node).collect();
        let ring = Ring::new(HashKind::Sha1, 100, 3, &members);
        group.bench_with_input(BenchmarkId::new("nodes", nodes), &ring, |bencher, ring| {
            bencher.iter(|| paths.iter().map(|path| ring.owners(path)[0].number()).max());
        });
    }
    group.finish();
}

fn logs(criterion: &mut Criterion) {
    let records: Vec<Record> = (1..=10_000).map(decided).collect();
    let mut whole = Vec::new();
    append_all(&records, &mut whole);
    let mut group = criterion.benchmark_group("log, 10000 decisions");
    group.throughput(Throughput::Bytes(whole.len() as u64));
    group.bench_function("append", |bencher| {
        let mut bytes = Vec::with_capacity(whole.len());
        bencher.iter(|| {
            bytes.clear();
            append_all(&records, &mut bytes);
            black_box(bytes.len())
        });
    });
    group.bench_function("recover", |bencher| {
        bencher.iter(|| {
            let recovered = log::recover::<Record>(None, &whole, OnCorruption::Refuse);
            let recovered = recovered.expect("an intact log");
            assert_eq!(recovered.records.len(), records.len());
            recovered
        });
    });
    group.finish();
}

/// Each record as if the one before it had been synced.
fn append_all(records: &[Record], bytes: &mut Vec<u8>) {
    for (position, record) in (0..).zip(records) {
        log::append(record, position, position, bytes);
    }
}

/// A decision that changes one file of 16 bytes.
fn decided(counter: u32) -> Record {
    let client = NodeId::client(1);
    let path = Path::new(&format!("/file{}", counter % 100)).expect("a path");
    let version = Version(u64::from(counter));
    let contents = Some(Contents::from(format!("{counter:016x}")));
    Record::Decided(Decided {
        txn: TxnId {
            coordinator: NodeId::node(1),
            admission: Admission(1),
            incarnation: Incarnation(1),
            counter,
        },
        request: RequestId { client, incarnation: Incarnation(1), number: counter },
        epoch: Epoch(1),
        participants: [2, 3]
            .map(|n| Member { node: NodeId::node(n), admission: Admission(1) })
            .into(),
        changes: [(path, File { version, contents, fence: Token::default() })].into(),
        answer: [Outcome::Changed(version)].into(),
    })
}

/// The same load on clusters of different sizes: what a step costs must not grow with them.
fn steps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("world, cost of a step");
    for nodes in [5, 20, 100] {
        let recording = Recording::of(&load_on(nodes), 1);
        group.throughput(Throughput::Elements(recording.events.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("nodes", nodes),
            &recording,
            |bencher, recorded| {
                let replay = |world| recorded.replay(world, |_, _| {}).steps();
                bencher.iter_batched(|| recorded.world(), replay, BatchSize::LargeInput);
            },
        );
    }
    group.finish();
}

fn load_on(nodes: u32) -> Scenario {
    let text = format!(
        "title = \"{nodes} nodes\"
         [cluster]
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
