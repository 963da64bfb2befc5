//! The same file and seed give the same digest: twice on one thread, on two others, and for every
//! file there is.
//!
//! Two leaks, of the kind that really happens, show that the check sees them; and whatever changes
//! in a run changes its digest.
//!
//! Of each file a few seeds are run, and with `SEEDBED_TEST_WHOLE` set to anything 20.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::which_cases::{is_whole, scenario_files};
use seedbed::machine::{NodeId, Span};
use seedbed::proto::{Action, Contents, Operation, Request};
use seedbed_sim::digest::Digest;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Verdict;
use seedbed_sim::file_service::{Event, Fact, Step, World};
use seedbed_sim::run;
use seedbed_sim::scenario::{Script, Step as Ask};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Runs `seed` of a scenario twice on this thread and once on each of two others, each time with
/// the scenario made anew.
///
/// # Errors
/// The digests, if they are not all the same.
fn check(make: impl Fn() -> Scenario + Sync, seed: u64) -> Result<u64, [u64; 4]> {
    let digest = || {
        let report = run::run(&make(), seed, &mut ());
        // A run that panicked has no digest, and two such would be the same.
        assert!(!matches!(report.verdict, Verdict::Panic(_)), "{:?}", report.verdict);
        report.digest
    };
    let (first, second) = (digest(), digest());
    let (third, fourth) = std::thread::scope(|scope| {
        let threads = (scope.spawn(digest), scope.spawn(digest));
        (threads.0.join().expect("a run"), threads.1.join().expect("a run"))
    });
    let digests = [first, second, third, fourth];
    if digests.iter().all(|digest| *digest == first) { Ok(first) } else { Err(digests) }
}

#[test]
fn every_file_gives_the_same_digest_again() {
    let files = scenario_files("scenarios");
    assert!(!files.is_empty(), "there are scenarios");
    let seeds = if is_whole() { 20 } else { 2 };
    for file in files {
        let scenario = load(&file);
        let start = scenario.seeds.start;
        let mut digests = BTreeMap::new();
        for seed in start..start + seeds {
            let digest = check(|| scenario.clone(), seed)
                .unwrap_or_else(|digests| panic!("{file:?}, seed {seed}: {digests:x?}"));
            digests.entry(digest).or_insert(seed);
        }
        let draws = scenario.workload.is_some() || scenario.chaos.is_some();
        assert!(
            !draws || digests.len() as u64 == seeds,
            "{file:?}: two seeds are one run: {digests:x?}"
        );
    }
}

#[test]
fn a_static_that_leaks_into_a_run_is_caught() {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let leaky = || {
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        scripted([write(0, &count.to_string())])
    };
    assert!(check(leaky, 1).is_err());
    assert!(check(|| scripted([write(0, "0")]), 1).is_ok(), "without the leak it is no leak");
}

#[test]
fn the_order_of_a_hash_map_that_leaks_into_a_run_is_caught() {
    let files: Vec<(usize, String)> = (0..32).map(|i| (i, i.to_string())).collect();
    let leaky = || {
        let files: HashMap<usize, String> = files.iter().cloned().collect();
        scripted(files.iter().map(|(i, contents)| write(*i, contents)))
    };
    assert!(check(leaky, 1).is_err());
    let ordered = || scripted(files.iter().map(|(i, contents)| write(*i, contents)));
    assert!(check(ordered, 1).is_ok(), "without the leak it is no leak");
}

/// Every kind of message and record that a run shows, each byte of its postcard form changed in
/// every bit: wherever that is still a message or record, the digest of the step is another one.
#[test]
fn any_other_byte_of_a_message_or_record_is_another_digest() {
    let mut messages = BTreeMap::new();
    let mut records = BTreeMap::new();
    for file in scenario_files("scenarios") {
        let scenario = load(&file);
        run::run(&scenario, scenario.seeds.start, &mut |_: &World, step: &Step| {
            for (place, fact) in step.facts.iter().enumerate() {
                match fact {
                    Fact::Sent { message, .. } => {
                        messages.entry(message.kind()).or_insert_with(|| (step.clone(), place));
                    }
                    Fact::Appended { record, .. } => {
                        records.entry(record.kind()).or_insert_with(|| (step.clone(), place));
                    }
                    _ => {}
                }
            }
        });
    }
    assert!(messages.len() >= 12 && records.len() >= 8, "{} {}", messages.len(), records.len());
    for (kind, (step, place)) in messages {
        let changed = changed_digests(&step, place, |fact| match fact {
            Fact::Sent { message, .. } => message,
            _ => unreachable!("it was sent"),
        });
        assert!(changed > 0, "{kind:?}: no byte can be changed");
    }
    for (kind, (step, place)) in records {
        let changed = changed_digests(&step, place, |fact| match fact {
            Fact::Appended { record, .. } => record,
            _ => unreachable!("it was appended"),
        });
        assert!(changed > 0, "{kind:?}: no byte can be changed");
    }
}

/// What else stands in a step counts too: when, what happened, at which machine.
#[test]
fn any_other_event_time_or_fact_is_another_digest() {
    let mut step = Step::new();
    step.facts.push(Fact::SyncBegan { node: NodeId::node(1) });
    let original = digest(&step);
    let changes: [fn(&mut Step); 5] = [
        |step| step.at = step.at + Span::from_nanos(1),
        |step| step.event = Event::Wake(NodeId::node(1)),
        |step| step.event = Event::Synced(NodeId::CONTROL),
        |step| step.facts.clear(),
        |step| step.facts.push(Fact::SyncBegan { node: NodeId::node(1) }),
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut changed = step.clone();
        change(&mut changed);
        assert_ne!(digest(&changed), original, "change {i}");
    }
}

/// The order of steps counts, and so does every step before the last.
#[test]
fn steps_in_another_order_are_another_digest() {
    let (mut first, mut second) = (Step::new(), Step::new());
    first.event = Event::Wake(NodeId::node(1));
    second.event = Event::Wake(NodeId::node(2));
    let all = |steps: &[&Step]| {
        let mut digest = Digest::default();
        steps.iter().for_each(|step| digest.add(step));
        digest.value()
    };
    assert_ne!(all(&[&first, &second]), all(&[&second, &first]));
    assert_ne!(all(&[&first, &second]), all(&[&second]));
    assert_ne!(all(&[&first, &second]), all(&[&first, &second, &second]));
}

/// Changes each bit of what `part` finds in the fact at `place`; says how many of them still made
/// sense.
fn changed_digests<T: Serialize + DeserializeOwned + PartialEq>(
    step: &Step,
    place: usize,
    part: impl Fn(&mut Fact) -> &mut T,
) -> u64 {
    let original = digest(step);
    let mut step = step.clone();
    let bytes = postcard::to_allocvec(part(&mut step.facts[place])).expect("it has a form");
    let mut count = 0;
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let Ok(other) = postcard::from_bytes::<T>(&changed) else { continue };
        let before = std::mem::replace(part(&mut step.facts[place]), other);
        // Two forms of one number are one number.
        if *part(&mut step.facts[place]) != before {
            assert_ne!(digest(&step), original, "byte {} of {bytes:x?}", bit / 8);
            count += 1;
        }
        *part(&mut step.facts[place]) = before;
    }
    count
}

fn digest(step: &Step) -> u64 {
    let mut digest = Digest::default();
    digest.add(step);
    digest.value()
}

/// A small scenario that asks for exactly this, in this order, at once.
fn scripted(requests: impl IntoIterator<Item = Request>) -> Scenario {
    let text = r#"
        title = "a script"
        [cluster]
        clients = 1
        [[script]]
        client = "c1"
        at = "1s"
        read = "/a"
        [phases]
        safety = "5s"
        liveness = "40s"
    "#;
    let mut scenario = Scenario::parse("a script", text).expect("a scenario");
    let script = |request| Script { steps: vec![Ask::of(request)], ..scenario.script[0].clone() };
    scenario.script = requests.into_iter().map(script).collect();
    scenario
}

fn write(file: usize, contents: &str) -> Request {
    let path = seedbed::proto::Path::new(&format!("/file{file}")).expect("a path");
    let action = Action::Write(Contents::from(contents), None);
    Request::Files {
        operations: [Operation { path, action, token: None }].into(),
        coordinator: None,
    }
}

fn load(file: &Path) -> Scenario {
    Scenario::load(file).unwrap_or_else(|error| panic!("{error}"))
}
