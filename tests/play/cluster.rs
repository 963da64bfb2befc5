//! The first line of a play: its cluster.

use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::{CommitMode, Config, Membership, Settings};
use seedbed_sim::file_service::{Stage, World};

use super::Told;
use super::parse::{number, span, unknown};
use super::scribe::Scribe;

pub struct Cluster {
    pub config: Arc<Config>,
    pub spare: u16,
    pub clients: u16,
}

const SETTINGS: [&str; 10] = [
    "nodes",
    "replicas",
    "clients",
    "spare",
    "virtual_nodes",
    "chunk_paths",
    "membership",
    "membership_lease",
    "commit",
    "lock_lease",
];

/// The cluster that pairs of words describe.
pub fn cluster(options: &[&str]) -> Told<Cluster> {
    let mut settings = Settings { replicas: 1, ..Settings::default() };
    let (mut clients, mut spare) = (1, 0);
    for option in options.chunks(2) {
        let [key, value] = option else { return Err(format!("`{}` has no value", option[0])) };
        match *key {
            "nodes" => settings.members = (1..=number(value)?).map(NodeId::node).collect(),
            "replicas" => settings.replicas = number(value)?,
            "clients" => clients = number(value)?,
            "spare" => spare = number(value)?,
            "virtual_nodes" => settings.virtual_nodes = number(value)?,
            "chunk_paths" => settings.chunk_paths = number(value)?,
            "membership" => settings.membership = membership(value)?,
            "membership_lease" => settings.membership_lease = span(value)?,
            "commit" => settings.commit = commit(value)?,
            "lock_lease" => settings.lock_lease = span(value)?,
            _ => return Err(unknown("setting", key, SETTINGS)),
        }
    }
    let config = Config::new(settings).map_err(|error| error.to_string())?;
    Ok(Cluster { config, spare, clients })
}

fn membership(text: &str) -> Told<Membership> {
    match text {
        "fixed" => Ok(Membership::Fixed),
        "managed" => Ok(Membership::Managed),
        _ => Err(format!("expected `fixed` or `managed`, found `{text}`")),
    }
}

fn commit(text: &str) -> Told<CommitMode> {
    match text {
        "staged" => Ok(CommitMode::Staged),
        "two_phase" => Ok(CommitMode::TwoPhase),
        _ => Err(format!("expected `staged` or `two_phase`, found `{text}`")),
    }
}

/// All are up, except spare nodes, and the first view has settled; none of that is written down.
pub fn started(config: Arc<Config>, spare: u16, clients: u16, scribe: Scribe) -> Stage<Scribe> {
    let mut stage = Stage::new(World::with_spare(config, spare, clients), scribe);
    stage.start_all();
    stage.settle();
    stage.watcher.text.clear();
    stage
}
