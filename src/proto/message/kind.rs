//! The kinds of message and their names.

use super::{
    Chunk, Ended, FileRequest, FromCentre, LockAnswer, LockRequest, Message, Pull, ToCentre,
    TxnMessage, Views,
};

macro_rules! kinds {
    ($($kind:ident $name:literal in $group:ident($message:path),)*) => {
        /// What kind of message one is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum MessageKind {
            $(#[doc = concat!("The kind of [`", stringify!($message), "`].")] $kind,)*
        }

        impl Message {
            /// Which kind it is.
            #[inline] // asked of each message several times a step, in another crate
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
        }
    };
}

kinds! {
    Begin "begin" in FileRequest(FileRequest::Begin),
    Read "read" in FileRequest(FileRequest::Read),
    Ended "ended" in Ended(Ended),
    Fetch "fetch" in Txn(TxnMessage::Fetch),
    Fetched "fetched" in Txn(TxnMessage::Fetched),
    Prepare "prepare" in Txn(TxnMessage::Prepare),
    Ready "ready" in Txn(TxnMessage::Ready),
    Execute "execute" in Txn(TxnMessage::Execute),
    Executed "executed" in Txn(TxnMessage::Executed),
    Commit "commit" in Txn(TxnMessage::Commit),
    Committed "committed" in Txn(TxnMessage::Committed),
    Abort "abort" in Txn(TxnMessage::Abort),
    Decline "decline" in Txn(TxnMessage::Decline),
    Declined "declined" in Txn(TxnMessage::Declined),
    Inquire "inquire" in Txn(TxnMessage::Inquire),
    Told "told" in Txn(TxnMessage::Told),
    Resolve "resolve" in ToCentre(ToCentre::Resolve),
    Resolved "resolved" in FromCentre(FromCentre::Resolved),
    Acquire "acquire" in LockRequest(LockRequest::Acquire),
    KeepAlive "keep_alive" in LockRequest(LockRequest::KeepAlive),
    Release "release" in LockRequest(LockRequest::Release),
    Granted "granted" in LockAnswer(LockAnswer::Granted),
    KeptAlive "kept_alive" in LockAnswer(LockAnswer::KeptAlive),
    NotKept "not_kept" in LockAnswer(LockAnswer::NotKept),
    LockRefused "lock_refused" in LockAnswer(LockAnswer::LockRefused),
    Released "released" in LockAnswer(LockAnswer::Released),
    Admit "admit" in ToCentre(ToCentre::Admit),
    Admitted "admitted" in FromCentre(FromCentre::Admitted),
    Heartbeat "heartbeat" in ToCentre(ToCentre::Heartbeat),
    Alive "alive" in FromCentre(FromCentre::Alive),
    Entered "entered" in ToCentre(ToCentre::Entered),
    Noted "noted" in FromCentre(FromCentre::Noted),
    Completed "completed" in ToCentre(ToCentre::Completed),
    Departed "departed" in ToCentre(ToCentre::Departed),
    Watch "watch" in ToCentre(ToCentre::Watch),
    Views "views" in Views(Views),
    Pull "pull" in Pull(Pull),
    Chunk "chunk" in Chunk(Chunk),
}
