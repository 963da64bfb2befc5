//! What the testbed needs to know of the counter.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{Never, NodeId, RequestId, Span, Time};
use seedbed_sim::cast::Cast;
use seedbed_sim::invariant::ListedInvariant;
use seedbed_sim::names;
use seedbed_sim::oracle::{self, At, Breach, Evidence, Moment, Seen, SeenKinds};
use seedbed_sim::outcome::Outcome;
use seedbed_sim::scenario::reading::{Form, Key, ReadConfig, Result, Table, Value};
use seedbed_sim::scenario::tables::TableReference;
use seedbed_sim::seed::Stream;
use seedbed_sim::subject::{Plain, Subjects};
use seedbed_sim::under_test::{
    CommandLine, DrawingUser, Drawn, DrawsRequests, NoCoverage, NoMilestones, UnderTest,
};
use seedbed_sim::world::World;

use crate::{Add, Config, Counter, Message, Record, Reply};

names! {
    /// Kinds of message.
    pub enum MessageKind of Message {
        /// a client asks
        Add = "add",
        /// the server answers
        Added = "added",
    }
}

names! {
    /// Kinds of record.
    pub enum RecordKind of Record {
        /// a request was counted
        Counted = "counted",
    }
}

names! {
    /// Mistakes that can be switched on.
    pub enum Defect {
        /// the server counts a request as often as it arrives
        CountsCopies = "counts_copies",
        /// the server answers before its record is durable
        AnswersEarly = "answers_early",
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            retry: Span::from_millis(200),
            request_timeout: Span::from_secs(5),
            counts_copies: false,
            answers_early: false,
        }
    }
}

impl UnderTest for Counter {
    type MessageKind = MessageKind;
    type RecordKind = RecordKind;
    type Defect = Defect;
    type Milestone = Never;
    type Watcher = NoMilestones;
    type Invariant = Invariant;
    type Model = Model;
    type Ask = ();
    type Answer = Never;
    type Workload = Drawn;
    type User = DrawingUser;
    type Coverage = NoCoverage;
    seedbed_sim::plain_system!();

    const HAS_CONTROL: bool = false;
    const COMMAND: CommandLine = CommandLine {
        name: "cargo run --",
        about: "Runs scenarios of a counter on one server, and judges every step",
        folder: "scenarios",
        file: "scenarios/messages_are_lost.toml",
        request: "add = 1",
    };
    const REQUESTS: &'static [Form<()>] = &[Form {
        key: Key::form("add", "whole number, 0 to 1000", "adds this much"),
        beside: &[],
        is: (),
    }];

    fn tables() -> Vec<(&'static str, TableReference)> {
        vec![("cluster", TableReference::from(&Drawn::TABLE))]
    }

    fn read_config(_: &Table<'_>, cluster: &Table<'_>, cast: Result<Cast>) -> ReadConfig<Config> {
        let config = cast.and_then(|cast| match cast.all_nodes() {
            1 => Ok(Config::default()),
            _ => Err(cluster.error("nodes", "expected 1: the server")),
        });
        ReadConfig::of(config)
    }

    fn request_timeout(config: &Config) -> Span {
        config.request_timeout
    }

    fn with_defect(config: &Arc<Config>, defect: Defect) -> Arc<Config> {
        let mut config = Config::clone(config);
        match defect {
            Defect::CountsCopies => config.counts_copies = true,
            Defect::AnswersEarly => config.answers_early = true,
        }
        Arc::new(config)
    }

    fn read_request(_ask: (), _table: &Table<'_>, main: &Value<'_>) -> Result<Add> {
        main.integer(0..=1000).map(Add)
    }

    fn read_workload(file: &Table<'_>, _config: &Config) -> Result<Option<Drawn>> {
        Drawn::read(file)
    }

    fn outcome(reply: &Reply) -> Outcome {
        match reply {
            Reply::Done { .. } => Outcome::Done,
            Reply::Unknown => Outcome::Unknown,
        }
    }

    fn about_message(_from: NodeId, _to: NodeId, message: &Message, about: &mut Subjects<Plain>) {
        let (Message::Add { request, .. } | Message::Added { request, .. }) = message;
        about.add(*request);
    }

    fn about_record(_node: NodeId, record: &Record, about: &mut Subjects<Plain>) {
        let Record::Counted { request, .. } = record;
        about.add(*request);
    }

    fn model(_config: &Arc<Config>) -> Model {
        Model::default()
    }

    fn invariant(
        name: Invariant,
        _world: &World<Counter>,
        _workload: Option<&Drawn>,
    ) -> Option<Box<dyn oracle::Invariant<Counter>>> {
        Some(Box::new(name))
    }
}

impl DrawsRequests for Counter {
    fn draw(stream: &mut Stream) -> Add {
        Add(1 + stream.below(10))
    }
}

/// What is known from outside.
#[derive(Debug, Default)]
pub struct Model {
    step: u64,
    /// The steps that made the records of a request durable.
    counted: BTreeMap<RequestId, Vec<u64>>,
    /// The sum of all durable records.
    sum: At<u64>,
    /// Of each request what it adds, and the sum when it was asked.
    asked: BTreeMap<RequestId, (u64, At<u64>)>,
}

impl oracle::Model<Counter> for Model {
    fn on_step(&mut self, step: u64, _now: Time) {
        self.step = step;
    }

    fn update(&mut self, seen: &Seen<'_, Counter>, _world: &World<Counter>) {
        match *seen {
            Seen::Requested { request, wanted: Add(by) } => {
                self.asked.insert(request, (*by, self.sum.clone()));
            }
            Seen::Durable { record: Record::Counted { request, by }, .. } => {
                self.counted.entry(*request).or_default().push(self.step);
                self.sum = At { step: self.step, is: self.sum.is + by };
            }
            _ => {}
        }
    }
}

names! {
    /// What must hold.
    pub enum Invariant {
        /// no request is counted twice
        EachRequestCountsOnce = "each_request_counts_once",
        /// a total that a client is told has its own request in it, and all that was durable when
        /// it was asked, and nothing that is not durable
        TotalsAreCounted = "totals_are_counted",
    }
}

impl ListedInvariant for Invariant {
    fn source(self) -> &'static str {
        match self {
            Invariant::EachRequestCountsOnce => "at-most-once; Birrell and Nelson 1984",
            Invariant::TotalsAreCounted => "durability; linearizability, Herlihy and Wing 1990",
        }
    }
}

impl oracle::Invariant<Counter> for Invariant {
    fn interest(&self) -> SeenKinds {
        match self {
            Invariant::EachRequestCountsOnce => SeenKinds::durable(&[RecordKind::Counted]),
            Invariant::TotalsAreCounted => SeenKinds::REPLIED,
        }
    }

    fn see(&mut self, seen: &Seen<'_, Counter>, moment: &Moment<'_, Counter>) -> Judged {
        match (self, *seen) {
            (
                Invariant::EachRequestCountsOnce,
                Seen::Durable { record: Record::Counted { request, .. }, .. },
            ) => moment.model.must_be_counted_once(*request),
            (
                Invariant::TotalsAreCounted,
                Seen::Replied { request, reply: Reply::Done { total } },
            ) => moment.model.must_be_counted(request, *total),
            _ => Ok(()),
        }
    }
}

type Judged = std::result::Result<(), Breach<Counter>>;

impl Model {
    fn must_be_counted_once(&self, request: RequestId) -> Judged {
        match self.counted.get(&request).map(Vec::as_slice) {
            Some([first, .., last]) => Err(Breach::of(
                Evidence::at(*first, format!("{request} is counted")).about(request),
                Evidence::at(*last, format!("{request} is counted again")).about(request),
            )),
            _ => Ok(()),
        }
    }

    fn must_be_counted(&self, request: RequestId, total: u64) -> Judged {
        let told = format!("{request} is told a total of {total}");
        let told = || Evidence::at(self.step, told.clone()).about(request);
        let holds = |sum: &At<u64>, more: String| {
            let holds = format!("the log holds {} in all{more}", sum.is);
            Evidence::at(sum.step, holds).about(request)
        };
        match self.asked.get(&request) {
            _ if total > self.sum.is => Err(Breach::of(holds(&self.sum, String::new()), told())),
            Some((by, before)) if total < before.is + by => {
                Err(Breach::of(holds(before, format!(", before {request} adds {by}")), told()))
            }
            _ => Ok(()),
        }
    }
}
