//! A system that breaks the contract of the testbed ends its run as `panic`: the report has the
//! words, the step and what led to it. The system has no control node, so its reference is read
//! too.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use seedbed::machine::{
    Boot, Class, Input, Machine, Never, NodeId, Outbox, RequestId, Span, System, Time,
};
use seedbed_sim::artifact::{Artifact, Folder, Replay};
use seedbed_sim::cast::Cast;
use seedbed_sim::invariant::ListedInvariant;
use seedbed_sim::names;
use seedbed_sim::oracle::{self, Breach, Evidence, Moment, Seen, SeenKinds};
use seedbed_sim::outcome::Outcome;
use seedbed_sim::run;
use seedbed_sim::scenario::Scenario;
use seedbed_sim::scenario::reading::{Form, Key, ReadConfig, Result, Table, Value};
use seedbed_sim::scenario_test::{Failure, examples_are_read, explained, holds_or_is_kept};
use seedbed_sim::subject::{Plain, Subjects};
use seedbed_sim::under_test::{CommandLine, NoCoverage, NoMilestones, NoUsers, UnderTest};
use seedbed_sim::world::World;
use serde::{Deserialize, Serialize};

/// A client that is asked says hello to `n1`, and answers when it hears the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
struct Toy;

type Config = Option<Wrong>;

names! {
    /// What is wrong with the system.
    enum Wrong {
        /// a client answers a request twice
        AnswersTwice = "answers_twice",
        /// a client answers a request that it was never asked
        AnswersUnasked = "answers_unasked",
        /// a client sends to a machine that is not there
        SendsToNoMachine = "sends_to_no_machine",
        /// the invariant names the step after the one that it judges
        NamesAFutureStep = "names_a_future_step",
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
enum Message {
    Hello(RequestId),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Record {
    #[allow(dead_code)]
    Note,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
struct Asked;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct Answered;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process(Arc<Config>);

impl System for Toy {
    type Config = Config;
    type Message = Message;
    type Record = Record;
    type Request = Asked;
    type Reply = Answered;
    type Notice = Never;
    type Command = Never;
    type Timer = Never;
    type Machine = Process;

    fn recover(config: &Arc<Config>, _boot: Boot<'_, Toy>) -> Process {
        Process(config.clone())
    }
}

impl Machine<Toy> for Process {
    fn step(&mut self, _now: Time, input: Input<'_, Toy>, out: &mut Outbox<Toy>) {
        match input {
            Input::Request(request, _) => out.send(NodeId::node(1), Message::Hello(request)),
            Input::Message(from, Message::Hello(request)) if from.class() == Class::Client => {
                out.send(from, Message::Hello(*request));
            }
            Input::Message(_, Message::Hello(request)) => self.answer(*request, out),
            _ => {}
        }
    }

    fn next_deadline(&self) -> Option<(Time, &Never)> {
        None
    }
}

impl Process {
    fn answer(&self, request: RequestId, out: &mut Outbox<Toy>) {
        out.reply(request, Answered);
        match *self.0 {
            Some(Wrong::AnswersTwice) => out.reply(request, Answered),
            Some(Wrong::AnswersUnasked) => out.reply(RequestId { number: 9, ..request }, Answered),
            Some(Wrong::SendsToNoMachine) => out.send(NodeId::node(7), Message::Hello(request)),
            Some(Wrong::NamesAFutureStep) | None => {}
        }
    }
}

names! {
    /// Kinds of message.
    enum MessageKind of Message {
        /// a client says hello
        Hello = "hello",
    }
}

names! {
    /// Kinds of record.
    enum RecordKind of Record {
        /// no machine writes it
        Note = "note",
    }
}

names! {
    /// What must hold.
    enum Invariant {
        /// no request is answered
        NothingIsAnswered = "nothing_is_answered",
    }
}

impl ListedInvariant for Invariant {
    fn source(self) -> &'static str {
        "none"
    }
}

impl oracle::Model<Toy> for () {
    fn update(&mut self, _seen: &Seen<'_, Toy>, _world: &World<Toy>) {}
}

impl oracle::Invariant<Toy> for Invariant {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(
        &mut self,
        _seen: &Seen<'_, Toy>,
        moment: &Moment<'_, Toy>,
    ) -> std::result::Result<(), Breach<Toy>> {
        let at = |step| Evidence::at(step, "an answer");
        Err(Breach::of(at(moment.step), at(moment.step + 1)))
    }
}

impl UnderTest for Toy {
    type MessageKind = MessageKind;
    type RecordKind = RecordKind;
    type Defect = Wrong;
    type Milestone = Never;
    type Watcher = NoMilestones;
    type Invariant = Invariant;
    type Model = ();
    type Ask = ();
    type Answer = Never;
    type Workload = Never;
    type User = NoUsers;
    type Coverage = NoCoverage;
    seedbed_sim::plain_system!();

    const HAS_CONTROL: bool = false;
    const COMMAND: CommandLine = CommandLine {
        name: "toy",
        about: "A toy",
        folder: ".",
        file: "toy.toml",
        request: "ask = true",
    };
    const REQUESTS: &'static [Form<()>] =
        &[Form { key: Key::form("ask", "`true`", "asks"), beside: &[], is: () }];

    fn read_config(_: &Table<'_>, _: &Table<'_>, cast: Result<Cast>) -> ReadConfig<Config> {
        ReadConfig::of(cast.map(|_| None))
    }

    fn request_timeout(_config: &Config) -> Span {
        Span::from_secs(1)
    }

    fn with_defect(_config: &Arc<Config>, wrong: Wrong) -> Arc<Config> {
        Arc::new(Some(wrong))
    }

    fn read_request(_ask: (), _table: &Table<'_>, main: &Value<'_>) -> Result<Asked> {
        main.yes().map(|()| Asked)
    }

    fn read_workload(_file: &Table<'_>, _config: &Config) -> Result<Option<Never>> {
        Ok(None)
    }

    fn outcome(_reply: &Answered) -> Outcome {
        Outcome::Done
    }

    fn about_message(_from: NodeId, _to: NodeId, message: &Message, about: &mut Subjects<Plain>) {
        let Message::Hello(request) = message;
        about.add(*request);
    }

    fn model(_config: &Arc<Config>) {}

    fn invariant(
        name: Invariant,
        world: &World<Toy>,
        _workload: Option<&Never>,
    ) -> Option<Box<dyn oracle::Invariant<Toy>>> {
        let is_wrong = **world.config() == Some(Wrong::NamesAFutureStep);
        is_wrong.then(|| Box::new(name) as Box<dyn oracle::Invariant<Toy>>)
    }
}

/// A file in which c1 is asked once.
fn scenario(wrong: &str) -> String {
    format!(
        "title = 'a toy'\n[cluster]\nnodes = 1\ndefects = ['{wrong}']\n\
         [[script]]\nclient = 'c1'\nat = '1s'\nask = true\n"
    )
}

/// What is printed of its run.
fn printed(wrong: &str) -> String {
    let scenario = Scenario::<Toy>::parse("toy.toml", &scenario(wrong));
    explained(&scenario.unwrap_or_else(|errors| panic!("{errors}")))
}

#[track_caller]
fn panics(wrong: &str, message: &str) {
    let expected = format!(
        "\
panic: the code under test, or the simulator, panicked
toy.toml, seed 0: a toy

  message   {message}

What led to it: 3 of 3 steps, about c1.1#1
  left   step        time  n1   c1
            3   1.000000s  |    o     c1 is asked: Asked; this is c1.1#1; -> n1 Hello(c1.1#1)
            4   1.008403s  o<---|     n1 <- c1 Hello(c1.1#1); -> c1 Hello(c1.1#1)
>           5   1.009873s  |--->o     c1 <- n1 Hello(c1.1#1)
o step   -> message   > the panic
  words     c1.1#1: a request: its client, the client's life, a count
"
    );
    let printed = printed(wrong);
    assert!(printed.starts_with(&expected), "{printed}");
}

#[test]
fn a_client_that_answers_a_request_twice_is_a_panic() {
    panics("answers_twice", "c1.1#1 is answered again: Answered");
}

#[test]
fn a_client_that_answers_what_it_was_not_asked_is_a_panic() {
    panics("answers_unasked", "a client answers c1.1#9, which it was never asked");
}

#[test]
fn a_machine_that_sends_to_an_absent_one_is_a_panic() {
    let message = "c1 sends to n7, which is no machine: Hello(c1.1#1)";
    panics("sends_to_no_machine", message);
}

#[test]
fn an_invariant_that_names_a_step_to_come_is_a_panic() {
    let message = "nothing_is_answered names steps 5 and 6 in step 5: expected one that was, and \
                   one that follows from it";
    panics("names_a_future_step", message);
}

#[test]
fn a_test_that_fails_keeps_its_runs_and_a_panic_replays_to_the_same_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("toy.toml");
    let text = scenario("answers_twice") + "[seeds]\nstart = 3\ncount = 12\n";
    fs::write(&file, &text).expect("a file");
    let kept = folder.path().join("kept");
    let failure = holds_or_is_kept::<Toy>(&file, Some(Folder::at(&kept))).expect_err("it panics").0;
    let lines = failure.lines().filter_map(|line| line.strip_prefix("toy replay "));
    let named: Vec<&Path> = lines.map(Path::new).collect();
    assert_eq!(named.len(), 10, "{failure}");
    for (path, seed) in named.into_iter().zip(3..) {
        let artifact = Artifact::load(path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((artifact.header.seed, &artifact.scenario), (seed, &text));
        assert_eq!(artifact.header.ending.verdict, "panic");
        let scenario = Scenario::<Toy>::parse("toy.toml", &text).expect("it was read before");
        let mut replay = Replay::new(&artifact);
        let run = run::run(&scenario, seed, &mut replay);
        assert_eq!(replay.finish(&run), (artifact.header.ending.clone(), None));
    }
}

#[test]
fn examples_are_read_where_there_is_no_control_node() -> std::result::Result<(), Failure> {
    examples_are_read::<Toy>(Path::new("tests/toy.toml"))
}
