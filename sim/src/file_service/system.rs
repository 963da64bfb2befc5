//! What the testbed needs to know of the file service.

use std::sync::Arc;

use seedbed::machine::{Class, NodeId, RequestId, Span};
use seedbed::proto::{
    AttemptEnd, Command, Config, Defect, FileService, LockAnswer, LockRequest, Membership, Message,
    MessageKind, Notice, Path, Process, Record, RecordKind, Reply, Request, Retry, Settings, Timer,
};

use super::coverage::Followed;
use super::invariant::FileInvariant;
use super::milestone::{self, Milestone};
use super::oracle::blocked::{self, kind};
use super::oracle::milestones::Milestones;
use super::oracle::{Invariant, Model, Probe, answer_in_words, contents_in_words, registry};
use super::probes::Probes;
use super::refusal::Reason;
use super::scenario::{
    self, Answer, Ask, Filter, Part, Scenario, Script, ScriptedFault, Stored, SwarmKey, Wish,
    Wishes, Workload, reading,
};
use super::subject_of::{Subject, Subjects, Topic};
use super::trace::{self, Detail, Places};
use super::users::User;
use super::{World, figures, jepsen, owners, setting, terms};
use crate::aimed_moment::AimedMoment;
use crate::cast::Cast;
use crate::fault::Fault;
use crate::figures::Figures;
use crate::name::Name;
use crate::oracle::blocked::{StepTimes, Wait, WaitKind};
use crate::outcome::Outcome;
use crate::reference::Convention;
use crate::scenario::reading::{Extra, Form, Listed, Named, ReadConfig, Result, Table, Value};
use crate::scenario::swarm::{Key, Swarm};
use crate::scenario::tables::TableReference;
use crate::scenario::written;
use crate::terms::Term;
use crate::under_test::{CheckOption, CommandLine, HistoryOption, UnderTest};
use crate::verdict::Finding;

impl Name for MessageKind {
    const ALL: &'static [MessageKind] = MessageKind::ALL;

    fn name(self) -> &'static str {
        MessageKind::name(self)
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Name for RecordKind {
    const ALL: &'static [RecordKind] = RecordKind::ALL;

    fn name(self) -> &'static str {
        RecordKind::name(self)
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Name for Defect {
    const ALL: &'static [Defect] = Defect::ALL;

    fn name(self) -> &'static str {
        Defect::name(self)
    }

    fn summary(self) -> &'static str {
        Defect::summary(self)
    }
}

impl UnderTest for FileService {
    type MessageKind = MessageKind;
    type RecordKind = RecordKind;
    type Defect = Defect;
    type Milestone = milestone::Named;
    type Watcher = Milestones;
    type Role = Part;
    type Subject = Subject;
    type Filter = Filter;
    type Invariant = FileInvariant;
    type Model = Model;
    type Ask = Ask;
    type Answer = Answer;
    type Workload = Workload;
    type User = User;
    type Probes = Probes;
    type Probe = Probe;
    type AtEnd = Vec<Stored>;
    type Operator = Wishes;
    type Coverage = Followed;
    type SwarmKey = SwarmKey;
    type Known = Places;

    const COMMAND: CommandLine = CommandLine {
        name: "seedbed",
        about: "Runs scenarios of a simulated cluster that stores files, and judges every step; \
                the same file and seed give the same run",
        folder: "scenarios/commit",
        file: "scenarios/mixed/files.toml",
        request: "read = \"/a\"",
    };
    const HISTORY: Option<HistoryOption<FileService>> = Some(jepsen::OPTION);
    const CHECK_OPTION: Option<CheckOption<FileService>> = Some(owners::OPTION);
    const TERMS: &'static [Term] = terms::TERMS;
    /// Locks are granted by that clock: what its jumps do is no protocol's fault.
    const CONTROL_CLOCK_JUMPS: bool = false;
    const REQUESTS: &'static [Form<Ask>] = scenario::REQUESTS;
    const FILTERS: Extra = scenario::FILTERS;
    const BLOCKS_BESIDE: &'static str =
        ", a `wipe` without an `accept_loss`, or two clients that acquire two locks";

    const DRIFT_BOUND: &'static str = "`timing.drift_max_ppm`";

    fn extra(table: &str) -> Extra {
        scenario::extra(table)
    }

    fn tables() -> Vec<(&'static str, TableReference)> {
        scenario::tables()
    }

    fn read_config(
        file: &Table<'_>,
        cluster: &Table<'_>,
        cast: Result<Cast>,
    ) -> ReadConfig<Config> {
        reading::settings(file, cluster, cast)
    }

    fn drift_max_ppm(config: &Config) -> u32 {
        config.drift_max_ppm
    }

    fn request_timeout(config: &Config) -> Span {
        config.request_timeout
    }

    fn may_lose_a_disk(config: &Config) -> std::result::Result<(), &'static str> {
        match config.membership {
            Membership::Managed => Ok(()),
            Membership::Fixed => Err("needs `cluster.membership = \"managed\"`"),
        }
    }

    fn with_defect(config: &Arc<Config>, defect: Defect) -> Arc<Config> {
        let defects = config.defects.with(defect);
        let settings = Settings { defects, ..Settings::clone(config) };
        Config::new(settings).expect("a defect makes no setting wrong")
    }

    fn read_request(ask: Ask, table: &Table<'_>, main: &Value<'_>) -> Result<Request> {
        reading::request(ask, table, main)
    }

    fn written_request(request: &Request) -> Option<written::Keys> {
        scenario::written_request(request)
    }

    fn asked_first(ask: Ask) -> Option<&'static str> {
        reading::asked_first(ask)
    }

    fn with_first(request: &Request, first: Option<NodeId>) -> Request {
        reading::with_first(request, first)
    }

    fn read_answer(value: &Value<'_>, request: &Request) -> Result<Answer> {
        value.answer(request)
    }

    fn is_answer(wanted: &Answer, reply: &Reply) -> bool {
        wanted.is(reply)
    }

    fn read_workload(file: &Table<'_>, config: &Config) -> Result<Option<Workload>> {
        reading::workload(file, config.limits.contents_bytes)
    }

    fn read_at_end(expect: &Table<'_>) -> Result<Vec<Stored>> {
        reading::stored(expect)
    }

    fn read_filter(table: &Table<'_>, cast: Named, milestone: Result<Milestone>) -> Result<Filter> {
        reading::filter(table, cast, milestone)
    }

    fn is_about_a_request(milestone: Milestone) -> bool {
        scenario::is_about_a_request(milestone)
    }

    fn check(file: &Table<'_>, scenario: &Scenario) {
        reading::check_limits(file, scenario);
        reading::check_with_file(file, scenario);
        reading::check_answers(file, scenario);
        reading::must_be_written(file, scenario);
    }

    fn may_block(faults: &[ScriptedFault], scripts: &[Script]) -> bool {
        scenario::may_block(faults, scripts)
    }

    fn why_never(milestone: Milestone, scenario: &Scenario) -> Option<&'static str> {
        reading::why_never(milestone, scenario)
    }

    fn why_never_violated(invariant: FileInvariant, scenario: &Scenario) -> Option<&'static str> {
        reading::why_never_violated(invariant, scenario)
    }

    fn swarm_key(key: SwarmKey) -> Listed {
        key.listed()
    }

    fn check_swarm(
        table: &Table<'_>,
        swarm: &Swarm<FileService>,
        cast: Cast,
        config: &Config,
    ) -> Result<()> {
        reading::check_swarm(table, swarm, cast, config)
    }

    fn most_drawn(
        key: SwarmKey,
        scenario: &Scenario,
        drawn: &dyn Fn(Key<FileService>, u64) -> u64,
    ) -> u64 {
        reading::most_drawn(key, scenario, drawn)
    }

    fn put_drawn(scenario: &mut Scenario, drawn: &[(SwarmKey, u64)]) {
        reading::put_drawn(scenario, drawn);
    }

    fn moments() -> Vec<AimedMoment<FileService>> {
        scenario::moments()
    }

    fn roles_of(milestone: Milestone) -> &'static [Part] {
        scenario::roles_of(milestone)
    }

    fn written_by(kind: RecordKind) -> &'static [Class] {
        scenario::written_by(kind)
    }

    fn message_kind(message: &Message) -> MessageKind {
        message.kind()
    }

    fn record_kind(record: &Record) -> RecordKind {
        record.kind()
    }

    fn is_logged(kind: RecordKind) -> bool {
        milestone::is_logged(kind)
    }

    fn follows(milestone: milestone::Named) -> Option<Milestone> {
        milestone.follows()
    }

    fn known(config: &Arc<Config>, subjects: &Subjects) -> Option<Places> {
        Some(setting::places(config, subjects))
    }

    fn state(machine: &Process, detail: Detail<'_>) -> Vec<String> {
        setting::state(machine, detail)
    }

    fn reconfigured(machine: &Process, config: &Arc<Config>) -> Option<Process> {
        Some(machine.reconfigured(config))
    }

    fn is_preparation(message: &Message) -> bool {
        match message {
            Message::Ended(ended) => matches!(ended.end, AttemptEnd::Retry(Retry::Session(_))),
            Message::LockRequest(request) => matches!(request, LockRequest::KeepAlive { .. }),
            Message::LockAnswer(answer) => matches!(answer, LockAnswer::KeptAlive { .. }),
            _ => false, // it asks for something, or answers it
        }
    }

    fn is_bookkeeping(record: &Record) -> bool {
        match record {
            Record::Over { .. } | Record::Mark { .. } | Record::Forgotten { .. } => true,
            // The entry beside it says what is claimed from then on.
            Record::GaveUp { .. } => true,
            _ => false,
        }
    }

    fn settings_that_matter(config: &Arc<Config>, subjects: &Subjects) -> Vec<String> {
        setting::that_matter(config, subjects)
    }

    fn about_message(from: NodeId, to: NodeId, message: &Message, subjects: &mut Subjects) {
        subjects.add_message(from, to, message);
    }

    fn about_record(node: NodeId, record: &Record, subjects: &mut Subjects) {
        subjects.add_record(node, record);
    }

    fn about_request(request: &Request, subjects: &mut Subjects) {
        match request {
            Request::Files { operations, .. } => subjects.add_paths(operations.iter()),
            Request::Acquire { path, .. } | Request::Release { path } => subjects.add(path),
        }
    }

    fn about_timer(timer: &Timer, subjects: &mut Subjects) {
        match timer {
            Timer::Collect(txn) | Timer::Resend(txn) => subjects.add(*txn),
            Timer::Ready(txn) | Timer::Inquire(txn) => subjects.add(*txn),
            Timer::Lease(path) | Timer::KeepAlive(path) | Timer::LeaseEnd(path) => {
                subjects.add(path);
            }
            Timer::Start | Timer::Attempt(_) | Timer::GiveUp(_) => {}
            Timer::Members | Timer::Heartbeat | Timer::Pull => {}
        }
    }

    fn about_notice(notice: &Notice, subjects: &mut Subjects) {
        match notice {
            Notice::Holding { path, request, .. } => {
                subjects.add(path);
                subjects.add(*request);
            }
            Notice::Lost { path, .. } => subjects.add(path),
            Notice::View(view) => subjects.add(view.epoch),
        }
    }

    fn outcome(reply: &Reply) -> Outcome {
        match reply {
            Reply::Done(_) | Reply::Acquired(_) | Reply::Released => Outcome::Done,
            Reply::Refused(_) => Outcome::Refused,
            Reply::Unknown => Outcome::Unknown,
        }
    }

    fn waits(world: &World, model: &Model, times: &StepTimes) -> Vec<Wait> {
        blocked::waits(world, model, times)
    }

    fn deadlock(request: RequestId, world: &World, model: &Model, times: &StepTimes) -> Vec<Wait> {
        blocked::deadlock(request, world, model, times)
    }

    /// | the run got to | a machine waits |
    /// |---|---|
    /// | `participant_in_doubt` | for a decision |
    /// | `decided` | for an acknowledgement |
    /// | `lock_queued`, `lock_granted` | for a lock whose holder is dead, or waits in turn |
    /// | `transaction_begun`, `request_retried` and the other `request_...` | for an answer |
    /// | any other | for anything |
    fn waits_after(milestone: Milestone) -> &'static [WaitKind] {
        match milestone {
            Milestone::PARTICIPANT_IN_DOUBT => &[kind::IN_DOUBT],
            Milestone::DECIDED => &[kind::UNACKNOWLEDGED],
            Milestone::LOCK_QUEUED | Milestone::LOCK_GRANTED => {
                &[kind::BEHIND_THE_DEAD, WaitKind::DEADLOCK]
            }
            Milestone::TRANSACTION_BEGUN
            | Milestone::REQUEST_RETRIED
            | Milestone::REQUEST_DONE
            | Milestone::REQUEST_REFUSED
            | Milestone::REQUEST_UNKNOWN => &[WaitKind::UNANSWERED],
            _ => &[],
        }
    }

    fn model(config: &Arc<Config>) -> Model {
        Model::new(config)
    }

    fn invariant(
        name: FileInvariant,
        world: &World,
        workload: Option<&Workload>,
    ) -> Option<Box<dyn Invariant<FileService>>> {
        registry::make(name, world, workload)
    }

    fn given_up(model: &Model) -> Vec<String> {
        model.files.given_up().map(Path::to_string).collect()
    }

    fn unmet_at_end(stored: &Vec<Stored>, world: &World, model: &Model) -> Option<Finding> {
        stored.iter().find_map(|wanted| not_stored(wanted, world, model))
    }

    /// A tenth of the time in which a coordinator wants its votes, a client its answer, and a
    /// holder news of its lease.
    fn affordable(scenario: &Scenario) -> Span {
        let config = &scenario.config;
        let leases = scenario.faults.iter().filter_map(|fault| match fault.fault {
            Fault::Operator { wish: Wish::Other(Command::Set { lock_lease, .. }), .. } => {
                lock_lease
            }
            _ => None, // it sets no lease
        });
        let lease = leases.fold(config.lock_lease, Span::min);
        config.attempt_timeout.min(config.vote_timeout).min(lease).fraction(10)
    }

    fn is_a_heartbeat(message: &Message) -> bool {
        Topic::of_message(message.kind()) == Topic::Presence
    }

    fn is_time_for_a_heartbeat(timer: &Timer) -> bool {
        matches!(timer, Timer::Heartbeat | Timer::Members)
    }

    fn figures(config: &Config) -> Vec<Figures<FileService>> {
        figures::figures(config)
    }

    fn headings() -> Vec<String> {
        Topic::ALL.iter().map(|topic| heading(*topic)).collect()
    }

    fn heading_of(milestone: Milestone) -> usize {
        let topic = milestone.topic();
        Topic::ALL.iter().position(|it| *it == topic).expect("the list has all topics")
    }

    fn needs(milestone: Milestone) -> &'static str {
        if scenario::is_of_managed(milestone) { "managed" } else { "" }
    }

    fn conventions() -> Vec<Convention> {
        let path = "a string that starts with `/` and has no control characters".to_owned();
        vec![
            Convention { what: "storage node", text: "a node".to_owned() },
            Convention { what: "central node", text: "the control node".to_owned() },
            Convention { what: "path", text: path },
            Convention { what: "reason of a refusal", text: Convention::names::<Reason>() },
        ]
    }

    fn message_in_words(message: &Message, detail: Detail<'_>) -> String {
        trace::message(message, detail)
    }

    fn record_in_words(record: &Record, detail: Detail<'_>) -> String {
        trace::record(record, detail)
    }

    fn request_in_words(request: &Request, detail: Detail<'_>) -> String {
        match detail {
            Detail::Brief => blocked::wanted_in_words(request),
            Detail::Report(_) | Detail::Contents(_) | Detail::Whole => trace::request(request),
        }
    }

    fn reply_in_words(reply: &Reply, detail: Detail<'_>) -> String {
        match detail {
            Detail::Brief => answer_in_words(reply),
            Detail::Report(_) | Detail::Contents(_) | Detail::Whole => trace::reply(reply),
        }
    }

    fn notice_in_words(notice: &Notice) -> String {
        trace::notice(notice)
    }

    fn command_in_words(command: &Command) -> String {
        trace::command(command)
    }

    fn timer_in_words(timer: &Timer) -> String {
        trace::timer(timer)
    }
}

/// What the milestones of a topic are about, and the roles that they bind.
fn heading(topic: Topic) -> String {
    let about = match topic {
        Topic::Transaction => "transactions",
        Topic::File => "reads of one file",
        Topic::Lock => "locks",
        Topic::Transfer => "hand-overs",
        Topic::View => "views",
        Topic::Joiner => "nodes that come with a view",
        Topic::Leaver => "nodes that go with a view",
        Topic::Presence => "heartbeats, and which view is known",
        Topic::Other => "machines, links, requests",
    };
    let one = Milestone::all().find(|milestone| milestone.topic() == topic);
    match one.map_or(&[][..], scenario::roles_of) {
        [] => format!("{about}; no role"),
        roles => {
            let names: Vec<&str> = roles.iter().map(|role| role.name()).collect();
            format!("{about}; roles: {}", names.join(", "))
        }
    }
}

/// A path at which an owner that is up does not store what the file wants.
fn not_stored(wanted: &Stored, world: &World, model: &Model) -> Option<Finding> {
    let Stored { path, contents } = wanted;
    let layout = model.views.layout(world.config());
    let finding = |found| Finding {
        of: format!("{path} at the end of the run"),
        expected: format!("{} at every owner", contents_in_words(contents.as_ref())),
        found,
    };
    let owners = layout.ring().owners(path);
    let up = owners.iter().filter_map(|owner| Some((owner, world.host(*owner).storage()?)));
    let mut is_any_up = false;
    for (owner, storage) in up {
        is_any_up = true;
        let found = storage.files().get(path).and_then(|file| file.contents.as_ref());
        if found != contents.as_ref() {
            return Some(finding(format!("{owner} stores {}", contents_in_words(found))));
        }
    }
    (!is_any_up).then(|| finding("none of its owners is up".to_owned()))
}
