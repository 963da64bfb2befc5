//! All that the testbed needs to know of the register.

mod names;
mod oracle;
mod scenario;
mod watchers;

use std::sync::Arc;

use seedbed::machine::{NodeId, Span};
use seedbed_sim::cast::Cast;
use seedbed_sim::oracle as judged;
use seedbed_sim::outcome::Outcome;
use seedbed_sim::scenario::reading::{Form, ReadConfig, Result, Table, Value};
use seedbed_sim::scenario::tables::TableReference;
use seedbed_sim::scenario::written::{Keys, keys};
use seedbed_sim::seed::Stream;
use seedbed_sim::subject::{Plain, Subjects};
use seedbed_sim::trace::Detail;
use seedbed_sim::under_test::{CommandLine, DrawingUser, Drawn, DrawsRequests, UnderTest};
use seedbed_sim::world::World;

use crate::protocol::{Config, Message, Record, Register, Reply, Request, State, View};
use names::{Defect, Invariant, MessageKind, Milestone, RecordKind};
use scenario::{Ask, REQUESTS, TIMING};
use watchers::{Entered, Struck};

impl UnderTest for Register {
    type MessageKind = MessageKind;
    type RecordKind = RecordKind;
    type Defect = Defect;
    type Milestone = Milestone;
    type Watcher = Entered;
    type Invariant = Invariant;
    type Model = oracle::Model;
    type Ask = Ask;
    type Answer = String;
    type Workload = Drawn;
    type User = DrawingUser;
    type Coverage = Struck;
    seedbed_sim::plain_system!();

    const COMMAND: CommandLine = CommandLine {
        name: "cargo run --example primary_backup --",
        about: "Runs scenarios of a register on a primary and a backup, and judges every step",
        folder: "examples/primary_backup/scenarios",
        file: "examples/primary_backup/scenarios/the_primary_crashes.toml",
        request: "write = \"x\"",
    };

    /// The monitor measures by its clock how long a replica is silent: a jump may depose a primary
    /// that is up, and no answer depends on it.
    const CONTROL_CLOCK_JUMPS: bool = true;
    const REQUESTS: &'static [Form<Ask>] = REQUESTS;

    fn tables() -> Vec<(&'static str, TableReference)> {
        vec![("cluster", (&TIMING).into()), ("cluster", (&Drawn::TABLE).into())]
    }

    fn read_config(
        file: &Table<'_>,
        cluster: &Table<'_>,
        cast: Result<Cast>,
    ) -> ReadConfig<Config> {
        ReadConfig::of(scenario::config(file, cluster, cast))
    }

    fn request_timeout(config: &Config) -> Span {
        config.request_timeout
    }

    fn with_defect(config: &Arc<Config>, defect: Defect) -> Arc<Config> {
        let mut config = Config::clone(config);
        match defect {
            Defect::GoesOnAlone => config.goes_on_alone = true,
            Defect::AnswersBeforeCopied => config.answers_before_copied = true,
            Defect::ReadsAlone => config.reads_alone = true,
        }
        Arc::new(config)
    }

    fn read_request(ask: Ask, _table: &Table<'_>, main: &Value<'_>) -> Result<Request> {
        match ask {
            Ask::Read => main.yes().map(|()| Request::Read),
            Ask::Write => main.string().map(|value| Request::Write(value.to_owned())),
        }
    }

    fn written_request(request: &Request) -> Option<Keys> {
        Some(match request {
            Request::Read => keys([("read", true.into())]),
            Request::Write(value) => keys([("write", value.as_str().into())]),
        })
    }

    fn read_answer(value: &Value<'_>, _request: &Request) -> Result<String> {
        value.string().map(str::to_owned)
    }

    fn is_answer(wanted: &String, reply: &Reply) -> bool {
        match reply {
            Reply::Done { value, .. } => value == wanted,
            Reply::Unknown => wanted == "unknown",
            Reply::Busy => wanted == "busy",
        }
    }

    fn read_workload(file: &Table<'_>, _config: &Config) -> Result<Option<Drawn>> {
        Drawn::read(file)
    }

    fn outcome(reply: &Reply) -> Outcome {
        match reply {
            Reply::Done { .. } => Outcome::Done,
            Reply::Busy => Outcome::Refused,
            Reply::Unknown => Outcome::Unknown,
        }
    }

    fn about_message(_from: NodeId, _to: NodeId, message: &Message, about: &mut Subjects<Plain>) {
        match message {
            Message::Ask { request, .. } | Message::Answer { request, .. } => about.add(*request),
            Message::Copy { state, .. } => about.extend(writes_in(state)),
            Message::View(view) => about.add(about_view(view)),
            Message::Copied { .. } | Message::Ping { .. } => {}
        }
    }

    fn about_record(_node: NodeId, record: &Record, about: &mut Subjects<Plain>) {
        match record {
            Record::View(view) => about.add(about_view(view)),
            Record::State(state) => about.extend(writes_in(state)),
        }
    }

    fn model(_config: &Arc<Config>) -> oracle::Model {
        oracle::Model::default()
    }

    fn invariant(
        name: Invariant,
        _world: &World<Register>,
        _workload: Option<&Drawn>,
    ) -> Option<Box<dyn judged::Invariant<Register>>> {
        Some(Box::new(name))
    }

    fn is_a_heartbeat(message: &Message) -> bool {
        matches!(message, Message::Ping { .. } | Message::View(_))
    }

    fn message_in_words(message: &Message, detail: Detail<'_, Register>) -> String {
        match message {
            Message::Ask { request, wanted } => format!("ask {request}: {wanted:?}"),
            Message::Answer { request, reply } => {
                format!("answer {request}: {}", Register::reply_in_words(reply, detail))
            }
            Message::Copy { view, state, .. } => format!("copy v{} in view {view}", state.version),
            Message::Copied { view, .. } => format!("copied in view {view}"),
            Message::Ping { state_of } => format!("ping, state of view {state_of}"),
            Message::View(view) => format!("view {}: primary {}", view.number, view.primary),
        }
    }

    fn record_in_words(record: &Record, _detail: Detail<'_, Register>) -> String {
        match record {
            Record::View(view) => format!("view {}: primary {}", view.number, view.primary),
            Record::State(state) => format!("v{} {:?}", state.version, state.value),
        }
    }

    fn reply_in_words(reply: &Reply, _detail: Detail<'_, Register>) -> String {
        match reply {
            Reply::Done { version, value } => format!("v{version} {value:?}"),
            Reply::Unknown => "unknown".to_owned(),
            Reply::Busy => "busy".to_owned(),
        }
    }
}

/// The last write of each client.
fn writes_in(state: &State) -> impl Iterator<Item = Plain> {
    state.written.values().map(|(request, _)| (*request).into())
}

fn about_view(view: &View) -> Plain {
    Plain::Undertaking(format!("view {}", view.number))
}

impl DrawsRequests for Register {
    fn draw(stream: &mut Stream) -> Request {
        match stream.below(2) {
            0 => Request::Read,
            _ => Request::Write(format!("{:04x}", stream.below(1 << 16))),
        }
    }
}
