//! Hand-overs, between a new owner and one of an earlier epoch.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Handed, PullEnd};
use crate::machine::Incarnation;
use crate::proto::{Admission, Arcs, Epoch, File, Path};

/// Asks an owner of an earlier epoch for what it has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Pull {
    /// The epoch in which both are.
    pub epoch: Epoch,
    /// Which pull of the asker's life.
    pub pull: u32,
    /// In which life of the asker.
    pub incarnation: Incarnation,
    /// The earlier epoch.
    pub level: Epoch,
    /// Which admission of the node that is asked was an owner then.
    pub owner: Admission,
    /// Where.
    pub arcs: Arcs,
    /// Paths up to here have been handed over.
    pub after: Option<Path>,
}

/// A part of what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Chunk {
    /// The epoch in which both are.
    pub epoch: Epoch,
    /// Which pull.
    pub pull: u32,
    /// In which life of the asker.
    pub incarnation: Incarnation,
    /// Paths up to here had been handed over before.
    pub after: Option<Path>,
    /// The paths, in order.
    pub files: Arc<[(Path, File)]>,
    /// Where paths are left out, because the owner is in doubt about them.
    pub doubtful: Arcs,
    /// With the last chunk: all that the owner knows of requests.
    pub answers: Arc<[Handed]>,
    /// With the last chunk: what the pull comes to.
    pub end: Option<PullEnd>,
}
