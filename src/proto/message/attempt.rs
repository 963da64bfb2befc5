//! A client's attempt at a request about files, and how it ended.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Session;
use crate::machine::RequestId;
use crate::proto::{Age, AttemptEnd, Epoch, Operation, Path};

/// From a client to a storage node: an attempt at a request about files.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileRequest {
    /// A client's attempt at a request that changes files or reads several.
    Begin {
        /// Its place in the session; the node acts on each place once.
        session: Session,
        /// The epoch of the client's view.
        epoch: Epoch,
        /// Which request.
        request: RequestId,
        /// Which attempt at it, from 1.
        attempt: u32,
        /// The lowest request number that the client still waits for.
        lowest: u32,
        /// The age of the request.
        age: Age,
        /// What to do.
        operations: Arc<[Operation]>,
    },
    /// A client's attempt at reading one file, which needs no transaction.
    Read {
        /// The epoch of the client's view.
        epoch: Epoch,
        /// Which request.
        request: RequestId,
        /// Which attempt at it, from 1.
        attempt: u32,
        /// The file.
        path: Path,
    },
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ended {
    /// Which request.
    pub request: RequestId,
    /// Which attempt at it.
    pub attempt: u32,
    /// How.
    pub end: AttemptEnd,
}
