//! Reports of made-up and of real violations.

mod defects;
mod harm;
mod left_out;
mod snapshots;
mod ways;

use std::sync::Arc;
use std::time::Duration;

use seedbed::machine::{Incarnation, NodeId, Span, Time};
use seedbed::proto::{
    Admission, Config, Epoch, FileService, FromCentre, Header, LowWater, Message, Path, Record,
    Settings, Timer, ToCentre, TxnId, TxnMessage, Vote,
};

use super::chart::{Chart, Drawn, Mark};
use super::compose::compose;
use super::facts::Facts;
use super::lifelines::HEAD;
use super::rows::rows;
use super::*;
use crate::file_service::InvariantName;
use crate::file_service::Milestone;
use crate::file_service::invariant::FileInvariant;
use crate::file_service::oracle::Violation;
use crate::file_service::oracle::blocked::kind;
use crate::file_service::subject_of::Subject;
use crate::file_service::{
    Event, Fact, History, Packet, RunReport, Scenario, Simulation, Step, World,
};
use crate::oracle::blocked::{Wait, WaitKind};
use crate::oracle::{Breach, Evidence};
use crate::world::{Loss, PacketId, Tear, Watcher};

fn n(number: u16) -> NodeId {
    NodeId::node(number)
}

fn txn(counter: u32) -> TxnId {
    let coordinator = n(1);
    TxnId { coordinator, admission: Admission(1), incarnation: Incarnation(1), counter }
}

fn header(counter: u32) -> Header {
    Header { txn: txn(counter), low_water: LowWater::default() }
}

/// A history put together by hand; steps are numbered from 1, a millisecond apart.
#[derive(Default)]
struct Made(History);

impl Made {
    fn step(&mut self, event: Event, facts: Vec<Fact>) -> &mut Made {
        self.with(event, None, facts)
    }

    fn with(&mut self, event: Event, packet: Option<Packet>, facts: Vec<Fact>) -> &mut Made {
        let index = self.0.len() as u64 + 1;
        let at = Time::ZERO + Span::from_millis(index);
        self.0.push(Step { index, at, event, packet, facts, ..Step::new() });
        self
    }

    fn deliver(&mut self, id: u64, from: u16, to: u16, message: Message, facts: Vec<Fact>) {
        let packet = Packet { from: n(from), to: n(to), message: message.into() };
        self.with(Event::Deliver(PacketId(id)), Some(packet), facts);
    }
}

fn sent(id: u64, from: u16, to: u16, message: Message) -> Fact {
    Fact::Sent { packet: PacketId(id), from: n(from), to: n(to), message: message.into() }
}

/// n1 sends an abort to n3 and a commit to n2, where it arrives; the one to n4 is lost; n3 crashes;
/// n2 asks n3.
fn made() -> History {
    let commit = || {
        Message::Txn(TxnMessage::Commit {
            header: header(4),
            voter: Admission(1),
            answer: [].into(),
        })
    };
    let abort = || Message::Txn(TxnMessage::Abort { header: header(4) });
    let other = || Message::Txn(TxnMessage::Inquire { txn: txn(9), asked: Admission(1) });
    let mut made = Made::default();
    let facts = vec![
        sent(1, 1, 3, abort()),
        sent(2, 1, 2, commit()),
        sent(3, 1, 4, commit()),
        sent(4, 1, 2, other()),
    ];
    made.step(Event::Wake(n(1)), facts);
    made.deliver(4, 1, 2, other(), vec![]); // about something else
    let lost = Packet { from: n(1), to: n(4), message: commit().into() };
    made.with(Event::Drop(PacketId(3), Loss::Network), Some(lost), vec![]);
    let record = Record::RolledBack { txn: txn(4) };
    let rolled_back = Fact::Appended { node: n(3), position: 7, record, forced: false };
    made.deliver(1, 1, 3, abort(), vec![rolled_back]);
    made.step(Event::Wake(n(5)), vec![]); // a machine that does not matter
    let forgot = Fact::Forgot { node: n(3), from: 7, count: 1, torn: 0, tear: Tear::Prefix };
    made.step(
        Event::Crash { node: n(3), kept: 0, torn: 0, tear: Tear::Prefix, checkpointed: false },
        vec![forgot],
    );
    made.deliver(2, 1, 2, commit(), vec![]);
    made.0
}

fn violation(earlier: u64, now: u64, about: impl Into<Subject>) -> Violation {
    let about = about.into();
    let earlier = Evidence::at(earlier, format!("n3 rolled {about} back")).about(about.clone());
    let now = Evidence::at(now, format!("n2 applied {about}")).about(about);
    let step = now.step;
    let breach = Box::new(Breach { earlier, now });
    Violation { invariant: InvariantName::System(FileInvariant::ParticipantsAgree), step, breach }
}

fn config() -> Arc<Config> {
    Config::new(Settings::default()).unwrap()
}

fn chart_of(history: &History, violation: &Violation, room: usize) -> Drawn {
    let story = compose(&Facts::of_breach(&violation.breach), history, &[]);
    let rows = rows(&config(), history, &story, false);
    let marks = [Mark { mark: '>', meaning: "the two facts", places: story.facts.clone() }];
    Chart::new(history, &rows, &marks, Layout::WIDTH, 3).draw(room)
}

#[test]
fn the_chart_shows_the_causal_past_of_the_two_facts_and_nothing_else() {
    let drawn = chart_of(&made(), &violation(4, 7, txn(4)), 30);
    let steps: Vec<&str> = drawn.lines[1..]
        .iter()
        .map(|line| line[7..13].trim())
        .filter(|it| !it.is_empty())
        .collect();
    assert_eq!(steps, ["1", "3", "4", "6", "7"]);
    let shown = drawn.lines.join("\n");
    assert!(!shown.contains("n1.1/9") && !shown.contains("n5"), "{shown}");
}

#[test]
fn messages_losses_crashes_and_facts_are_drawn_on_the_lifelines() {
    let drawn = chart_of(&made(), &violation(4, 7, txn(4)), 30);
    let row = |step: &str| drawn.lines.iter().find(|line| line[7..13].trim() == step).unwrap();
    let drawing = |step: &str| &row(step)[HEAD..];
    assert_eq!(drawing("step"), "n1   n2   n3   n4");
    assert!(drawing("1").contains("n1 wakes; -> n3 Abort n1.1/4; -> n2 n4 Commit n1.1/4"));
    assert!(drawing("3").starts_with("|-----------x  |"), "{}", drawing("3"));
    assert!(drawing("4").starts_with("|-------->o    |"), "{}", drawing("4"));
    let crash = drawn.lines.iter().find(|line| line.contains("crashes")).unwrap();
    assert!(crash[HEAD..].starts_with("|    |    X    |"), "{crash}");
    let last = drawn.lines.last().unwrap();
    assert!(last[HEAD..].starts_with("|--->o    :    |"), "{last}");
    assert!(last.starts_with('>') && row("4").starts_with('>'));
    assert!(row("4").contains("log #7 rolled back n1.1/4 (lazy)"));
    let all = drawn.lines.join("\n");
    assert!(all.contains("log #7 is lost, it was not durable"), "{all}");
}

#[test]
fn a_chart_without_room_leaves_out_steps_and_says_how_many() {
    let drawn = chart_of(&made(), &violation(4, 7, txn(4)), 6);
    assert!(drawn.lines.len() + drawn.left_out.len() <= 6);
    assert!(drawn.steps < 5);
    let left_out: usize = drawn
        .lines
        .iter()
        .filter_map(|line| line[1..6].trim().strip_prefix('+')?.parse::<usize>().ok())
        .sum();
    assert_eq!(drawn.steps + left_out, 5, "{:?}", drawn.lines);
    let shown = drawn.lines.join("\n");
    assert!(shown.contains(">           4") && shown.contains(">           7"), "{shown}");
}

#[test]
fn a_partition_and_a_pause_are_drawn() {
    let mut made = Made::default();
    let vote = || {
        Message::Txn(TxnMessage::Executed {
            txn: txn(4),
            vote: Vote::No(seedbed::proto::No::Conflict),
        })
    };
    made.step(Event::Wake(n(2)), vec![sent(1, 2, 1, vote()), sent(2, 2, 1, vote())]);
    made.deliver(1, 2, 1, vote(), vec![]);
    made.step(Event::Pause(n(1)), vec![]);
    made.step(Event::Cut([(n(1), n(2)), (n(2), n(1))].into()), vec![]);
    let packet = Packet { from: n(2), to: n(1), message: vote().into() };
    made.with(Event::Drop(PacketId(2), Loss::Cut), Some(packet), vec![]);
    let step = Event::Wake(n(2));
    made.step(step, vec![]);
    let drawn = chart_of(&made.0, &violation(2, 6, txn(4)), 30);
    let shown = drawn.lines.join("\n");
    assert!(shown.contains("cut: n1 | n2"), "{shown}");
    assert!(shown.contains("/    /"), "{shown}");
    assert!(shown.contains("=  x-|"), "{shown}");
    assert!(shown.contains("lost (the link is cut)"), "{shown}");
}

#[test]
fn facts_that_are_not_kept_leave_an_empty_chart() {
    let drawn = chart_of(&made(), &violation(400, 700, txn(4)), 30);
    assert_eq!(drawn.steps, 0);
    assert_eq!(
        chart_of(&History::default(), &violation(1, 2, &Path::new("/a").unwrap()), 30).steps,
        0
    );
}

/// A scenario in which much goes on, one of its runs, and the steps of it.
fn busy_run(seed: u64) -> (Scenario, RunReport, History) {
    let text = "title = 'much goes on'\nabout = 'Look at it.'\n\
                [cluster]\nnodes = 5\nclients = 3\nreplicas = 3\n\
                [workload]\nkind = 'files'\noperations = 100\npaths = 3\n\
                [chaos]\nkinds = ['crash', 'partition', 'loss', 'duplicate', 'pause']\n\
                budget = { nodes_down = 1, control_down = true }\n\
                [phases]\nsafety = '10s'\nliveness = '40s'\n\
                [expect]\nreached = ['crashed', 'decided']";
    let scenario = Scenario::parse("a file.toml", text).unwrap();
    let mut history = History::default();
    let mut simulation = Simulation::new(&scenario, seed);
    while simulation.next_at().is_some() {
        simulation.advance(&mut history);
    }
    let run = simulation.finish();
    (scenario, run, history)
}

/// The report of a run as it would be if it had ended like this.
fn explain(
    scenario: &Scenario,
    run: &RunReport,
    history: &History,
    took: Option<Duration>,
) -> Vec<Line> {
    let watched = Watched::only(run.clone(), history.clone(), took);
    super::explain(scenario, &watched, Layout::default())
}

fn check(lines: &[Line]) {
    let shown = || lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(lines.len() <= Layout::LINES, "{} lines\n{}", lines.len(), shown());
    for Line { text, .. } in lines {
        assert!(
            text.chars().count() <= Layout::WIDTH && !text.contains('\n'),
            "{text}\n{}",
            shown()
        );
    }
    assert_eq!(lines.last().unwrap().text, "seedbed run 'a file.toml' --seed 1");
}

#[test]
fn a_report_fits_on_one_screen_wherever_a_run_fails() {
    let (scenario, mut run, history) = busy_run(1);
    let path = Path::new("/f0").unwrap();
    let steps = history.len() as u64;
    for now in (1..=steps).step_by(steps as usize / 12 + 1) {
        let mut wordy = violation(now / 2, now, txn(1));
        for fact in [&mut wordy.breach.earlier, &mut wordy.breach.now] {
            *fact = Evidence::at(fact.step, "nothing ".repeat(400));
        }
        for violation in [violation(now / 2, now, txn(1)), violation(now / 2, now, &path), wordy] {
            run.verdict = Verdict::Violation(Box::new(violation));
            check(&explain(&scenario, &run, &history, Some(Duration::from_millis(3))));
        }
    }
}

#[test]
fn all_that_a_seed_has_drawn_is_said() {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/swarm/files.toml");
    let loaded = Scenario::load(&file).unwrap();
    let (Scenario { file, .. }, run, history) = busy_run(1);
    let scenario = Scenario { file, ..loaded };
    let lines = explain(&scenario, &run, &history, None);
    check(&lines);
    let at = lines.iter().position(|line| line.text.starts_with("  drawn ")).unwrap();
    let end = lines.iter().position(|line| line.text.is_empty()).unwrap();
    let said: Vec<&str> = lines[at..end].iter().map(|line| line.text.trim()).collect();
    let drawn = format!("drawn     {}", swarm::drawn(&scenario, run.seed).unwrap());
    assert_eq!(said.join(" "), drawn);
}

#[test]
fn every_other_verdict_fits_on_one_screen_too() {
    let (scenario, mut run, history) = busy_run(1);
    run.verdict = Verdict::Pass;
    check(&explain(&scenario, &run, &history, None));
    run.verdict = Verdict::RuledOut { milestone: Milestone::CRASHED, times: 1, at_most: 0 };
    run.given_up = (0..200).map(|i| format!("/file{i}")).collect();
    let lines = explain(&scenario, &run, &history, None);
    check(&lines);
    let says = |text: &str| lines.iter().any(|line| line.text == text);
    assert!(says("not as the file expects: never = [\"crashed\"]"));
    let lost =
        |line: &&Line| line.text.starts_with("lost          given up with lost disks: /file0,");
    assert_eq!(lines.iter().filter(lost).count(), 1);
    run.verdict = Verdict::Panic("index out of bounds\nat last".repeat(100));
    check(&explain(&scenario, &run, &history, None));
    let wait = Wait {
        kind: kind::IN_DOUBT,
        machine: n(3),
        for_what: "the decision on n1.1/4".to_owned(),
        since: Time::from_nanos(5),
        released_by: "n1, when it starts again".to_owned(),
    };
    run.verdict = Verdict::Blocked(vec![wait.clone(); 100]);
    let lines = explain(&scenario, &run, &history, None);
    check(&lines);
    let at = lines.iter().position(|line| line.text.starts_with("n3 waits")).unwrap();
    assert_eq!(lines[at].text, "n3 waits since 0.000000s for the decision on n1.1/4");
    assert_eq!(lines[at + 1].text, "    released by n1, when it starts again");
    assert!(lines[0].text.ends_with("every invariant held, and 100 wait for ever"), "{lines:?}");
    let in_circle = Wait { kind: WaitKind::DEADLOCK, ..wait.clone() };
    for (waits, said) in [
        (vec![wait.clone()], "and 1 waits for ever"),
        (vec![in_circle.clone(); 2], "and 2 wait in a circle"),
        (vec![in_circle.clone(), wait, in_circle], "and 1 waits for ever, 2 wait in a circle"),
    ] {
        run.verdict = Verdict::Blocked(waits);
        let lines = explain(&scenario, &run, &history, None);
        assert!(lines[0].text.ends_with(said), "{lines:?}");
    }
}

fn to_centre(from: u16, message: Message) -> (Event, Option<Packet>) {
    let packet = Packet { from: n(from), to: NodeId::CONTROL, message: message.into() };
    (Event::Deliver(PacketId(0)), Some(packet))
}

/// n2 enters e3 and says so, between heartbeats of n2 and n4; then e3 comes into force.
fn made_of_views() -> History {
    let (admission, incarnation) = (Admission(2), Incarnation(1));
    let (known, asked, answered) = (Epoch(2), Time::ZERO, None);
    let beat = || {
        Message::ToCentre(ToCentre::Heartbeat { admission, incarnation, known, asked, answered })
    };
    let alive = |to| Fact::Sent {
        packet: PacketId(1),
        from: NodeId::CONTROL,
        to: n(to),
        message: Message::FromCentre(FromCentre::Alive {
            incarnation,
            asked: Time::ZERO,
            epoch: Epoch(2),
            settled: Epoch(1),
            lost: [].into(),
        })
        .into(),
    };
    let mut made = Made::default();
    for node in [2, 4, 2] {
        let (event, packet) = to_centre(node, beat());
        made.with(event, packet, vec![alive(node)]);
    }
    let record = Record::Entered { epoch: Epoch(3), complete: Default::default() };
    let entered = Fact::Appended { node: n(2), position: 7, record, forced: true };
    let message =
        || Message::ToCentre(ToCentre::Entered { admission, epoch: Epoch(3), open: [].into() });
    let said = Fact::Sent {
        packet: PacketId(0),
        from: n(2),
        to: NodeId::CONTROL,
        message: message().into(),
    };
    made.step(Event::Wake(n(2)), vec![entered, said]);
    let (event, packet) = to_centre(2, message());
    let record = Record::Activated { epoch: Epoch(3) };
    let node = NodeId::CONTROL;
    made.with(event, packet, vec![Fact::Appended { node, position: 9, record, forced: true }]);
    made.0
}

fn steps_about(earlier: &[Subject], now: &[Subject]) -> Vec<usize> {
    let history = made_of_views();
    let fact = |step, about: &[Subject]| Evidence {
        about: about.into(),
        ..Evidence::at(step, "something")
    };
    let breach = Breach { earlier: fact(4, earlier), now: fact(5, now) };
    compose(&Facts::of_breach(&breach), &history, &[])
        .steps
        .iter()
        .map(|(place, _)| place + 1)
        .collect()
}

#[test]
fn a_violation_about_an_epoch_leaves_out_heartbeats() {
    assert_eq!(steps_about(&[Epoch(2).into(), Epoch(3).into()], &[Epoch(3).into()]), [4, 5]);
    assert_eq!(steps_about(&[], &[]), [4, 5], "what both are about");
}

#[test]
fn a_violation_about_a_lease_shows_the_heartbeats_of_that_node() {
    assert_eq!(steps_about(&[Subject::Lease(n(2))], &[Epoch(3).into()]), [1, 3, 4, 5]);
    let history = made_of_views();
    assert!(heartbeats::is_background(history.at(0)) && !heartbeats::is_background(history.at(3)));
}

/// The first step that appends such a record.
fn first(history: &History, is_it: impl Fn(&Record) -> bool) -> u64 {
    let appends = |step: &&Step| {
        step.facts.iter().any(|fact| matches!(fact, Fact::Appended { record, .. } if is_it(record)))
    };
    history.steps().find(appends).expect("such a record").index
}

#[test]
fn a_report_about_an_epoch_tells_how_it_began() {
    let text = "title = 'views'\n[cluster]\nnodes = 4\nclients = 2\nmembership = 'managed'\n\
                [workload]\nkind = 'files'\noperations = 60\n\
                [[fault]]\nat = '5s'\ncrash = 'n2'\n\
                [phases]\nsafety = '20s'\nliveness = '40s'";
    let scenario = Scenario::parse("a file.toml", text).unwrap();
    let mut history = History::default();
    let mut simulation = Simulation::new(&scenario, 1);
    while simulation.next_at().is_some() {
        simulation.advance(&mut history);
    }
    let mut run = simulation.finish();
    let is_second = |epoch: &Epoch| *epoch == Epoch(2);
    let entered = first(
        &history,
        |record| matches!(record, Record::Entered { epoch, .. } if is_second(epoch)),
    );
    let complete = first(
        &history,
        |record| matches!(record, Record::Complete { epoch, .. } if is_second(epoch)),
    );
    let earlier = Evidence::at(entered, "a node enters e2").about(Epoch(2));
    let now = Evidence::at(complete, "it is complete in e2").about(Epoch(2));
    let breach = Box::new(Breach { earlier, now });
    let invariant = InvariantName::System(FileInvariant::ParticipantsAgree);
    run.verdict = Verdict::Violation(Box::new(Violation { invariant, step: complete, breach }));
    let lines = explain(&scenario, &run, &history, None);
    check(&lines);
    let shown = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
    for told in ["about e2", "Views e1 to e2", "entered e2", "Pull #", "Chunk #"] {
        assert!(shown.contains(told), "{told}\n{shown}");
    }
    assert!(!shown.contains("Alive"), "{shown}");
}

#[test]
fn a_timer_counts_as_a_step_about_its_transaction() {
    let mut made = Made::default();
    made.step(Event::Wake(n(2)), vec![]);
    let step = Step { index: 2, event: Event::Wake(n(2)), ..Step::new() };
    made.0.push(Step { timer: Some(Timer::Inquire(txn(4))), ..step });
    let drawn = chart_of(&made.0, &violation(2, 2, txn(4)), 10);
    assert_eq!(drawn.steps, 1);
    assert!(drawn.lines[1].contains("n2 wakes: is in doubt about n1.1/4"));
}

#[test]
fn a_replay_line_can_be_pasted() {
    assert_eq!(replay_line::<FileService>("a/b.toml", 7), "seedbed run a/b.toml --seed 7");
    assert_eq!(replay_line::<FileService>("it's.toml", 7), r"seedbed run 'it'\''s.toml' --seed 7");
}

/// Keeps the steps of a run, and panics when one is over.
struct PanicsAt<'a>(u64, &'a mut History);

impl Watcher<FileService> for PanicsAt<'_> {
    fn begins(&mut self, world: &World, at: Time, event: &Event) {
        self.1.begins(world, at, event);
    }

    fn watch(&mut self, world: &World, step: &Step) {
        assert!(step.index < self.0, "as planned");
        self.1.watch(world, step);
    }
}

#[cfg(feature = "madsim")]
#[test]
fn a_panic_is_told_with_its_step_and_what_led_to_it() {
    let (scenario, ..) = busy_run(1);
    let mut history = History::default();
    let run = crate::run::run(&scenario, 1, &mut PanicsAt(500, &mut history));
    assert_eq!((run.verdict.to_string().as_str(), run.steps), ("panic: as planned", 499));
    let lines = explain(&scenario, &run, &history, None);
    check(&lines);
    let marked: Vec<&str> =
        lines.iter().filter(|line| line.text.starts_with('>')).map(|line| &*line.text).collect();
    assert!(matches!(marked[..], [line] if line.contains(" 500 ")), "{marked:?}");
    assert!(lines.iter().any(|line| line.text.starts_with("What led to it")));
    let watched = Watched::only(run, history, None);
    let layout = Layout { is_full: true, ..Layout::default() };
    let lines = super::explain(&scenario, &watched, layout);
    assert!(lines.iter().any(|line| line.text == "Step 500 in full"));
}
