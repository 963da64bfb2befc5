//! The kinds of message, with their names and who takes them.

use super::{
    Chunk, Ended, FileRequest, FromCentre, LockAnswer, LockRequest, Message, Pull, ToCentre,
    TxnMessage, Views,
};
use crate::machine::Class;

macro_rules! kinds {
    ($($kind:ident $name:literal to [$($class:ident),+] in $group:ident($message:path),)*) => {
        /// What kind of message one is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageKind {
            $(#[doc = concat!("The kind of [`", stringify!($message), "`].")] $kind,)*
        }

        impl Message {
            /// Which kind it is.
            pub fn kind(&self) -> MessageKind {
                match self { $(Message::$group($message { .. }) => MessageKind::$kind,)* }
            }
        }

        impl MessageKind {
            /// Every kind there is.
            pub const ALL: &[MessageKind] = &[$(MessageKind::$kind,)*];

            /// The name used in scenario files and traces.
            pub fn name(self) -> &'static str {
                match self { $(MessageKind::$kind => $name,)* }
            }

            /// Is it a message to machines of this role?
            pub fn is_to(self, class: Class) -> bool {
                match self { $(MessageKind::$kind => matches!(class, $(Class::$class)|+),)* }
            }
        }
    };
}

kinds! {
    Begin "begin" to [Node] in FileRequest(FileRequest::Begin),
    Read "read" to [Node] in FileRequest(FileRequest::Read),
    Ended "ended" to [Client] in Ended(Ended),
    Fetch "fetch" to [Node] in Txn(TxnMessage::Fetch),
    Fetched "fetched" to [Node] in Txn(TxnMessage::Fetched),
    Prepare "prepare" to [Node] in Txn(TxnMessage::Prepare),
    Ready "ready" to [Node] in Txn(TxnMessage::Ready),
    Execute "execute" to [Node] in Txn(TxnMessage::Execute),
    Executed "executed" to [Node] in Txn(TxnMessage::Executed),
    Commit "commit" to [Node] in Txn(TxnMessage::Commit),
    Committed "committed" to [Node] in Txn(TxnMessage::Committed),
    Abort "abort" to [Node] in Txn(TxnMessage::Abort),
    Decline "decline" to [Node] in Txn(TxnMessage::Decline),
    Declined "declined" to [Node] in Txn(TxnMessage::Declined),
    Inquire "inquire" to [Node] in Txn(TxnMessage::Inquire),
    Told "told" to [Node] in Txn(TxnMessage::Told),
    Resolve "resolve" to [Control] in ToCentre(ToCentre::Resolve),
    Resolved "resolved" to [Node] in FromCentre(FromCentre::Resolved),
    Acquire "acquire" to [Control] in LockRequest(LockRequest::Acquire),
    KeepAlive "keep_alive" to [Control] in LockRequest(LockRequest::KeepAlive),
    Release "release" to [Control] in LockRequest(LockRequest::Release),
    Granted "granted" to [Client] in LockAnswer(LockAnswer::Granted),
    KeptAlive "kept_alive" to [Client] in LockAnswer(LockAnswer::KeptAlive),
    NotKept "not_kept" to [Client] in LockAnswer(LockAnswer::NotKept),
    LockRefused "lock_refused" to [Client] in LockAnswer(LockAnswer::LockRefused),
    Released "released" to [Client] in LockAnswer(LockAnswer::Released),
    Admit "admit" to [Control] in ToCentre(ToCentre::Admit),
    Admitted "admitted" to [Node] in FromCentre(FromCentre::Admitted),
    Heartbeat "heartbeat" to [Control] in ToCentre(ToCentre::Heartbeat),
    Alive "alive" to [Node] in FromCentre(FromCentre::Alive),
    Entered "entered" to [Control] in ToCentre(ToCentre::Entered),
    Noted "noted" to [Node] in FromCentre(FromCentre::Noted),
    Completed "completed" to [Control] in ToCentre(ToCentre::Completed),
    Departed "departed" to [Control] in ToCentre(ToCentre::Departed),
    Watch "watch" to [Control] in ToCentre(ToCentre::Watch),
    Views "views" to [Node, Client] in Views(Views),
    Pull "pull" to [Node] in Pull(Pull),
    Chunk "chunk" to [Node] in Chunk(Chunk),
}
