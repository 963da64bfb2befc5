//! Reasons of a refusal by name: what a file may expect and a sweep may count.

use seedbed::proto::Refusal;

use crate::name::Name;

macro_rules! reasons {
    ($($reason:ident = $name:literal, $refusal:pat,)*) => {
        /// Reasons of a refusal, without what each says beside it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)]
        pub enum Reason { $($reason,)* }

        impl Name for Reason {
            const ALL: &'static [Reason] = &[$(Reason::$reason,)*];

            fn name(self) -> &'static str {
                match self { $(Reason::$reason => $name,)* }
            }
        }

        impl Reason {
            /// The reason of a refusal; `None` for one that no user is told.
            pub fn of(refusal: Refusal) -> Option<Reason> {
                match refusal {
                    $($refusal => Some(Reason::$reason),)*
                    Refusal::Forgotten => None,
                }
            }
        }
    };
}

reasons! {
    NotFound = "not_found", Refusal::NotFound,
    Exists = "exists", Refusal::Exists,
    VersionIs = "version_is", Refusal::VersionIs(_),
    Fenced = "fenced", Refusal::Fenced(_),
    Held = "held", Refusal::Held,
    NotHeld = "not_held", Refusal::NotHeld,
    QueueFull = "queue_full", Refusal::QueueFull,
    PathTooLong = "path_too_long", Refusal::PathTooLong,
    ContentsTooLong = "contents_too_long", Refusal::ContentsTooLong,
    BadOperationCount = "bad_operation_count", Refusal::BadOperationCount,
    Malformed = "malformed", Refusal::Malformed,
    DiskFull = "disk_full", Refusal::DiskFull,
}
