//! The scenario file: a TOML document that says which machines there are, what is asked, what
//! breaks, and how its runs must end.
//!
//! Reading one is strict: an unknown key, an unknown name, a value outside its range or a
//! combination that makes no sense is an error that names the file, the line, the key, what was
//! expected and what was found. Nothing is taken for an absent key that was only misspelt. What is
//! left after reading is complete (all defaults are filled in) and made of integers.
//!
//! Each table is declared (`grammar.rs`) beside the code that reads it: its keys, what is written
//! there, what it is where it is left out, what goes with what. The reader takes the known keys
//! from there. The command `grammar` prints the same declarations.
//!
//! All errors of a file are told at once (`error.rs`). Checks across tables come last, and only
//! where all that they look at was read.

mod chaos;
mod cluster;
mod coverable;
mod environment;
mod error;
mod expect;
mod fault;
pub mod grammar;
mod message;
mod occasion;
mod possible;
mod reader;
mod script;
mod source;
pub mod swarm;
mod sync;
pub mod tables;
mod target;
mod value;
pub mod written;

/// What a system reads its own tables with.
pub mod reading {
    pub use super::cluster::{MOST_NODES, Named, ReadConfig};
    pub use super::error::{Refused, Result, all};
    pub use super::grammar::{Extra, Form, Grammar, Key, NoForm, Style, TableGrammar};
    pub use super::occasion::{Names, filter};
    pub use super::possible::must_be_possible;
    pub use super::reader::Table;
    pub use super::swarm::{Listed, Unit, at};
    pub use super::target::Binder;
    pub use super::value::Value;
}

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use seedbed::machine::Span;

pub use chaos::{Budget, Chaos};
use cluster::{Cluster, Named};
pub use environment::{Clock, Disk, Link, Network};
pub use error::{ScenarioError, ScenarioErrors};
pub use expect::{Expect, Expected, Phases, Reach, Seeds};
pub use fault::{FaultPlace, ScriptedFault};
pub use message::{Fate, MessageRule};
use occasion::Names;
pub use occasion::{About, Asked, Occasion, Ordinals, Trigger};
pub use script::{Next, Rounds, Script, Step};
pub use swarm::Swarm;
pub use sync::SyncRule;
pub use target::Target;

use crate::cast::Cast;
use crate::quantity::Ppb;
use crate::under_test::{Operator, UnderTest};
use error::Result;
use grammar::{Key, Style, TableGrammar};
use reader::Table;
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
        Key::perhaps("network", "table", "as if empty", "see `[network]`"),
        Key::perhaps("disk", "table", "as if empty", "see `[disk]`"),
        Key::perhaps("clock", "tables", "true clocks", "see `[[clock]]`"),
        Key::perhaps("workload", "table", "none", "see `[workload]`"),
        Key::perhaps("script", "tables", "none", "see `[[script]]`"),
        Key::perhaps("fault", "tables", "none", "see `[[fault]]`"),
        Key::perhaps("message", "tables", "none", "see `[[message]]`"),
        Key::perhaps("sync", "tables", "none", "see `[[sync]]`"),
        Key::perhaps("chaos", "table", "none", "see `[chaos]`"),
        Key::perhaps("swarm", "table", "none", "see `[swarm]`"),
        Key::perhaps("phases", "table", "as if empty", "see `[phases]`"),
        Key::perhaps("expect", "table", "every run passes", "see `[expect]`"),
    ],
    forms: &[],
    notes: &["A file asks for something: it has a `[workload]`, a `[[script]]` or both."],
    example: r#"
title = "a node crashes"
about = "It restarts on what its disk has."
seeds = { start = 0, count = 50 }

[cluster]
nodes = 2
clients = 2

[[script]]
client = "c1"
at = "1s"
{request}

[[fault]]
when = { milestone = "request_done" }
crash = "n1"
restart_after = "2s"

[expect]
reached = ["crashed", "restarted"]
"#,
};

/// A scenario: what a file says, checked, with nothing left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scenario<S: UnderTest> {
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
    pub config: Arc<S::Config>,
    /// The same without the mistakes that the file switches on.
    pub without_defects: Arc<S::Config>,
    /// The mistakes that are switched on.
    pub defects: Vec<S::Defect>,
    /// The one of them that was switched on in place of those of the file.
    pub defect_from_outside: Option<S::Defect>,
    /// How messages travel.
    pub network: Network,
    /// How disks work.
    pub disk: Disk,
    /// Clocks that differ from true time; no machine twice.
    pub clocks: Vec<Clock>,
    /// What is asked, drawn from the seed.
    pub workload: Option<S::Workload>,
    /// What is asked, as written, in the file's order.
    pub script: Vec<Script<S>>,
    /// What breaks, as written, in the file's order.
    pub faults: Vec<ScriptedFault<S>>,
    /// What happens to messages on their way, in the file's order.
    pub messages: Vec<MessageRule<S>>,
    /// How long single syncs take, in the file's order.
    pub syncs: Vec<SyncRule<S>>,
    /// What breaks, drawn from the seed.
    pub chaos: Option<Chaos<S>>,
    /// What is drawn from the seed before the run.
    pub swarm: Option<Swarm<S>>,
    /// How long a run is.
    pub phases: Phases,
    /// How a run must end.
    pub expect: Expect<S>,
}

impl<S: UnderTest> Scenario<S> {
    /// Reads `text`, the contents of the file `name`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    ///
    /// # Examples
    /// ```
    /// # #[cfg(feature = "file-service")] {
    /// use seedbed_sim::file_service::Scenario;
    ///
    /// let text = "title = \"reads\"\n[workload]\nkind = \"files\"\noperatons = 10\n";
    /// let error = Scenario::parse("reads.toml", text).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "reads.toml:4: workload.operatons: unknown key; did you mean `operations`?"
    /// );
    /// # }
    /// ```
    pub fn parse(name: &str, text: &str) -> std::result::Result<Scenario<S>, ScenarioErrors> {
        if text.len() > LONGEST {
            return Err(too_long(name).into());
        }
        let source = Source::new(name, text, S::COMMAND.name);
        let scenario = source.document().and_then(|document| {
            let scenario = read(name, &Table::root(&source, &document, &tables::file::<S>()))?;
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
    pub fn load(path: &Path) -> std::result::Result<Scenario<S>, ScenarioErrors> {
        Scenario::parse(&path.display().to_string(), &text_of(path)?)
    }

    /// Reads the file `name` from what gives its bytes.
    ///
    /// # Errors
    /// As for [`Scenario::load`].
    pub fn read(name: &str, bytes: impl Read) -> std::result::Result<Scenario<S>, ScenarioErrors> {
        Scenario::parse(name, &text_from(name, bytes)?)
    }

    /// The same scenario with `defect` switched on in place of those that the file names.
    #[must_use]
    pub fn with_defect(&self, defect: S::Defect) -> Scenario<S> {
        let config = S::with_defect(&self.without_defects, defect);
        let (defects, defect_from_outside) = (vec![defect], Some(defect));
        Scenario { config, defects, defect_from_outside, ..self.clone() }
    }

    /// The same scenario without the mistakes that are switched on.
    #[must_use]
    pub fn mended(&self) -> Scenario<S> {
        Scenario { config: self.without_defects.clone(), defects: Vec::new(), ..self.clone() }
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
}

/// What the file at `path` says.
///
/// # Errors
/// It cannot be read, is longer than [`LONGEST`] or is not UTF-8.
pub fn text_of(path: &Path) -> std::result::Result<String, ScenarioErrors> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| unread(&name, &error))?;
    if file.metadata().map_err(|error| unread(&name, &error))?.len() > LONGEST as u64 {
        return Err(too_long(&name).into());
    }
    text_from(&name, file)
}

/// What the file `name` says, read from what gives its bytes.
///
/// # Errors
/// As for [`text_of`].
pub fn text_from(name: &str, bytes: impl Read) -> std::result::Result<String, ScenarioErrors> {
    // Not all that can be read knows its length.
    let mut read = Vec::new();
    let most = LONGEST as u64 + 1;
    bytes.take(most).read_to_end(&mut read).map_err(|error| unread(name, &error))?;
    if read.len() > LONGEST {
        return Err(too_long(name).into());
    }
    String::from_utf8(read).map_err(|error| {
        let (valid, bytes) = (error.utf8_error().valid_up_to(), error.into_bytes());
        ScenarioError {
            line: Some(source::line_of(&bytes, valid)),
            ..ScenarioError::of_file(name, "not UTF-8")
        }
        .into()
    })
}

fn unread(name: &str, error: &io::Error) -> ScenarioError {
    ScenarioError::of_file(name, format!("not read: {error}"))
}

fn too_long(name: &str) -> ScenarioError {
    ScenarioError::of_file(name, format!("longer than {LONGEST} bytes, not read"))
}

fn read<S: UnderTest>(name: &str, root: &Table<'_>) -> Result<Scenario<S>> {
    let title = root.need("title", "a few words on what is shown").and_then(|value| value.line());
    let about = root.maybe("about", |value| value.string());
    let seeds = expect::seeds(root);
    let cluster = cluster::read::<S>(root);
    let swarm = swarm::read(root, &cluster);
    let named = named(&cluster, &swarm);
    let config = cluster.config.as_deref().map_err(|refused| *refused);
    let (safety, phases) = expect::phases::<S>(root, config);
    let safety = safety.unwrap_or(Span::from_nanos(u64::MAX));
    let safety = match &swarm {
        Ok(Some(swarm)) => swarm.shortest_safety(safety),
        Ok(None) | Err(_) => safety,
    };
    let drift = config.map(|config| S::drift_max_ppm(config));
    let network = environment::network(root, named);
    let disk = environment::disk(root);
    let clocks = environment::clocks::<S>(root, named, drift);
    let workload = S::read_workload(root, &cluster.lenient);
    let scripts = script::names(root);
    let names = Names { cast: named, scripts: slice(&scripts) };
    let script = script::read(root, names, safety);
    let faults = fault::read::<S>(root, names, &cluster.lenient, safety);
    let messages = message::read(root, names, safety);
    let syncs = sync::read(root, named);
    let chaos = chaos::read::<S>(root, named, &cluster.lenient);
    let expect = expect::expect(root, slice(&faults), slice(&script));
    let scenario = Scenario {
        file: name.to_owned(),
        title: title?.to_owned(),
        about: about?.unwrap_or_default().trim().to_owned(),
        seeds: seeds?,
        cast: cluster.cast?,
        config: cluster.config?,
        without_defects: cluster.without_defects?,
        defects: cluster.defects?,
        defect_from_outside: None,
        network: network?,
        disk: disk?,
        clocks: clocks?,
        workload: workload?,
        script: script?,
        faults: faults?,
        messages: messages?,
        syncs: syncs?,
        chaos: chaos?,
        swarm: swarm?,
        phases: phases?,
        expect: expect?,
    };
    // What follows looks at everything.
    root.is_sound()?;
    check_wipes(root, &scenario);
    check_aimed(root, &scenario);
    S::check(root, &scenario);
    possible::check(root, &scenario);
    if scenario.workload.is_none() && scenario.script.is_empty() {
        root.fault("nothing to do: expected `[workload]` or `[[script]]`");
    }
    Ok(scenario)
}

/// The machines that the file may name, as far as that was read.
fn named<S: UnderTest>(cluster: &Cluster<S>, swarm: &Result<Option<Swarm<S>>>) -> Named {
    match (cluster.cast, swarm) {
        (Ok(cast), Ok(Some(swarm))) => swarm.fewest(cast),
        (Ok(cast), Ok(None)) => Named::all(cast),
        (Ok(_), Err(_)) | (Err(_), _) => Named::unknown(),
    }
}

fn slice<T>(read: &Result<Vec<T>>) -> Result<&[T]> {
    read.as_deref().map_err(|refused| *refused)
}

/// Moments are named only where some seed aims a fault at one.
fn check_aimed<S: UnderTest>(root: &Table<'_>, scenario: &Scenario<S>) {
    let Some(chaos) = &scenario.chaos else { return };
    let is_aimed = chaos.aimed != Ppb::ZERO;
    let swarm = scenario.swarm.as_ref();
    chaos::check_moments(root, chaos, swarm.map_or(is_aimed, |swarm| swarm.may_aim(chaos.aimed)));
}

/// A drawn fault loses a disk only where some seed has a budget for that.
fn check_wipes<S: UnderTest>(root: &Table<'_>, scenario: &Scenario<S>) {
    let Some(chaos) = &scenario.chaos else { return };
    let wipes = chaos.budget.wipes;
    let may_wipe = scenario.swarm.as_ref().map_or(wipes > 0, |swarm| swarm.may_wipe(wipes));
    let place = chaos.kinds.iter().position(|kind| kind.loses_a_disk()).filter(|_| !may_wipe);
    let kinds = || root.get("chaos")?.inside("kinds");
    if let Some(value) = place.and_then(|place| kinds()?.item(place)) {
        value.error("can never strike: needs `chaos.budget.wipes`, at least 1");
    }
    S::Operator::check(root, chaos, &scenario.phases);
}
