//! What a machine can take part in when a fault strikes it, with its role in it.

use seedbed::machine::Class;

/// What a phase takes beside a machine of the right role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A request that renames a file.
    Rename,
    /// `commit = "staged"`.
    Staged,
    /// A request that acquires a lock.
    Lock,
    /// `membership = "managed"`.
    Managed,
    /// `membership = "managed"`, and a disk that is lost.
    LostDisk,
}

macro_rules! phases {
    ($($(#[doc = $doc:literal])* $phase:ident = $name:literal, $needs:ident, [$($role:ident),+];)*) => {
        crate::names! {
            /// Something that a machine takes part in.
            pub enum Phase {
                $($(#[doc = $doc])* $phase = $name,)*
            }
        }

        impl Phase {
            /// The roles of the machines that can be in it.
            pub fn roles(self) -> &'static [Class] {
                match self { $(Phase::$phase => &[$(Class::$role),+],)* }
            }

            /// What it takes beside such a machine.
            pub fn needs(self) -> Needs {
                match self { $(Phase::$phase => Needs::$needs,)* }
            }
        }
    };
}

phases! {
    /// coordinator: fetches the source of a rename, and no participant has heard of the transaction
    CoordinatorFetching = "coordinator_fetching", Rename, [Node];
    /// coordinator: participants are to pin, and not all are ready
    CoordinatorPreparing = "coordinator_preparing", Staged, [Node];
    /// coordinator: collects votes
    CoordinatorVoting = "coordinator_voting", Nothing, [Node];
    /// coordinator: the decision is appended and not durable
    CoordinatorDeciding = "coordinator_deciding", Nothing, [Node];
    /// coordinator: the decision is durable, and not all have acknowledged
    CoordinatorCommitting = "coordinator_committing", Nothing, [Node];
    /// participant: has said that it is ready, and has not voted
    ParticipantReady = "participant_ready", Staged, [Node];
    /// participant: the yes is appended and not durable
    ParticipantVoting = "participant_voting", Nothing, [Node];
    /// participant: the yes is durable, and the decision is not learnt
    ParticipantInDoubt = "participant_in_doubt", Nothing, [Node];
    /// participant: in doubt, and the disk of the coordinator is gone
    ParticipantOrphaned = "participant_orphaned", LostDisk, [Node];
    /// participant: the outcome is appended and not durable
    ParticipantApplying = "participant_applying", Nothing, [Node];
    /// client: has asked for a lock and has no grant
    ClientWaiting = "client_waiting", Lock, [Client];
    /// client: has the grant, and its claim is not committed
    ClientClaiming = "client_claiming", Lock, [Client];
    /// client: holds a lock
    ClientHolding = "client_holding", Lock, [Client];
    /// client: any other request is not answered
    ClientAsking = "client_asking", Nothing, [Client];
    /// lock server: a grant is appended and not durable
    LockServerGranting = "lock_server_granting", Lock, [Control];
    /// lock server: requests stand in line
    LockServerLine = "lock_server_line", Lock, [Control];
    /// receiver of a hand-over: has asked, and nothing is on its way to it
    ReceiverAsking = "receiver_asking", Managed, [Node];
    /// receiver of a hand-over: a chunk is on its way to it
    ReceiverChunk = "receiver_chunk_in_flight", Managed, [Node];
    /// source of a hand-over: is asked, and has not handed over all
    Source = "source", Managed, [Node];
    /// centre: a view is announced and not active
    CentreAnnounced = "centre_view_announced", Managed, [Control];
    /// centre: the newest view is active and not settled
    CentreActive = "centre_view_active", Managed, [Control];
    /// member of a view that has not settled, and of the last one that has
    MemberUnsettled = "member_view_unsettled", Managed, [Node];
    /// member of a view that has not settled, and not of the last one that has
    Joiner = "joiner", Managed, [Node];
    /// member of a view since the last that has settled, and not of the newest
    Leaver = "leaver", Managed, [Node];
    /// disk: a sync is under way
    DiskSyncing = "disk_syncing", Nothing, [Control, Node];
    /// disk: a checkpoint is being written
    DiskCheckpointing = "disk_checkpointing", Nothing, [Control, Node];
    /// has started again, 1 s ago at most
    JustRecovered = "just_recovered", Nothing, [Control, Node, Client];
    /// takes part in none of these
    Idle = "idle", Nothing, [Control, Node, Client];
}
