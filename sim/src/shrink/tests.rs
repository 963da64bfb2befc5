use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::{Command, Defect, FileService};
use toml::Value;

use super::draft::{Draft, way};
use super::{Kind, NotShrunk, Shrinking, Shrunk, passes, resolve, rules};
use crate::digest::Digest;
use crate::draw::message_delivery::Arrival;
use crate::draw::swarm::for_seed;
use crate::fault::{Cut, Degradation, DiskTrouble, Fault, Leaves, Restart, Torn, Worse};
use crate::file_service::scenario::{ScriptedFault, Wish};
use crate::file_service::{Scenario, Step, World};
use crate::quantity::{Ppb, SpanRange};
use crate::run;
use crate::scenario::{Trigger, written};
use crate::simulation;
use crate::world::Watcher;

type Recording = simulation::Recording<FileService>;

fn text_of(file: &str) -> String {
    std::fs::read_to_string(format!("../scenarios/{file}"))
        .unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// Chains the steps before `end`.
#[derive(Default)]
struct Until {
    end: Time,
    digest: Digest,
    times: Vec<Time>,
}

impl Watcher<FileService> for Until {
    fn watch(&mut self, _world: &World, step: &Step) {
        if step.at < self.end {
            self.digest.add(step);
            self.times.push(step.at);
        }
    }
}

impl Until {
    /// What a run does before `end`.
    fn of(end: Time, scenario: &Scenario, seed: u64) -> Until {
        let mut until = Until { end, ..Until::default() };
        run::run(scenario, seed, &mut until);
        until
    }
}

/// Up to where the run of `scenario`, written out, must be the same: to the first thing that a file
/// cannot say; to a request that is asked in the very moment of another step, because a script may
/// come first where a user has come second; to the end of the safety phase, because users go on for
/// a while when everything is healed, and scripts do not.
fn same_until(
    scenario: &Scenario,
    seed: u64,
    recording: &Recording,
    left_out: [Option<Time>; 2],
) -> Time {
    let healed = Time::ZERO + for_seed(scenario, seed).phases.safety;
    let times = Until::of(healed, scenario, seed).times;
    let in_one_moment = recording
        .requests
        .iter()
        .map(|(at, ..)| *at)
        .find(|at| times.iter().filter(|time| *time == at).count() > 1);
    left_out.into_iter().chain([in_one_moment]).flatten().fold(healed, Time::min)
}

#[test]
fn a_run_that_is_written_out_is_the_same_run() {
    let files = [
        "mixed/files.toml",
        "mixed/locked_counter.toml",
        "commit/bank.toml",
        "swarm/files.toml",
        "swarm/counters.toml",
        "swarm/lost_disks.toml",
    ];
    let mut compared = BTreeMap::new();
    for (file, seed) in files.into_iter().flat_map(|file| (0..4).map(move |seed| (file, seed))) {
        let text = text_of(file);
        let scenario = Scenario::parse(file, &text).expect("sound");
        let (_, recording) = run::recorded(&scenario, seed);
        let mut draft = Draft::parse(&text).expect("TOML");
        draft.remove("expect");
        resolve::write_settings(&mut draft, &scenario, seed);
        let left_out = [
            resolve::write_requests(&mut draft, &recording),
            resolve::write_faults(&mut draft, &recording),
        ];
        assert!(["swarm", "workload", "chaos"].iter().all(|it| draft.get(&way(&[it])).is_none()));
        if draft.count(&way(&["script"])) == 0 {
            continue; // nothing is asked in the safety phase
        }
        let written = Scenario::parse(file, &draft.text()).unwrap_or_else(|e| panic!("{e}"));
        let end = same_until(&scenario, seed, &recording, left_out);
        let (was, is) = (Until::of(end, &scenario, seed), Until::of(end, &written, seed));
        assert_eq!(is.digest.value(), was.digest.value(), "{file}, seed {seed}, before {end}");
        *compared.entry(file).or_insert(0) += was.times.len();
    }
    let (all, least) = (compared.values().sum::<usize>(), compared.values().min());
    assert!(compared.len() == files.len() && least >= Some(&500), "{compared:?}");
    assert!(all > 20_000, "only {all} steps could be compared: {compared:?}");
}

fn shrunk_with(jobs: usize, file: &str, seed: u64, defect: Option<Defect>) -> Shrunk {
    let new = Shrinking::<FileService>::new(file, &text_of(file), seed, defect).expect("it fails");
    let mut shrinking = new.jobs(NonZeroUsize::new(jobs).expect("some"));
    shrinking.shrink(5_000);
    shrinking.finish()
}

fn shrunk(file: &str, seed: u64, defect: Option<Defect>) -> Shrunk {
    shrunk_with(1, file, seed, defect)
}

#[test]
fn what_is_left_fails_in_the_same_way_and_passes_without_the_defect() {
    let drawn = [
        ("mixed/files.toml", 0, Defect::TransactionIdReused, "transaction_ids_are_used_once"),
        ("mixed/files.toml", 4, Defect::TokenRestarts, "tokens_grow"),
        ("mixed/files.toml", 0, Defect::RetriesAskOneOwner, "a_retry_asks_another_owner"),
        ("swarm/files.toml", 0, Defect::CopiesDroppedTooEarly, "claimed_copies_are_kept"),
    ];
    for (file, seed, defect, invariant) in drawn {
        let Shrunk { file: text, size, needs_no_seed, passes_without_defects, .. } =
            shrunk(file, seed, Some(defect));
        assert!(needs_no_seed && passes_without_defects == Some(true), "{text}");
        assert!(size.faults <= 3 && size.scripts <= 4 && size.rules <= 10, "{size}:\n{text}");
        assert!(size.drawn == 0 && text.lines().count() <= 60, "{size}:\n{text}");
        let scenario = Scenario::parse("shrunk.toml", &text).unwrap_or_else(|e| panic!("{e}"));
        for seed in [0, 7] {
            let report = run::run(&scenario, seed, &mut ());
            assert!(report.is_as_expected(&scenario.expect.verdict), "{}\n{text}", report.verdict);
            assert!(report.verdict.to_string().contains(invariant), "{}", report.verdict);
        }
    }
}

#[test]
fn the_same_run_shrinks_to_the_same_file_with_any_number_of_jobs() {
    let with =
        |jobs| shrunk_with(jobs, "swarm/files.toml", 2, Some(Defect::LeaseBeforeEntryIsRecorded));
    let one = with(1);
    assert_eq!(with(3), one);
}

#[test]
fn messages_for_which_it_matters_get_a_rule_each() {
    let shrunk = shrunk("swarm/files.toml", 2, Some(Defect::LeaseBeforeEntryIsRecorded));
    assert!(shrunk.size.rules > 0 && shrunk.needs_no_seed, "{}", shrunk.file);
}

#[test]
fn a_run_with_a_rule_for_each_message_and_sync_is_the_same_run() {
    for seed in 0..4 {
        let text = "title = 't'\n[network]\nspike = 0.1\n[workload]\nkind = 'files'\n";
        let scenario = Scenario::parse("x.toml", text).expect("sound");
        let (_, recording) = run::recorded(&scenario, seed);
        let (latency, sync) = (Span::from_millis(5), Span::from_millis(1));
        let draft = passes::constant(&Draft::parse(text).expect("TOML"), latency, sync);
        let mut ruled = draft.clone();
        ruled.add("message", rules::for_messages(&recording, latency, scenario.phases.safety));
        ruled.add("sync", rules::for_syncs(&recording, sync));
        let end = Time::ZERO + scenario.phases.safety;
        let digest = |draft: &Draft| {
            let scenario = Scenario::parse("x.toml", &draft.text()).expect("sound");
            Until::of(end, &scenario, seed).digest.value()
        };
        let was = Until::of(end, &scenario, seed);
        assert!(was.times.len() > 200, "{}", was.times.len());
        assert_eq!(digest(&ruled), was.digest.value(), "seed {seed}");
        assert_ne!(digest(&draft), was.digest.value(), "seed {seed}");
    }
}

#[test]
fn a_message_that_a_drawn_fault_drops_is_dropped_by_a_rule() {
    let text = "title = 't'\n[network]\nlatency = ['20ms', '200ms']\n[workload]\nkind = 'files'\n\
                [chaos]\nkinds = ['drop']\ninterval = ['50ms', '200ms']\n";
    let dropped_at_once = |recording: &Recording| {
        let all = recording.messages.iter();
        let dropped = all.filter(|it| it.course.arrival == Arrival::DroppedAtOnce);
        dropped.map(|it| (it.at, it.kind, it.from, it.to)).collect::<Vec<_>>()
    };
    let mut all = 0;
    for seed in 0..4 {
        let scenario = Scenario::parse("x.toml", text).expect("sound");
        let (_, recording) = run::recorded(&scenario, seed);
        let draft = Draft::parse(text).expect("TOML");
        let written = resolve::written_out(&draft, &scenario, &recording, seed).remove(0);
        let written = Scenario::parse("x.toml", &written.text()).expect("sound");
        let mut dropped: Vec<_> =
            recording.dropped.iter().map(|it| &recording.messages[*it]).collect();
        dropped.sort_by_key(|it| it.packet);
        let dropped: Vec<_> = dropped.iter().map(|it| (it.at, it.kind, it.from, it.to)).collect();
        assert_eq!(dropped_at_once(&run::recorded(&written, seed).1), dropped, "seed {seed}");
        all += dropped.len();
    }
    assert!(all > 20, "only {all} messages are dropped");
}

/// The operator accepts the lost disk long after the failure, and the run without the defect waits
/// for that.
#[test]
fn what_only_the_run_without_the_defect_needs_is_kept() {
    let shrunk = shrunk("swarm/lost_disks.toml", 4, Some(Defect::BeginsAgainUnasked));
    assert_eq!(shrunk.passes_without_defects, Some(true), "{}", shrunk.file);
    let scenario = Scenario::parse("x.toml", &shrunk.file).expect("sound");
    let accepts = |it: &ScriptedFault| {
        matches!(&it.fault, Fault::Operator { wish: Wish::Other(Command::AcceptLoss(_)), .. })
    };
    assert!(scenario.faults.iter().any(accepts), "{}", shrunk.file);
}

#[test]
fn a_fault_strikes_at_a_time_where_no_milestone_is_needed() {
    let text = "title = 't'\n[cluster]\ndefects = ['vote_not_forced']\n[[script]]\nclient = 'c1'\n\
                at = '1s'\nread = '/a'\n[[script]]\nclient = 'c1'\nat = '2s'\nwrite = '/b'\n\
                data = 'x'\n[[fault]]\nwhen = { milestone = 'request_done' }\ncrash = 'n1'\n";
    let mut shrinking = Shrinking::<FileService>::new("x.toml", text, 0, None).expect("it fails");
    shrinking.strike_at_times();
    let scenario = Scenario::parse("x.toml", &shrinking.best.text()).expect("sound");
    assert_eq!(scenario.faults[0].trigger, Trigger::At(Span::from_secs(1)));
}

#[test]
fn a_run_that_passes_is_refused() {
    let file = "mixed/files.toml";
    let refused = Shrinking::<FileService>::new(file, &text_of(file), 0, None).unwrap_err();
    assert!(matches!(refused, NotShrunk::Passes), "{refused}");
}

#[test]
fn what_begins_after_the_failure_goes_first() {
    let text = "title = 't'\n[cluster]\ndefects = ['vote_not_forced']\n[[script]]\nclient = 'c1'\n\
                at = '1s'\nwrite = '/a'\ndata = 'x'\n[[fault]]\nat = '9s'\npause = 'n2'\n\
                for = '1s'\n[phases]\nsafety = '20s'\n";
    let mut shrinking = Shrinking::<FileService>::new("x.toml", text, 0, None).expect("it fails");
    shrinking.end_early();
    let scenario = Scenario::parse("x.toml", &shrinking.best.text()).expect("sound");
    assert_eq!((scenario.faults.len(), scenario.script.len()), (0, 1));
    assert_eq!(scenario.phases.safety, Span::from_secs(2));
}

#[test]
fn kinds_have_no_names_and_no_numbers() {
    let text = |start: &str, node: &str, path: &str| {
        format!(
            "title = 't'\n[cluster]\nnodes = 4\ndefects = ['{start}']\n[[script]]\n\
             client = 'c1'\nat = '1s'\nwrite = '{path}'\ndata = 'a b'\n\
             coordinator = '{node}'\n"
        )
    };
    let kind = |text: &str| {
        let scenario = Scenario::parse("x.toml", text).expect("sound");
        Kind::of(&run::run(&scenario, 0, &mut ()).verdict).expect("it fails")
    };
    let first = kind(&text("vote_not_forced", "n1", "/a"));
    assert_eq!(first.verdict, "violation vote_is_durable_before_it_leaves");
    let nodes = ["n2", "n3"].map(|node| kind(&text("vote_not_forced", node, "/another")));
    assert!(nodes.contains(&first), "{nodes:?}, {first:?}");
    let other = kind(&text("commit_not_applied", "n1", "/a"));
    assert_ne!(other, first);
}

#[test]
fn a_fault_that_is_written_is_read_again() {
    let [first, second, third] = [1, 2, 3].map(NodeId::node);
    let (some, brief) = (Some(Span::from_millis(1_500)), SpanRange::from_millis(20, 80));
    let after = Restart::After(Span::from_micros(7));
    let leaves = |kept, torn| Leaves { kept: Some(kept), torn: Some(torn) };
    let crash = |leaves, restart| Fault::Crash { node: first, leaves, restart };
    let cut = |links| Fault::Cut { links, lasts: some };
    let disk = |trouble| Fault::Disk { node: NodeId::CONTROL, trouble, lasts: None };
    let worse = |how| Fault::Degrade {
        what: Degradation { from: vec![first], to: vec![second, third], how },
        lasts: some,
    };
    let share = Ppb::new(250_000_000).expect("a quarter");
    let wish = |wish, node| Fault::Operator { wish, node };
    let set = Command::Set {
        replicas: Some(2),
        virtual_nodes: None,
        lock_lease: some,
        membership_lease: None,
    };
    let faults: Vec<Fault<FileService>> = vec![
        crash(Leaves::default(), after),
        crash(leaves(0, Torn::No), Restart::Never),
        crash(leaves(2, Torn::Prefix), Restart::WhenHealed),
        crash(leaves(1, Torn::Zeros), after),
        crash(leaves(1, Torn::Hole), after),
        Fault::BitRot { node: first, record: Some(2), bit: None, restart: after },
        Fault::Wipe { node: second, restart: Restart::WhenHealed },
        Fault::Pause { node: NodeId::client(1), lasts: None },
        cut(Cut::Isolate(third)),
        cut(Cut::Groups(vec![vec![first], vec![second, NodeId::client(1)]])),
        cut(Cut::OneWay { from: vec![first, second], to: vec![third] }),
        cut(Cut::MajoritiesRing),
        Fault::Drop(second),
        Fault::ClockJump { node: first, by: Span::from_secs(5) },
        Fault::ClockDrift { node: first, ppm: -120, lasts: some },
        disk(DiskTrouble::Slow(brief)),
        disk(DiskTrouble::Stalled),
        disk(DiskTrouble::Full),
        worse(Worse::Slow(brief)),
        worse(Worse::Lossy(share)),
        worse(Worse::Doubling(share)),
        Fault::RollingRestart { down: Span::from_millis(300), pause: Span::from_secs(1) },
        Fault::Attrition { count: 2, pause: Span::from_millis(30), restart: after },
        wish(Wish::Join, Some(second)),
        wish(Wish::Leave, Some(third)),
        wish(Wish::Other(set), None),
        wish(Wish::Other(Command::AcceptLoss([].into())), None),
        wish(Wish::Other(Command::AcceptLoss([third].into())), None),
    ];
    for fault in faults {
        let text = "title = 't'\n[cluster]\nnodes = 5\nmembership = 'managed'\n[[script]]\n\
                    client = 'c1'\nat = '1s'\nread = '/a'\n";
        let mut draft = Draft::parse(text).expect("TOML");
        let mut keys = written::keys([("at", "2s".into())]);
        keys.extend(written::fault(&fault).expect("a file can say it"));
        draft.add("fault", vec![keys]);
        let text = draft.text();
        let scenario = Scenario::parse("x.toml", &text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let read = scenario.faults[0].fault.bind(|target| target.node().into_iter().collect());
        assert_eq!(read, Some(fault), "{text}");
    }
}

#[test]
fn a_draft_is_taken_apart_and_written() {
    let text = "title = \"t\"\nseeds = { start = 0, count = 1 }\n\n[cluster]\nnodes = 3\n\n\
                [[fault]]\nat = \"1s\"\npartition = [[\"n1\"], [\"n2\", \"c1\"]]\n\n\
                [[fault]]\nat = \"5s\"\ncrash = \"n3\"\n";
    let draft = Draft::parse(text).expect("TOML");
    assert_eq!(draft.file(), text);
    let faults = way(&["fault"]);
    assert_eq!(draft.count(&faults), 2);
    assert_eq!(draft.without_items(&faults, 0..1).count(&faults), 1);
    assert_eq!(draft.without_items(&faults, 0..2).get(&faults), None);
    assert_eq!(draft.without_later(Span::from_secs(5)).count(&faults), 1);
    assert_eq!(Vec::from_iter(draft.numbers('n')), [1, 2, 3]);
    assert_eq!(Vec::from_iter(draft.renamed("n3", "n2").numbers('n')), [1, 2]);
    let asked = Draft::parse("request = 'c3.2#1'\nother = 'c31'").expect("TOML");
    assert_eq!(asked.renamed("c3", "c1").text(), "request = \"c1.2#1\"\nother = \"c31\"\n");
    let nodes = way(&["cluster", "nodes"]);
    assert_eq!(draft.with(&nodes, Value::from(2)).get(&nodes), Some(&Value::from(2)));
    assert_eq!(draft.without_key(&nodes).get(&nodes), None);
}
