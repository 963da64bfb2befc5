//! Membership, between the centre and all others; and what it decides when a disk is lost.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Open, Verdict};
use crate::machine::{Incarnation, Time};
use crate::proto::{Admission, Epoch, Lost, Member, TxnId, View};

/// From a storage node or a client to the centre.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ToCentre {
    /// A participant that has left the epoch in doubt asks the centre.
    Resolve {
        /// Under which admission.
        admission: Admission,
        /// Which transaction.
        txn: TxnId,
        /// The epoch that it was for.
        epoch: Epoch,
        /// The participants, without the coordinator.
        participants: Arc<[Member]>,
    },
    /// A storage node with an empty log asks to be admitted.
    Admit {
        /// In which life it asks.
        incarnation: Incarnation,
    },
    /// A storage node is up. Until a heartbeat of this life is answered it is sent once the
    /// admission is durable; after that at once, because it promises nothing.
    Heartbeat {
        /// Under which admission.
        admission: Admission,
        /// In which life.
        incarnation: Incarnation,
        /// The newest view that this life has heard of: the one that it is in.
        known: Epoch,
        /// When this was sent, by the node's clock; the answer names it.
        asked: Time,
        /// When the newest heartbeat of this life that was answered was sent, by that clock.
        answered: Option<Time>,
    },
    /// A storage node has left every epoch before this one.
    Entered {
        /// Under which admission.
        admission: Admission,
        /// The epoch.
        epoch: Epoch,
        /// The transactions of the epochs before that are open at it.
        open: Arc<[Open]>,
    },
    /// A storage node is complete in all that it owns.
    Completed {
        /// Under which admission.
        admission: Admission,
        /// In which epoch.
        epoch: Epoch,
    },
    /// A node that is no member any more is needed for nothing.
    Departed {
        /// Under which admission.
        admission: Admission,
        /// In which epoch.
        epoch: Epoch,
    },
    /// A client wants to hear of every view after this one.
    Watch {
        /// The view that it knows.
        known: Epoch,
    },
}

/// From the centre to a storage node.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FromCentre {
    /// How the transaction ends.
    Resolved {
        /// Under which admission it was asked.
        admission: Admission,
        /// Which transaction.
        txn: TxnId,
        /// The centre's word.
        verdict: Verdict,
    },
    /// The number that the centre gives it.
    Admitted {
        /// The life that asked.
        incarnation: Incarnation,
        /// The number.
        admission: Admission,
    },
    /// The membership lease.
    Alive {
        /// The life whose heartbeat this answers.
        incarnation: Incarnation,
        /// That heartbeat, by when it was sent.
        asked: Time,
        /// The epoch for which the lease is.
        epoch: Epoch,
        /// The last epoch that has settled.
        settled: Epoch,
        /// The lost members of the views since the last that has settled, as far as the centre
        /// knows.
        lost: Arc<[Lost]>,
    },
    /// The centre has durably recorded the `Entered`: before, it gives the node no lease for that
    /// epoch.
    Noted {
        /// Under which admission.
        admission: Admission,
        /// The epoch.
        epoch: Epoch,
    },
}

/// Views: to storage nodes all since the last that has settled, to clients the one in force.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Views {
    /// The heartbeat that this answers: its life, and when it was sent by that life's clock.
    pub asked: Option<(Incarnation, Time)>,
    /// In the order of their epochs.
    pub views: Arc<[View]>,
    /// The last epoch that has settled.
    pub settled: Epoch,
    /// The members of these views that are lost, as far as the centre knows.
    pub lost: Arc<[Lost]>,
}
