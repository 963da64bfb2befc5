//! Locks, between clients and the lock server.

use serde::{Deserialize, Serialize};

use super::Keep;
use crate::machine::{RequestId, Span, Time};
use crate::proto::{Path, Refusal, Token};

/// From a client to the lock server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LockRequest {
    /// Asks for a lock.
    Acquire {
        /// Which request.
        request: RequestId,
        /// The lowest request number that the client still waits for.
        lowest: u32,
        /// The path whose lock it is.
        path: Path,
        /// Wait in line, or be refused if it is held.
        wait: bool,
        /// When this was sent, by the client's clock; a grant names it.
        asked: Time,
    },
    /// Keeps a place in line or a lock.
    KeepAlive {
        /// The path whose lock it is.
        path: Path,
        /// What to keep.
        keep: Keep,
        /// When this was sent, by the client's clock; the answer names it.
        asked: Time,
    },
    /// Gives a lock back.
    Release {
        /// Which request.
        request: RequestId,
        /// The path whose lock it is.
        path: Path,
        /// The token of the grant.
        token: Token,
    },
}

/// From the lock server to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LockAnswer {
    /// The lock is granted.
    Granted {
        /// To which request.
        request: RequestId,
        /// The path whose lock it is.
        path: Path,
        /// The fencing token.
        token: Token,
        /// The newest message from which the holder counts its lease, by when it was sent.
        asked: Time,
        /// How long the lease is.
        lease: Span,
    },
    /// The lock is kept.
    KeptAlive {
        /// The path whose lock it is.
        path: Path,
        /// Under which token.
        token: Token,
        /// The keep-alive that this answers, by when it was sent.
        asked: Time,
        /// How long the lease is.
        lease: Span,
    },
    /// The server knows nothing of what the client wants to keep.
    NotKept {
        /// The path whose lock it is.
        path: Path,
        /// What is not kept.
        keep: Keep,
    },
    /// The lock is not granted and will not be.
    LockRefused {
        /// To which request.
        request: RequestId,
        /// The path whose lock it is.
        path: Path,
        /// Why.
        refusal: Refusal,
    },
    /// The lock is not held under the token any more.
    Released {
        /// Which request.
        request: RequestId,
        /// The path whose lock it was.
        path: Path,
    },
}
