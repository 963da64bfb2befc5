//! The scenario file: a TOML document that says which machines there are, what is asked, what
//! breaks, and what must come of it.
//!
//! Reading one is strict: an unknown key, an unknown name, a value outside its range or a
//! combination that makes no sense is an error that names the file, the line, the key, what was
//! expected and what was found. Nothing is taken for an absent key that was only misspelt. What is
//! left after reading is complete (all defaults are filled in) and made of integers.
//!
//! Durations are strings of a decimal number and `ns`, `us`, `ms`, `s`, `m` or `h`, at most one
//! day: `"1.5s"`. A range is two of them, the shorter first: `["1ms", "10ms"]`. Probabilities are
//! numbers from 0 to 1. Machines are `control`, `n1`.. (storage nodes) and `c1`.. (clients).
//!
//! | table | key | value | where it is left out |
//! |---|---|---|---|
//! | (top) | `title` | text | must be there |
//! | | `about` | text | empty |
//! | | `seeds` | `{ start, count }`, whole numbers, `count` at least 1 | 0, 100 |
//! | `[cluster]` | `nodes`, `clients` | how many storage nodes and clients | 3, 1 |
//! | | `membership` | `"fixed"`, `"managed"`: by the central node, in views | `"fixed"` |
//! | | `spare` | storage nodes that are there and not wanted as members at first (*) | 0 |
//! | | `replicas` | owners of a path, 1 to `nodes` | 2, or 1 for one node |
//! | | `virtual_nodes` | points of a node on the ring | 100 |
//! | | `hash` | `"sha1"`, `"md5"` | `"sha1"` |
//! | | `ring_bits` | how many bits of a hash count, 1 to 64 | 64 |
//! | | `commit` | `"staged"`, `"two_phase"` | `"staged"` |
//! | | `defects` | names of defects | none |
//! | | `checkpoint_records` | records between two checkpoints | 10000 |
//! | | `chunk_paths` | paths in a chunk of a hand-over, at most | 64 |
//! | `[timing]` | `lock_lease`, `membership_lease` | duration | 10s, 2s |
//! | | `request_timeout`, `attempt_timeout` | duration | 30s, 2s |
//! | | `retry_delay` | duration | 20ms |
//! | | `vote_timeout`, `inquiry_interval` | duration | 1s, 500ms |
//! | | `chunk_pause` | duration, between two chunks of a hand-over | 5ms |
//! | | `drift_max_ppm` | bound of every clock's drift | 500 |
//! | `[network]` | `latency` | range | 1ms to 10ms |
//! | | `loss`, `duplication`, `spike` | probability for each message | 0 |
//! | | `spike_latency` | range | 100ms to 1s |
//! | `[[network.link]]` | `from`, `to` | machines: one direction of one link | must be there |
//! | | `latency`, `loss` | as above; at least one of them | as for all links |
//! | `[disk]` | `sync` | range | 100us to 2ms |
//! | `[[clock]]` | `node` | machine | must be there |
//! | | `offset` | duration by which it is ahead | 0s |
//! | | `drift_ppm` | whole number, negative where it is slow | 0 |
//! | | `beyond_bound` | `true`: the drift may exceed `timing.drift_max_ppm` | `false` |
//! | `[workload]` | `kind` | `"files"`, `"locked_counter"`, `"bank"` | must be there |
//! | | `operations` | requests of all clients together | 200 |
//! | | `paths` | files, counters, accounts (of these 2 or more) | 8 |
//! | | `think` | range, between an answer and the next request | 0ms to 50ms |
//! | | `read_fraction`, `contents_bytes` | `files` only: probability, bytes | 0.3, 16 |
//! | | `balance` | `bank` only: of each account at the start | 100 |
//! | `[[script]]` | `client`, `at` | client, time within the safety phase | must be there |
//! | | one of the eight below | | must be there |
//! | | `read` | path | |
//! | | `create` | path; with `data` | |
//! | | `write` | path; with `data`, perhaps `if_version` | |
//! | | `delete` | path; perhaps with `if_version` | |
//! | | `rename` | path; with `to` | |
//! | | `transaction` | array of tables, each one of the five above | |
//! | | `acquire` | path; perhaps with `wait` | `wait = true` |
//! | | `release` | path | |
//! | | `answer` | what must be answered: `"done"`, `"refused"`, `"unknown"`, or one of: | anything |
//! | | | `{ refused = REASON }` | |
//! | | | `{ contents = TEXT }`, `{ absent = true }`: what a `read` finds | |
//! | | `coordinator` | storage node asked first; one read is asked only of an owner | the client chooses |
//! | `[[fault]]` | `at` | time within the safety phase | this or `when` |
//! | | `when` | `{ milestone, nth, node }`: right after its nth time (there) | `nth` 1, anywhere |
//! | | one of those below | | must be there |
//! | | `crash` | target; perhaps `restart_after` or `restart = "never"` | restarts when healed |
//! | | `pause`, `isolate` | target; perhaps `for` | until healed |
//! | | `partition` | array of groups of machines; perhaps `for`, `one_way = true` | until healed |
//! | | `clog` | `{ from, to }`; perhaps `for` | until healed |
//! | | `majorities_ring` | `true`; perhaps `for` | until healed |
//! | | `bump` | target; with `by`, a duration | |
//! | | `bit_rot` | target with a log; perhaps `restart_after` | restarts when healed |
//! | | `wipe` | storage node or role (*); perhaps `restart_after` | restarts when healed |
//! | | `rolling_restart` | `true`; perhaps `down`, `pause` | 500ms, 2s |
//! | | `attrition` | storage nodes, how many; perhaps `pause`, `restart_after` | 0ms, when healed |
//! | | `join`, `leave` | storage node (*) | |
//! | | `set` | `{ replicas, virtual_nodes, lock_lease, membership_lease }` (*) | at least one |
//! | | `accept_loss` | `true` (*) | |
//! | `[[message]]` | `kind` | kind of message | must be there |
//! | | `from`, `to` | machines | any |
//! | | `nth` | which of those that match, from 1 | all |
//! | | one of `drop = true`, `delay`, `duplicate` | durations | must be there |
//! | `[chaos]` | `kinds` | array of kinds: [`ChaosKind`](crate::fault::ChaosKind) | must be there |
//! | | `budget` | `{ storage_nodes_down, control_down, clients_down, wipes }` | 1, no, 0, 0 |
//! | | `interval` | range, from one fault to the next | 500ms to 4s |
//! | | `duration` | range, of each fault | 200ms to 5s |
//! | `[swarm]` | `nodes`, `spare` (*), `clients` | two numbers, the smaller first | not drawn |
//! | | `replicas`, `virtual_nodes`, `ring_bits` | the same | |
//! | | `chunk_paths`, `checkpoint_records` | the same | |
//! | | `lock_lease`, `membership_lease`, `chunk_pause` | range | |
//! | | `attempt_timeout`, `vote_timeout`, `inquiry_interval` | range | |
//! | | `loss`, `duplication`, `spike` | two probabilities, the smaller first | |
//! | | `latency_max`, `sync_max` | range of the longer end of `latency`, of `sync` | |
//! | | `chaos_interval_max`, `chaos_duration_max` | range of the longer end | |
//! | | `storage_nodes_down`, `wipes` | two whole numbers, of the budget | |
//! | | `kinds` | `"any"`: some of the kinds of `[chaos]` | |
//! | `[phases]` | `safety`, `liveness` | duration | 30s; twice `request_timeout`, at least 30s |
//! | | `probes` | `true`, `false`: after the liveness phase clients ask once more | `true` |
//! | `[expect]` | one of the three below | | `verdict` |
//! | | `verdict` | `"pass"` | `"pass"` |
//! | | `violates` | invariant | |
//! | | `blocks` | milestone | |
//! | | `reached` | milestones that some run must reach, each a name or | none |
//! | | | `{ milestone, at_least }`, how often that run must reach it | |
//! | | `never` | milestones that no run may reach | none |
//! | | `stored` | `{ path, contents }`, `{ path, absent = true }`: at all owners at the end | any |
//! | | `unknown` | share of requests, 0 to 1, that may be answered unknown over all seeds | 0.05 |
//!
//! A *target* is a machine or, with `when`, a role: `coordinator`, `participant` and `owner` of the
//! milestone's transaction, `holder` and `waiter` of its lock, `source` and `receiver` of its
//! hand-over, `joiner` and `leaver` of its view ([`roles_of`]). A file asks for something: it has a
//! workload, a script, or both. The kind of chaos `wipe` needs `wipes` in the budget, its own or a
//! drawn one.
//!
//! Only a file with a crash that says `restart = "never"`, with a `wipe` and no `accept_loss`, or
//! whose scripts acquire two locks by two clients, may say `blocks`. The share of `unknown` leaves
//! out requests of scripts that say their `answer`; it is judged from 100 requests on, and does not
//! go with `violates`. `stored` looks at owners that are up. A REASON is `not_found`, `exists`,
//! `version_is`, `fenced`, `held`, `not_held`, `queue_full`, `path_too_long`, `contents_too_long`,
//! `bad_operation_count` or `malformed`. A milestone, a violation, an answer or a stored file that
//! is impossible in every run of the file is refused.
//!
//! Probes come after the liveness phase, if everything got done in it: files that a request touched
//! are read and written through each of their owners, and every lock is taken and given back. A
//! file that says `blocks` has none, nor one that `violates` anything but what is about progress.
//!
//! (*) needs `membership = "managed"`. A `wipe` is a crash after which the disk is empty. A
//! `rolling_restart` crashes every storage node in turn: each is `down` for so long, and so long a
//! `pause` is between the start of one and the crash of the next. An `attrition` crashes storage
//! nodes drawn from the seed, one each `pause`. `join`, `leave`, `set` and `accept_loss` are what
//! an operator tells the central node; where that is down or paused, the operator tries again every
//! second, in order, and the fault has struck when it is told.
//!
//! With a `[swarm]` every seed runs a cluster of its own: what is drawn replaces what the other
//! tables say. `replicas` is drawn up to the nodes there are, `storage_nodes_down` up to `replicas`
//! less one, and no budget is larger than that. Machines that a file names are there whatever is
//! drawn, so it names only those of the smallest cluster. A drawn
//! `latency_max` replaces only the upper end of `latency`, and lowers the lower end if that is
//! above it.

mod chaos;
mod cluster;
mod environment;
mod error;
mod expect;
mod fault;
pub mod grammar;
mod message;
mod reader;
pub mod reference;
mod role;
mod script;
mod source;
pub(crate) mod swarm;
#[cfg(test)]
mod tests;
mod value;
mod workload;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use seedbed::proto::{Config, Defect, Settings, Span};

pub use chaos::{Budget, Chaos};
pub use cluster::Cast;
use cluster::{Cluster, Named};
pub use environment::{Clock, Disk, Link, Network};
pub use error::{ScenarioError, ScenarioErrors};
pub use expect::answer::{Answer, Reason};
pub use expect::{Expect, Expected, Phases, Reach, Seeds, Stored};
pub use fault::{ScriptedFault, Target, Trigger};
pub use message::{Fate, MessageRule};
pub use role::{Role, roles_of};
pub use script::Script;
pub use swarm::Swarm;
pub use workload::{Workload, WorkloadKind};

use grammar::{Key, Style, TableGrammar};
use reader::{Result, Table};
use source::Source;

/// The longest file that is read, in bytes.
pub const LONGEST: usize = 1 << 20;

const FILE: TableGrammar = TableGrammar {
    name: "",
    style: Style::File,
    meaning: "the keys in front of the first table, and the tables",
    keys: &[
        Key::needed("title", "one line of text", "what is shown, in a few words"),
        Key::usually("about", "text", "\"\"", "what is shown and what to look at"),
        Key::perhaps("seeds", "table, see `seeds`", "100 from 0", "what the file is run with"),
        Key::perhaps("cluster", "table", "3 nodes, 1 client", "see `[cluster]`"),
        Key::perhaps("timing", "table", "as there", "see `[timing]`"),
        Key::perhaps("network", "table", "as there", "see `[network]`"),
        Key::perhaps("disk", "table", "as there", "see `[disk]`"),
        Key::perhaps("clock", "tables", "true clocks", "see `[[clock]]`"),
        Key::perhaps("workload", "table", "none", "see `[workload]`"),
        Key::perhaps("script", "tables", "none", "see `[[script]]`"),
        Key::perhaps("fault", "tables", "none", "see `[[fault]]`"),
        Key::perhaps("message", "tables", "none", "see `[[message]]`"),
        Key::perhaps("chaos", "table", "none", "see `[chaos]`"),
        Key::perhaps("swarm", "table", "none", "see `[swarm]`"),
        Key::perhaps("phases", "table", "as there", "see `[phases]`"),
        Key::perhaps("expect", "table", "every run passes", "see `[expect]`"),
    ],
    forms: &[],
    notes: &["A file asks for something: it has a `[workload]`, a `[[script]]` or both."],
    example: r#"
title = "a coordinator crashes"
about = "Its participants are in doubt until it is back."
seeds = { start = 0, count = 50 }
"#,
};

/// A scenario: what a file says, checked, with nothing left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario {
    /// The name of the file.
    pub file: String,
    /// What it shows, in a few words.
    pub title: String,
    /// What is shown and what to look at; perhaps empty.
    pub about: String,
    /// The seeds to run it with.
    pub seeds: Seeds,
    /// The machines that take part.
    pub cast: Cast,
    /// What they agree on; all runs share it.
    pub config: Arc<Config>,
    /// How messages travel.
    pub network: Network,
    /// How disks work.
    pub disk: Disk,
    /// Clocks that differ from true time; no machine twice.
    pub clocks: Vec<Clock>,
    /// What is asked, drawn from the seed.
    pub workload: Option<Workload>,
    /// What is asked, as written, in the file's order.
    pub script: Vec<Script>,
    /// What breaks, as written, in the file's order.
    pub faults: Vec<ScriptedFault>,
    /// What happens to messages on their way, in the file's order.
    pub messages: Vec<MessageRule>,
    /// What breaks, drawn from the seed.
    pub chaos: Option<Chaos>,
    /// What is drawn from the seed before the run.
    pub swarm: Option<Swarm>,
    /// How long a run is.
    pub phases: Phases,
    /// What must come of it.
    pub expect: Expect,
}

impl Scenario {
    /// Reads `text`, the contents of the file `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    ///
    /// # Examples
    /// ```
    /// use seedbed_sim::scenario::Scenario;
    ///
    /// let text = "title = \"reads\"\n[workload]\nkind = \"files\"\noperatons = 10\n";
    /// let error = Scenario::parse("reads.toml", text).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "reads.toml:4: workload.operatons: unknown key; did you mean `operations`?"
    /// );
    /// ```
    pub fn parse(name: &str, text: &str) -> std::result::Result<Scenario, ScenarioErrors> {
        if text.len() > LONGEST {
            return Err(too_long(name).into());
        }
        let source = Source::new(name, text);
        let scenario = source.document().and_then(|document| {
            let scenario = read(name, &Table::root(&source, &document, &FILE))?;
            source.noted.check().map(|()| scenario)
        });
        match (scenario, source.errors()) {
            (Ok(scenario), None) => Ok(scenario),
            (Ok(_) | Err(_), Some(errors)) => Err(errors),
            (Err(_), None) => unreachable!("what is refused is noted"),
        }
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, is longer than [`LONGEST`] or is not UTF-8; else everything that is wrong
    /// with what it says.
    pub fn load(path: &Path) -> std::result::Result<Scenario, ScenarioErrors> {
        let name = path.display().to_string();
        let unread = |error: io::Error| ScenarioError::of_file(&name, format!("not read: {error}"));
        let file = File::open(path).map_err(unread)?;
        if file.metadata().map_err(unread)?.len() > LONGEST as u64 {
            return Err(too_long(&name).into());
        }
        // Not all that can be opened knows its length.
        let mut bytes = Vec::new();
        file.take(LONGEST as u64 + 1).read_to_end(&mut bytes).map_err(unread)?;
        Scenario::from_bytes(&name, &bytes)
    }

    /// The same scenario with `defect` switched on.
    #[must_use]
    pub fn with_defect(&self, defect: Defect) -> Scenario {
        let defects = self.config.defects.with(defect);
        let settings = Settings { defects, ..Settings::clone(&self.config) };
        // A defect makes no setting wrong.
        let config = Config::new(settings).expect("settings that were checked");
        Scenario { config, ..self.clone() }
    }

    /// Is the cluster probed after the liveness phase? Not where a file is about what does not
    /// get done, nor where it is about a mistake that shows before.
    pub fn is_probed(&self) -> bool {
        match self.expect.verdict {
            Expected::Pass => self.phases.probes,
            Expected::Violates(name) => self.phases.probes && name.is_of_progress(),
            Expected::Blocks(_) => false,
        }
    }

    fn from_bytes(name: &str, bytes: &[u8]) -> std::result::Result<Scenario, ScenarioErrors> {
        if bytes.len() > LONGEST {
            return Err(too_long(name).into());
        }
        let text = std::str::from_utf8(bytes).map_err(|error| ScenarioError {
            line: Some(source::line_of(bytes, error.valid_up_to())),
            ..ScenarioError::of_file(name, "not UTF-8")
        })?;
        Scenario::parse(name, text)
    }
}

fn too_long(name: &str) -> ScenarioError {
    ScenarioError::of_file(name, format!("longer than {LONGEST} bytes, not read"))
}

fn read(name: &str, root: &Table<'_>) -> Result<Scenario> {
    let title = root.need("title", "a few words on what is shown").and_then(|value| value.line());
    let about = root.maybe("about", |value| value.string());
    let seeds = expect::seeds(root);
    let cluster = cluster::read(root);
    let swarm = swarm::read(root, &cluster);
    let named = named(&cluster, &swarm);
    let config = cluster.config.as_deref().map_err(|refused| *refused);
    let (safety, phases) = expect::phases(root, config);
    let safety = safety.unwrap_or(Span::from_nanos(u64::MAX));
    let (drift, usual) = (config.map(|config| config.drift_max_ppm), Settings::default());
    let network = environment::network(root, named);
    let disk = environment::disk(root);
    let clocks = environment::clocks(root, named, drift);
    let workload = workload::read(root, usual.limits.contents_bytes);
    let script = script::read(root, named, safety);
    let faults = fault::read(root, named, &cluster.lenient(), safety);
    let messages = message::read(root, named);
    let chaos = chaos::read(root, named, &cluster.lenient());
    let expect = expect::expect(root, slice(&faults), slice(&script));
    let scenario = Scenario {
        file: name.to_owned(),
        title: title?.to_owned(),
        about: about?.unwrap_or_default().trim().to_owned(),
        seeds: seeds?,
        cast: cluster.cast?,
        config: cluster.config?,
        network: network?,
        disk: disk?,
        clocks: clocks?,
        workload: workload?,
        script: script?,
        faults: faults?,
        messages: messages?,
        chaos: chaos?,
        swarm: swarm?,
        phases: phases?,
        expect: expect?,
    };
    // What follows looks at everything.
    root.is_sound()?;
    check_wipes(root, &scenario);
    expect::possible::check(root, &scenario);
    if scenario.workload.is_none() && scenario.script.is_empty() {
        root.fault("nothing to do: expected `[workload]` or `[[script]]`");
    }
    Ok(scenario)
}

/// The machines that the file may name, as far as that was read.
fn named(cluster: &Cluster, swarm: &Result<Option<Swarm>>) -> Named {
    match (cluster.cast, swarm) {
        (Ok(cast), Ok(Some(swarm))) => swarm.fewest(cast),
        (Ok(cast), Ok(None)) => Named::all(cast),
        (Ok(_), Err(_)) | (Err(_), _) => Named::unknown(),
    }
}

fn slice<T>(read: &Result<Vec<T>>) -> Result<&[T]> {
    read.as_deref().map_err(|refused| *refused)
}

/// A drawn fault loses a disk only where some seed has a budget for that.
fn check_wipes(root: &Table<'_>, scenario: &Scenario) {
    let Some(chaos) = &scenario.chaos else { return };
    let wipes = chaos.budget.wipes;
    let may_wipe = scenario.swarm.as_ref().map_or(wipes > 0, |swarm| swarm.may_wipe(wipes));
    let place = chaos.kinds.iter().position(|kind| kind.loses_a_disk()).filter(|_| !may_wipe);
    let kinds = || root.get("chaos")?.inside("kinds");
    if let Some(value) = place.and_then(|place| kinds()?.item(place)) {
        value.error("can never strike: needs `chaos.budget.wipes`, at least 1");
    }
}
