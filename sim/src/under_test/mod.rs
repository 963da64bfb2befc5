//! What the testbed needs to know of the system under test.
//!
//! A [`System`] says what its machines do. [`UnderTest`] says what its messages and records are
//! called, what they are about, and what can be reached in a run of it.

mod command_line;
mod coverage;
mod drawn;
mod history;
mod milestones;
mod operator;
mod probes;
mod users;

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::sync::Arc;

use seedbed::machine::{Class, NodeId, RequestId, Span, System};

use crate::aimed_moment::AimedMoment;
use crate::cast::Cast;
use crate::figures::Figures;
use crate::invariant::ListedInvariant;
use crate::milestone::Milestone;
use crate::name::Name;
use crate::oracle::blocked::{StepTimes, Wait, WaitKind};
use crate::oracle::{Invariant, Model};
use crate::outcome::Outcome;
use crate::reference::Convention;
use crate::role::Role;
use crate::scenario::reading::{Extra, Form, Listed, Named, ReadConfig, Result, Table, Value};
use crate::scenario::swarm::{Key, Swarm};
use crate::scenario::tables::TableReference;
use crate::scenario::{Scenario, Script, ScriptedFault, written};
use crate::subject::{Subject, Subjects};
use crate::terms::Term;
use crate::trace::Detail;
use crate::verdict::Finding;
use crate::world::World;

pub use command_line::{CheckOption, CommandLine, HistoryOption};
pub use coverage::{Coverage, Idle, NoCoverage, Phase, Reason, Scene, Situation};
pub use drawn::{DrawingUser, Drawn, DrawsRequests};
pub use history::WrittenHistory;
pub use milestones::{MilestoneWatcher, NoMilestones};
pub use operator::{NoOperator, Operator, Options, Wish, WishKind, has_operator};
pub use probes::{NoProbes, Probes};
pub use seedbed::machine::Never;
pub use users::{NoUsers, User};

/// The types of a system that has nothing of what they are about: no roles, no operator, no probes,
/// no keys of `[swarm]`, subjects beside requests and machines, filters or expectations of its own.
/// Its kinds of message and of record are [`names!`](crate::names) `of` the two enums. It stands in
/// the `impl` of [`UnderTest`].
#[macro_export]
macro_rules! plain_system {
    () => {
        type Role = $crate::under_test::Never;
        type Subject = $crate::subject::Plain;
        type Filter = ();
        type Probes = $crate::under_test::NoProbes;
        type Probe = $crate::under_test::Never;
        type AtEnd = ();
        type Operator = $crate::under_test::NoOperator;
        type SwarmKey = $crate::under_test::Never;
        type Known = $crate::under_test::Never;

        fn message_kind(message: &Self::Message) -> Self::MessageKind {
            <Self::MessageKind>::of(message)
        }

        fn record_kind(record: &Self::Record) -> Self::RecordKind {
            <Self::RecordKind>::of(record)
        }

        fn swarm_key(key: $crate::under_test::Never) -> $crate::scenario::swarm::Listed {
            match key {}
        }
    };
}

/// A system that the testbed can run and judge.
pub trait UnderTest: System {
    /// Kinds of message.
    type MessageKind: Name;
    /// Kinds of record.
    type RecordKind: Name;
    /// Mistakes that can be switched on.
    type Defect: Name;
    /// Milestones of this system, beside those that every system has.
    type Milestone: Name;
    /// What watches a run for them.
    type Watcher: MilestoneWatcher<Self>;
    /// Parts that machines play in what a milestone is about.
    type Role: Role;
    /// What its steps are about.
    type Subject: Subject;
    /// What only this system can say of what a milestone or a message has to be about.
    type Filter: Clone + Debug + Default + Eq + Hash + Send + Sync;
    /// Invariants of this system, beside those of the simulated world itself.
    type Invariant: ListedInvariant;
    /// What the outside knows of a run.
    type Model: Model<Self>;
    /// How a script says a request.
    type Ask: Copy;
    /// The answer that a request of a script must get.
    type Answer: Clone + Debug + Display + Eq + Hash + Send + Sync;
    /// What users ask for, drawn from the seed.
    type Workload: Clone + Debug + Eq + Hash + Send + Sync;
    /// A user of a client.
    type User: User<Self>;
    /// What is asked when the liveness phase is over.
    type Probes: Probes<Self>;
    /// What the model is told of such a request.
    type Probe: Clone + Debug;
    /// What a file expects at the end of a run.
    type AtEnd: Clone + Debug + Default + Eq + Hash + Send + Sync;
    /// What the operator can want.
    type Operator: Operator<Self>;
    /// What a run can try.
    type Coverage: Coverage<Self>;
    /// Keys of `[swarm]`, beside those that every system has.
    type SwarmKey: Name;
    /// What a reader of a trace knows by name.
    type Known: Debug;

    /// How the command is called, and what its help shows.
    const COMMAND: CommandLine;

    /// What writes down what users asked and were told; `None` if nothing does.
    const HISTORY: Option<HistoryOption<Self>> = None;

    /// The option of `check` that only this system has.
    const CHECK_OPTION: Option<CheckOption<Self>> = None;

    /// What the names and words mean that only its reports use.
    const TERMS: &'static [Term] = &[];

    /// Is there a control node?
    const HAS_CONTROL: bool = true;

    /// May a drawn fault let the clock of `control` jump? Not where a promise rests on that clock.
    const CONTROL_CLOCK_JUMPS: bool = true;

    /// How a script says each request.
    const REQUESTS: &'static [Form<Self::Ask>];

    /// The keys by which a file says what a milestone or a message has to be about.
    const FILTERS: Extra = Extra { keys: &[], notes: &[], example: None };

    /// What else a file may expect that `blocks`, as the end of a sentence.
    const BLOCKS_BESIDE: &'static str = "";

    /// How an error names the bound of every clock's drift.
    const DRIFT_BOUND: &'static str = "the bound of every drift";

    /// What this system adds to a table of the testbed.
    fn extra(_table: &str) -> Extra {
        Extra::default()
    }

    /// The tables that only this system has: the name of the testbed's table behind which the
    /// reference shows it, and the table. A table of the file itself, such as `[timing]`, becomes a
    /// key of the file by standing here.
    fn tables() -> Vec<(&'static str, TableReference)> {
        Vec::new()
    }

    /// Reads the settings of a file: what `[cluster]` says beside its machines, and other tables.
    fn read_config(
        file: &Table<'_>,
        cluster: &Table<'_>,
        cast: Result<Cast>,
    ) -> ReadConfig<Self::Config>;

    /// The largest drift of any clock, in parts per million. A protocol that relies on a bound
    /// returns it; the default is more than a quartz drifts.
    fn drift_max_ppm(_config: &Self::Config) -> u32 {
        500
    }

    /// How long a client tries, by its own clock, before it gives up and answers that the outcome
    /// is unknown.
    fn request_timeout(config: &Self::Config) -> Span;

    /// May a disk be lost?
    ///
    /// # Errors
    /// Why not.
    fn may_lose_a_disk(_config: &Self::Config) -> std::result::Result<(), &'static str> {
        Err("this system has no answer to a lost disk")
    }

    /// The same machine under other settings, in the state that it is in; `None` if the system
    /// cannot tell. By it a report finds the steps in which a defect acts.
    fn reconfigured(
        _machine: &Self::Machine,
        _config: &Arc<Self::Config>,
    ) -> Option<Self::Machine> {
        None
    }

    /// The same settings with a mistake switched on.
    fn with_defect(config: &Arc<Self::Config>, defect: Self::Defect) -> Arc<Self::Config>;

    /// Reads a request of a script.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read_request(ask: Self::Ask, table: &Table<'_>, main: &Value<'_>) -> Result<Self::Request>;

    /// The keys by which a script says a request, for tools that write scenario files; `None` if
    /// they cannot say it.
    fn written_request(_request: &Self::Request) -> Option<written::Keys> {
        None
    }

    /// The key by which a script says which node is asked first.
    fn asked_first(_ask: Self::Ask) -> Option<&'static str> {
        None
    }

    /// The same request, for which this node is asked first.
    fn with_first(request: &Self::Request, _first: Option<NodeId>) -> Self::Request {
        request.clone()
    }

    /// Reads the answer that a request must get.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read_answer(value: &Value<'_>, _request: &Self::Request) -> Result<Self::Answer> {
        Err(value.error("no file of this system says what must be answered"))
    }

    /// Is this the answer?
    fn is_answer(_wanted: &Self::Answer, _reply: &Self::Reply) -> bool {
        false
    }

    /// Reads `[workload]`.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read_workload(file: &Table<'_>, config: &Self::Config) -> Result<Option<Self::Workload>>;

    /// Reads what only this system can expect at the end of a run.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read_at_end(_expect: &Table<'_>) -> Result<Self::AtEnd> {
        Ok(Self::AtEnd::default())
    }

    /// Reads what only this system can say of what `milestone` has to be about.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read_filter(
        _table: &Table<'_>,
        _cast: Named,
        _milestone: Result<Milestone<Self>>,
    ) -> Result<Self::Filter> {
        Ok(Self::Filter::default())
    }

    /// Can this milestone be about a request?
    fn is_about_a_request(_milestone: Milestone<Self>) -> bool {
        true
    }

    /// Notes what does not go together in a file.
    fn check(_file: &Table<'_>, _scenario: &Scenario<Self>) {}

    /// Can what these faults and scripts do block a run for good, where every machine restarts?
    fn may_block(_faults: &[ScriptedFault<Self>], _scripts: &[Script<Self>]) -> bool {
        false
    }

    /// Why no run of a file can reach a milestone; `None` if one may, or if it is a general one.
    fn why_never(_milestone: Milestone<Self>, _scenario: &Scenario<Self>) -> Option<&'static str> {
        None
    }

    /// Why no run of a file can violate an invariant; `None` if one may.
    fn why_never_violated(
        _invariant: Self::Invariant,
        _scenario: &Scenario<Self>,
    ) -> Option<&'static str> {
        None
    }

    /// What is listed of a key of `[swarm]`.
    fn swarm_key(key: Self::SwarmKey) -> Listed;

    /// Refuses what some seed could not draw so that it makes sense.
    ///
    /// # Errors
    /// It is noted where it stands.
    fn check_swarm(
        _table: &Table<'_>,
        _swarm: &Swarm<Self>,
        _cast: Cast,
        _config: &Self::Config,
    ) -> Result<()> {
        Ok(())
    }

    /// The most that may be drawn for a key, where that depends on others: `drawn` gives what was
    /// drawn for one, or what is usual.
    fn most_drawn(
        _key: Self::SwarmKey,
        _scenario: &Scenario<Self>,
        _drawn: &dyn Fn(Key<Self>, u64) -> u64,
    ) -> u64 {
        u64::MAX
    }

    /// Puts what was drawn in place of what the file says. The machines are drawn already.
    fn put_drawn(_scenario: &mut Scenario<Self>, _drawn: &[(Self::SwarmKey, u64)]) {}

    /// The moments at which aimed faults strike: beside the roles that a milestone binds, the
    /// machine at which it is reached is one to strike.
    fn moments() -> Vec<AimedMoment<Self>> {
        let own = Self::Milestone::ALL.iter().map(|it| Milestone::System(*it));
        let sent = Self::MessageKind::ALL.iter().map(|kind| Milestone::Sent(*kind));
        let appended = Self::RecordKind::ALL.iter().filter_map(|kind| Milestone::appended(*kind));
        let moment = |group| move |at| AimedMoment { group, at, loses_disks: true };
        own.map(moment(0)).chain(sent.map(moment(1))).chain(appended.map(moment(2))).collect()
    }

    /// The roles that can be named in a fault that waits for this milestone; the watcher's
    /// [`bind`](MilestoneWatcher::bind) says which machine plays each.
    fn roles_of(_milestone: Milestone<Self>) -> &'static [Self::Role] {
        &[]
    }

    /// The classes of the machines that write records of this kind: other cells of coverage cannot
    /// be.
    fn written_by(_kind: Self::RecordKind) -> &'static [Class] {
        &[Class::Control, Class::Node]
    }

    /// The kind of a message.
    fn message_kind(message: &Self::Message) -> Self::MessageKind;

    /// The kind of a record.
    fn record_kind(record: &Self::Record) -> Self::RecordKind;

    /// Does a log get such records by themselves? Others stand in checkpoints only.
    fn is_logged(_kind: Self::RecordKind) -> bool {
        true
    }

    /// The milestone without which this one is not reached, if there is one: a file whose runs have
    /// come only to that one is told so, and reaching this one alone is an error.
    fn follows(_milestone: Self::Milestone) -> Option<Milestone<Self>> {
        None
    }

    /// How a client has answered, in a word.
    fn outcome(reply: &Self::Reply) -> Outcome;

    /// The machines that are up and wait, other than users for their answers.
    fn waits(_world: &World<Self>, _model: &Self::Model, _times: &StepTimes) -> Vec<Wait> {
        Vec::new()
    }

    /// The circle of waits that `request`, which was answered unknown, stands in.
    fn deadlock(
        _request: RequestId,
        _world: &World<Self>,
        _model: &Self::Model,
        _times: &StepTimes,
    ) -> Vec<Wait> {
        Vec::new()
    }

    /// Kinds of wait of a run that has got to `milestone` and does not leave it; none for any kind.
    fn waits_after(_milestone: Milestone<Self>) -> &'static [WaitKind] {
        &[]
    }

    /// Takes in what a message that goes `from` one machine `to` another is about.
    fn about_message(
        from: NodeId,
        to: NodeId,
        message: &Self::Message,
        subjects: &mut Subjects<Self::Subject>,
    );

    /// Takes in what a record of `node` is about.
    fn about_record(node: NodeId, _record: &Self::Record, subjects: &mut Subjects<Self::Subject>) {
        subjects.add(node);
    }

    /// Takes in what a request is about, beside itself.
    fn about_request(_request: &Self::Request, _subjects: &mut Subjects<Self::Subject>) {}

    /// Takes in what a wake-up is about.
    fn about_timer(_timer: &Self::Timer, _subjects: &mut Subjects<Self::Subject>) {}

    /// Takes in what a user is told unasked.
    fn about_notice(_notice: &Self::Notice, _subjects: &mut Subjects<Self::Subject>) {}

    /// What the outside knows before anything has happened.
    fn model(config: &Arc<Self::Config>) -> Self::Model;

    /// The checker of an invariant, for a run that starts with `world`; `None` where it has nothing
    /// to look at in such a run.
    fn invariant(
        name: Self::Invariant,
        world: &World<Self>,
        workload: Option<&Self::Workload>,
    ) -> Option<Box<dyn Invariant<Self>>>;

    /// What the operator has given up by the end of a run, in words.
    fn given_up(_model: &Self::Model) -> Vec<String> {
        Vec::new()
    }

    /// What a file expects at the end of a run, and is otherwise.
    fn unmet_at_end(
        _expected: &Self::AtEnd,
        _world: &World<Self>,
        _model: &Self::Model,
    ) -> Option<Finding> {
        None
    }

    /// How long a message or a sync may take before the model is [told](crate::oracle::Told) of
    /// it, as something that may make a request late.
    fn affordable(scenario: &Scenario<Self>) -> Span {
        Self::request_timeout(&scenario.config).fraction(10)
    }

    /// What the reader of a report about `subjects` knows by name; `None` if what a message carries
    /// is told in no other way than what it is.
    fn known(
        _config: &Arc<Self::Config>,
        _subjects: &Subjects<Self::Subject>,
    ) -> Option<Self::Known> {
        None
    }

    /// What a machine holds, in words, one line for each thing; nothing if no report tells it.
    fn state(_machine: &Self::Machine, _detail: Detail<'_, Self>) -> Vec<String> {
        Vec::new()
    }

    /// The settings that matter to a report about `subjects`, in words.
    fn settings_that_matter(
        _config: &Arc<Self::Config>,
        _subjects: &Subjects<Self::Subject>,
    ) -> Vec<String> {
        Vec::new()
    }

    /// Does a message only prepare what a story is about? Such messages are told last.
    fn is_preparation(_message: &Self::Message) -> bool {
        false
    }

    /// Does a record only help a machine to forget? Such records are many and tell little.
    fn is_bookkeeping(_record: &Self::Record) -> bool {
        false
    }

    /// Does a message only say that a machine is there, or answer that? Such messages are many and
    /// tell little.
    fn is_a_heartbeat(_message: &Self::Message) -> bool {
        false
    }

    /// Is a machine woken only to say that it is there, or to look which machines are?
    fn is_time_for_a_heartbeat(_timer: &Self::Timer) -> bool {
        false
    }

    /// What a run and a sweep count in what they print.
    fn figures(_config: &Self::Config) -> Vec<Figures<Self>> {
        vec![Figures::requests()]
    }

    /// The headings under which milestones are listed, in order.
    fn headings() -> Vec<String> {
        vec!["milestones".to_owned()]
    }

    /// Under which of them this one is listed, by its number.
    fn heading_of(_milestone: Milestone<Self>) -> usize {
        0
    }

    /// What a milestone needs of a file, in a word; nothing where every file may reach it.
    fn needs(_milestone: Milestone<Self>) -> &'static str {
        ""
    }

    /// How a file writes values that only this system has, and names that no command lists.
    fn conventions() -> Vec<Convention> {
        Vec::new()
    }

    /// A message, in words.
    fn message_in_words(message: &Self::Message, _detail: Detail<'_, Self>) -> String {
        format!("{message:?}")
    }

    /// A record, in words.
    fn record_in_words(record: &Self::Record, _detail: Detail<'_, Self>) -> String {
        format!("{record:?}")
    }

    /// What a user asks for, in words.
    fn request_in_words(request: &Self::Request, _detail: Detail<'_, Self>) -> String {
        format!("{request:?}")
    }

    /// What a client answers, in words.
    fn reply_in_words(reply: &Self::Reply, _detail: Detail<'_, Self>) -> String {
        format!("{reply:?}")
    }

    /// What a client tells its user unasked, in words.
    fn notice_in_words(notice: &Self::Notice) -> String {
        format!("{notice:?}")
    }

    /// What the operator tells the system, in words.
    fn command_in_words(command: &Self::Command) -> String {
        format!("{command:?}")
    }

    /// What a machine is woken for, in words.
    fn timer_in_words(timer: &Self::Timer) -> String {
        format!("{timer:?}")
    }
}
