//! Every message there is, by sender and receiver.
//!
//! | from, to | messages |
//! |---|---|
//! | client, storage node | `Begin`, `Read` -> `Ended` |
//! | coordinator, participant | `Prepare` -> `Ready`, `Execute` -> `Executed`, `Commit` -> `Committed`, `Abort`, `Decline` -> `Declined` |
//! | coordinator, owner | `Fetch` -> `Fetched` (the source of a rename) |
//! | participant in doubt, anyone who took part | `Inquire` -> `Told` |
//! | participant in doubt that has left the epoch, centre | `Resolve` -> `Resolved` |
//! | storage node, centre | `Admit` -> `Admitted`; `Heartbeat` -> `Alive`; `Entered` -> `Noted`; `Completed`, `Departed` |
//! | centre, storage nodes and clients | `Views`; a client asks with `Watch` |
//! | new owner, owner of an earlier epoch | `Pull` -> `Chunk` |
//! | client, lock server | `Acquire` -> `Granted`, `LockRefused`; `KeepAlive` -> `KeptAlive`, `NotKept`; `Release` -> `Released` |

mod parts;

pub use parts::{
    Handed, Header, Keep, Known, LowWater, No, Open, PullEnd, Results, Session, Terms, Verdict,
    Vote, Work,
};
pub use table::{Message, MessageKind};

macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident $name:literal to [$($class:ident),+] { $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })*) => {
        /// A message.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Message {
            $($(#[$doc])* $variant { $($(#[$fdoc])* $field: $type,)* },)*
        }

        /// What kind of message one is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageKind {
            $($(#[$doc])* $variant,)*
        }

        impl Message {
            /// Which kind it is.
            pub fn kind(&self) -> MessageKind {
                match self { $(Message::$variant { .. } => MessageKind::$variant,)* }
            }
        }

        impl MessageKind {
            /// Every kind there is.
            pub const ALL: &[MessageKind] = &[$(MessageKind::$variant,)*];

            /// The name used in scenario files and traces.
            pub fn name(self) -> &'static str {
                match self { $(MessageKind::$variant => $name,)* }
            }

            /// Is it a message to machines of this role?
            pub fn is_to(self, class: Class) -> bool {
                match self { $(MessageKind::$variant => matches!(class, $(Class::$class)|+),)* }
            }
        }
    };
}

mod table;
