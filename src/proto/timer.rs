//! What a machine of the file service is woken for.

use super::{Path, TxnId};

/// What a machine wants to be woken for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// Any machine: say what a restarted machine has to say.
    Start,
    /// Coordinator: stop collecting what has not arrived.
    Collect(TxnId),
    /// Coordinator: send the decision again to participants that have not acknowledged.
    Resend(TxnId),
    /// Participant: the coordinator of a transaction that is ready has gone quiet.
    Ready(TxnId),
    /// Participant: ask for the outcome of a transaction in doubt.
    Inquire(TxnId),
    /// Lock server: the lease of a holder or waiter runs out.
    Lease(Path),
    /// Centre: the lease of a member runs out, or the first members have had their time to come.
    Members,
    /// Storage: ask to be admitted, or send a heartbeat.
    Heartbeat,
    /// Storage: ask for the next chunk, or another source.
    Pull,
    /// Client: this attempt at a request gets no answer, or it is time for the next.
    Attempt(u32),
    /// Client: stop trying.
    GiveUp(u32),
    /// Client: keep a lock or a place in line alive.
    KeepAlive(Path),
    /// Client: the lease of a lock is over.
    LeaseEnd(Path),
}
