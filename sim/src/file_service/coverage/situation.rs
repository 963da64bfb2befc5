//! What a run can get into with more than one machine, or more than one fault, in it.

/// What a situation takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A fault of a storage node that takes it away for some time.
    AwayFault,
    /// A disk that is lost.
    LostDisk,
    /// A disk that is lost although no other may have what is on it.
    LastCopy,
    /// A machine that crashes.
    Crash,
    /// `membership = "managed"`.
    Managed,
}

macro_rules! situations {
    ($($(#[doc = $doc:literal])* $situation:ident = $name:literal, $takes:ident;)*) => {
        crate::names! {
            /// Something that a run can get into.
            pub enum Situation {
                $($(#[doc = $doc])* $situation = $name,)*
            }
        }

        impl Situation {
            /// What it takes.
            pub fn takes(self) -> Takes {
                match self { $(Situation::$situation => Takes::$takes,)* }
            }
        }
    };
}

situations! {
    /// a storage node is down, paused or cut off, or its disk stalls
    NodeAway = "node_away", AwayFault;
    /// a node or the central node crashes while another of them is down
    CrashBesideAnother = "crash_beside_another", Crash;
    /// a node in doubt loses its disk
    WipeInDoubt = "wipe_in_doubt", LostDisk;
    /// a node loses its disk while it asks for files or is asked for files in a hand-over
    WipeInHandOver = "wipe_in_hand_over", LostDisk;
    /// a node loses its disk, and with it the last copy of a file
    LastCopyLost = "last_copy_lost", LastCopy;
    /// a participant in doubt asks the centre about a transaction whose coordinator's disk is gone
    Orphaned = "orphaned", LostDisk;
    /// a view is announced while one before it has not settled
    ViewOverUnsettled = "view_over_unsettled", Managed;
}
