//! Every message there is, by sender and receiver.
//!
//! | from, to | messages |
//! |---|---|
//! | client, storage node | `Begin`, `Read` -> `Ended` |
//! | coordinator, participant | `Prepare` -> `Ready`, `Execute` -> `Executed`, `Commit` -> `Committed`, `Abort`, `Decline` -> `Declined` |
//! | coordinator, owner | `Fetch` -> `Fetched` (the source of a rename) |
//! | participant in doubt, every node that took part | `Inquire` -> `Told` |
//! | participant in doubt that has left the epoch, centre | `Resolve` -> `Resolved` |
//! | storage node, centre | `Admit` -> `Admitted`; `Heartbeat` -> `Alive`; `Entered` -> `Noted`; `Completed`, `Departed` |
//! | centre, storage nodes and clients | `Views`; a client asks with `Watch` |
//! | new owner, owner of an earlier epoch | `Pull` -> `Chunk` |
//! | client, lock server | `Acquire` -> `Granted`, `LockRefused`; `KeepAlive` -> `KeptAlive`, `NotKept`; `Release` -> `Released` |

mod attempt;
mod handover;
mod kind;
mod lock;
mod membership;
mod parts;
mod txn;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use attempt::{Ended, FileRequest};
pub use handover::{Chunk, Pull};
pub use kind::MessageKind;
pub use lock::{LockAnswer, LockRequest};
pub use membership::{FromCentre, ToCentre, Views};
pub use parts::{
    Handed, Header, Keep, Known, LowWater, No, Open, PullEnd, Results, Session, Terms, Verdict,
    Vote, Work,
};
pub use txn::TxnMessage;

macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident($type:ty),)*) => {
        /// A message. There is one variant for each pair of roles, such as client and lock server,
        /// so each part of a machine matches only the messages that are meant for it.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Message {
            $($(#[$doc])* $variant($type),)*
        }

        $(
            impl From<$type> for Message {
                fn from(message: $type) -> Message {
                    Message::$variant(message)
                }
            }

            impl From<$type> for Arc<Message> {
                fn from(message: $type) -> Arc<Message> {
                    Arc::new(message.into())
                }
            }
        )*
    };
}

messages! {
    /// Client to storage node: an attempt at a request about files.
    FileRequest(FileRequest),
    /// Storage node to client: how the attempt ended.
    Ended(Ended),
    /// Between storage nodes: two-phase commit.
    Txn(TxnMessage),
    /// Client to lock server.
    LockRequest(LockRequest),
    /// Lock server to client.
    LockAnswer(LockAnswer),
    /// Storage node or client to centre.
    ToCentre(ToCentre),
    /// Centre to storage node.
    FromCentre(FromCentre),
    /// Centre to storage node or client.
    Views(Views),
    /// New owner to owner of an earlier epoch.
    Pull(Pull),
    /// Owner of an earlier epoch to new owner.
    Chunk(Chunk),
}
