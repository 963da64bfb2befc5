//! Defects planted on purpose, off by default, each tested at exactly one place in the protocols.
//!
//! A defect is a mistake that real systems have made. Switched on, it must be caught by an
//! invariant: that is how the invariants are known to see anything.

use std::fmt;
use std::str::FromStr;

macro_rules! defects {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal;)*) => {
        /// A named mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Defect {
            /// Every defect there is.
            pub const ALL: &[Defect] = &[$(Defect::$variant,)*];

            /// The name used in scenario files.
            pub fn name(self) -> &'static str {
                match self { $(Defect::$variant => $name,)* }
            }

            /// What goes wrong, in one line.
            pub fn summary(self) -> &'static str {
                match self { $(Defect::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }
        }
    };
}

defects! {
    /// a participant votes yes before its vote is durable, and forgets it in a crash
    VoteNotForced = "vote_not_forced";
    /// a coordinator announces a commit before its decision is durable
    DecisionNotForced = "decision_not_forced";
    /// a coordinator commits once every participant has executed, and looks at the results only
    /// afterwards
    JudgeAfterCommit = "judge_after_commit";
    /// a participant in doubt aborts on its own when it has waited long enough
    AbortWhileInDoubt = "abort_while_in_doubt";
    /// a participant restarts without pinning the paths it is in doubt about
    RecoveryWithoutPins = "recovery_without_pins";
    /// transaction ids leave out the incarnation, so a restarted coordinator reuses them
    TransactionIdReused = "transaction_id_reused";
    /// a coordinator forgets a commit when the first participant has acknowledged it
    ForgetCommitAfterFirstAck = "forget_commit_after_first_ack";
    /// a participant asked by another tells an abort that a crash can make it forget
    AbortToldBeforeItIsDurable = "abort_told_before_it_is_durable";
    /// a participant forgets an outcome as soon as it has acknowledged it
    OutcomeForgottenByParticipant = "outcome_forgotten_by_participant";
    /// a participant that only reads releases its pins when it votes
    ReadOnlyLeavesEarly = "read_only_leaves_early";
    /// the lock server sends a grant before it is durable
    GrantNotForced = "grant_not_forced";
    /// the lock server's token counter starts again at 1 after a restart
    TokenRestarts = "token_restarts";
    /// the lock server frees a lock without a look at the client and the token of the release
    ReleaseUnchecked = "release_unchecked";
    /// the lock server grants to a waiter that it has not heard of for longer than a lease
    DeadWaiterGranted = "dead_waiter_granted";
    /// a holder counts its lease from when the reply arrived instead of when it asked
    LeaseCountedFromTheReply = "lease_counted_from_the_reply";
    /// an owner forgets the highest token it has seen when it restarts
    FenceKeptInMemory = "fence_kept_in_memory";
    /// a new lock holder starts to work without raising the token at the owners first
    ClaimSkipped = "claim_skipped";
    /// a client retries under a new request id
    RetryUnderNewId = "retry_under_new_id";
    /// a client believes a refusal although an earlier attempt may still take effect
    LateRefusalBelieved = "late_refusal_believed";
    /// an owner says that a refusal is recorded before it is durable, and forgets it in a crash
    RefusalNotForced = "refusal_not_forced";
    /// a coordinator tells a client of a refusal before every owner has forced it
    RefusalToldTooEarly = "refusal_told_too_early";
    /// a checkpoint leaves out the aborts that a participant has promised
    CheckpointWithoutPromises = "checkpoint_without_promises";
    /// a checkpoint leaves out the refusals that are recorded for good
    CheckpointWithoutRefusals = "checkpoint_without_refusals";
    /// an owner forgets at a start what it has refused for good
    RefusalForgottenAtAStart = "refusal_forgotten_at_a_start";
    /// a checkpoint leaves out the tokens of claimed paths
    CheckpointWithoutFences = "checkpoint_without_fences";
    /// a checkpoint says that one transaction more is over than the coordinator has said
    CheckpointMarkTooHigh = "checkpoint_mark_too_high";
    /// a coordinator's low-water mark covers one transaction that is not over
    LowWaterTooHigh = "low_water_too_high";
    /// the lock server keeps a lock alive under a token that is over
    StaleKeepAliveAcknowledged = "stale_keep_alive_acknowledged";
    /// recovery skips a corrupt record below the durable mark instead of refusing to start
    CorruptRecordSkipped = "corrupt_record_skipped";
    /// a node whose membership lease has run out goes on to serve and vote
    LeaseIgnoredByEvictedNode = "lease_ignored_by_evicted_node";
    /// the centre activates a view although a member of the one before may still have a lease
    DeclaredGoneTooEarly = "declared_gone_too_early";
    /// the centre gives a node a lease before it has recorded that the node is in the epoch
    LeaseBeforeEntryIsRecorded = "lease_before_entry_is_recorded";
    /// a participant that has left the epoch in doubt takes an abort from another than the centre
    AbortTakenAfterLeaving = "abort_taken_after_leaving";
    /// a node hands over before the centre has recorded its report
    HandedOverBeforeTheReport = "handed_over_before_the_report";
    /// a participant reports what it is in doubt about and not what it has applied
    AppliedLeftOut = "applied_left_out";
    /// the centre acknowledges a report before that is durable, and forgets it in a crash
    ReportNotForced = "report_not_forced";
    /// the centre resolves a transaction before every participant has left the epoch or is lost
    ResolvedBeforeAllHaveLeft = "resolved_before_all_have_left";
    /// the centre aborts a transaction of a lost coordinator if a participant is lost too
    LostParticipantMeansAbort = "lost_participant_means_abort";
    /// owners take requests of any epoch
    EpochUnchecked = "epoch_unchecked";
    /// a node says that it has left an epoch before that is durable
    EpochNotForced = "epoch_not_forced";
    /// a new owner serves before it has pulled what it owns
    ServedBeforePulled = "served_before_pulled";
    /// an owner hands a path over although it is in doubt about a transaction on it
    HandedOverWhileInDoubt = "handed_over_while_in_doubt";
    /// a decision that comes after a hand-over changes what was pulled
    LateDecisionAppliedAfterPull = "late_decision_applied_after_pull";
    /// a node that returns keeps the files that it had instead of what it pulls
    ReturningNodeKeepsOldFiles = "returning_node_keeps_old_files";
    /// a new owner takes the owners before last for a source without a witness that nothing was
    /// committed since
    WitnessRuleSkipped = "witness_rule_skipped";
    /// a new owner begins a file again when all owners are lost, before the operator accepts that
    BeginsAgainUnasked = "begins_again_unasked";
    /// an owner that begins a file again keeps what it has of it
    KeepsWhatIsGivenUp = "keeps_what_is_given_up";
    /// the centre announces a view before the one before it is active
    ViewReplacedBeforeActive = "view_replaced_before_active";
    /// a node whose disk is gone is admitted under its old number
    WipedNodeKeepsItsName = "wiped_node_keeps_its_name";
    /// a hand-over leaves out the tokens of claimed paths
    FenceLeftBehind = "fence_left_behind";
    /// a hand-over leaves out the answers to requests
    AnswersLeftBehind = "answers_left_behind";
    /// a node takes a chunk of a pull that is over
    StaleChunkApplied = "stale_chunk_applied";
    /// an owner that has left an epoch drops its copies before the next one has settled
    CopiesDroppedTooEarly = "copies_dropped_too_early";
    /// a client answers every third request with unknown and tries nothing
    UnknownWithoutAnAttempt = "unknown_without_an_attempt";
    /// a storage node that has started again ignores clients
    ClientsIgnoredAfterARestart = "clients_ignored_after_a_restart";
    /// a storage node that has started again tells every client that it is not ready
    ClientsTurnedAwayAfterARestart = "clients_turned_away_after_a_restart";
    /// the lock server lets a holder keep its lock for as long as a waiter keeps its place
    SilentHolderKept = "silent_holder_kept";
    /// a client goes on holding a lock when its lease is over
    LeaseEndIgnored = "lease_end_ignored";
    /// a client makes every attempt at the same owner
    RetriesAskOneOwner = "retries_ask_one_owner";
    /// the lock server acknowledges a release and keeps the lock
    ReleaseIgnored = "release_ignored";
    /// a coordinator takes no acknowledgement of its decisions
    AcknowledgementIgnored = "acknowledgement_ignored";
    /// points in one place of the ring stand in the order in which each machine has met them
    TieBrokenByJoinOrder = "tie_broken_by_join_order";
    /// an owner lets a create replace the file that is there
    CreateOverwrites = "create_overwrites";
    /// a coordinator forgets the contents of the file that it moves
    RenameLosesContents = "rename_loses_contents";
    /// an owner keeps the source of a rename
    RenameLeavesItsSource = "rename_leaves_its_source";
    /// an owner answers plain reads without the last byte
    ReadCutShort = "read_cut_short";
    /// a coordinator refuses every third request of a client without a look at the files
    RefusedWithoutALook = "refused_without_a_look";
    /// the lock server refuses the request with the lowest number that a client waits for
    FreeLockRefused = "free_lock_refused";
    /// a participant acknowledges a commit and stores nothing of it until it restarts
    CommitNotApplied = "commit_not_applied";
    /// an owner acknowledges a claim and leaves the fence where it is
    ClaimRaisesNoFence = "claim_raises_no_fence";
    /// a participant refuses an attempt that is to wait for a younger one
    WaitRefused = "wait_refused";
    /// an owner lets an attempt wait for one that is older
    WaitsForOlderOnes = "waits_for_older_ones";
    /// the central node ignores that a node is to join
    JoinIgnored = "join_ignored";
    /// a participant keeps every outcome, whatever the coordinator's low-water mark
    OutcomesKept = "outcomes_kept";
    /// an owner with a full disk takes changes all the same
    FullDiskIgnored = "full_disk_ignored";
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no defect has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown defect `{0}`")]
pub struct UnknownDefect(pub String);

impl FromStr for Defect {
    type Err = UnknownDefect;
    fn from_str(name: &str) -> Result<Defect, UnknownDefect> {
        let known = Defect::ALL.iter().copied().find(|d| d.name() == name);
        known.ok_or_else(|| UnknownDefect(name.to_owned()))
    }
}

/// A set of defects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Defects(u128);

impl Defects {
    /// No defect: the system as it should be.
    pub const NONE: Defects = Defects(0);

    /// Is `defect` switched on?
    pub fn has(self, defect: Defect) -> bool {
        self.0 & 1 << defect as u32 != 0
    }

    /// This set and `defect`.
    #[must_use]
    pub fn with(self, defect: Defect) -> Defects {
        Defects(self.0 | 1 << defect as u32)
    }

    /// Is nothing switched on?
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The defects in the set.
    pub fn iter(self) -> impl Iterator<Item = Defect> {
        Defect::ALL.iter().copied().filter(move |d| self.has(*d))
    }
}

impl FromIterator<Defect> for Defects {
    fn from_iter<I: IntoIterator<Item = Defect>>(defects: I) -> Defects {
        defects.into_iter().fold(Defects::NONE, Defects::with)
    }
}
