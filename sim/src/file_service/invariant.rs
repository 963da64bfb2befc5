//! The invariants of the file service by name.
//!
//! What each of them looks at stands in `oracle/invariants`, whose registry binds a name to its
//! checker.

use seedbed::proto::FileService;

use crate::invariant::{self, ListedInvariant};
use crate::name::Name;

/// The name of an invariant that a run of the file service is judged by.
pub type InvariantName = invariant::InvariantName<FileService>;

macro_rules! invariants {
    ($($variant:ident = $name:literal, $summary:literal, $source:literal, $harm:literal;)*) => {
        /// An invariant of the file service, in the order in which they are judged.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FileInvariant {
            $(#[doc = $summary] $variant,)*
        }

        impl Name for FileInvariant {
            const ALL: &'static [FileInvariant] = &[$(FileInvariant::$variant,)*];

            fn name(self) -> &'static str {
                match self { $(FileInvariant::$variant => $name,)* }
            }

            fn summary(self) -> &'static str {
                match self { $(FileInvariant::$variant => $summary,)* }
            }

            fn index(self) -> usize {
                self as usize
            }
        }

        impl FileInvariant {
            /// What it is known as, and where it comes from.
            fn of_literature(self) -> &'static str {
                match self { $(FileInvariant::$variant => $source,)* }
            }

            /// What comes of it where it does not hold.
            fn harm(self) -> &'static str {
                match self { $(FileInvariant::$variant => $harm,)* }
            }
        }
    };
}

invariants! {
    ViewsAreDecidedOnceAndInOrder = "views_are_decided_once_and_in_order",
        "views have epochs that grow by one, one content each, and come into force one at a time",
        "view synchrony; Birman, Joseph 1987",
        "members that go by different views disagree about the owners of a file, so one side does not see what the other commits";
    AdmissionsAreUsedOnce = "admissions_are_used_once",
        "the centre gives a life one number, and a number names one disk",
        "Liskov, Cowling 2012, section 4.3",
        "a node that comes back with an empty disk would pass for one that still has what it had";
    EpochsOfANodeOnlyGrow = "epochs_of_a_node_only_grow",
        "a node says that it has left an epoch once that is durable, and never goes back",
        "promises; Lamport 1998",
        "what others do because the node has left the epoch would no longer be safe";
    AViewIsActiveAfterAllHaveLeft = "a_view_is_active_after_all_have_left",
        "a view comes into force when all of the one before have left it or lost their lease",
        "leases; Gray, Cheriton 1989",
        "a node that still has a lease for the view before would serve and vote beside the new owners";
    LeasesFollowRecordedEntries = "leases_follow_recorded_entries",
        "the centre gives a lease only to a member whose entry into the epoch it has recorded",
        "write-ahead; Gray 1978; leases; Gray, Cheriton 1989",
        "the centre judges by its records: where they lack the member it goes on while that lease runs, or takes a lost disk for an empty one";
    NoViewChangeWithoutACause = "no_view_change_without_a_cause",
        "a view leaves out the silent and the unwanted, takes in the heard and wanted, and no more",
        "accuracy; Chandra, Toueg 1996",
        "each change moves files and stops requests, so a working node would be shut out, or a wanted one kept out, for nothing";
    KeysMoveOnlyToJoinersAndFromLeavers = "keys_move_only_to_joiners_and_from_leavers",
        "a change of members moves only what joiners and leavers own",
        "monotonicity; Karger et al. 1997",
        "files would move between nodes that stay, which costs time and puts them at risk for nothing";
    NoPathIsHandedOverInDoubt = "no_path_is_handed_over_in_doubt",
        "an owner hands no path over about which it is in doubt",
        "Mohan, Lindsay, Obermarck 1986, section 2",
        "the transaction may be committed after all, and the new owner would never hear of it";
    ClaimedCopiesAreKept = "claimed_copies_are_kept",
        "a node stores what it claims to be complete on until it gives the claim up",
        "Adya et al. 2016 (Slicer)",
        "the next owner asks for the files there, and with the copies the last committed contents may be gone";
    CopiesAreGivenUpOnlyForSettledEpochs = "copies_are_given_up_only_for_settled_epochs",
        "claims and copies are given up only when every member has all that it owns",
        "Lamport, Malkhi, Zhou 2010, section 3",
        "a member that still has to pull finds no node that has the files";
    AClaimedPathHasTheLastDecidedContents = "a_claimed_path_has_the_last_decided_contents",
        "a node that claims a path as complete has what was decided there last, or a vote for it",
        "Lamport, Malkhi, Zhou 2010",
        "the node serves and hands on contents that are old or missing";
    HandOversKeepTokensAndAnswers = "hand_overs_keep_tokens_and_answers",
        "a complete owner has the fence and version of each path and the answers that clients wait for, or is in doubt; each answer handed over is the committed one",
        "RIFL: Lee et al. 2015, section 3",
        "a retry would take effect a second time, or a write under an old token would pass, at the new owner";
    CompleteOwnersHaveEveryDecidedWrite = "complete_owners_have_every_decided_write",
        "what is decided, every complete owner in force has or is in doubt about",
        "Lamport, Malkhi, Zhou 2010",
        "a read there would miss the write, though its client was told that it is done";
    OnlyLeasedMembersServeAndVote = "only_leased_members_serve_and_vote",
        "a node that serves or votes in an epoch is a member with a lease for it that runs",
        "leases; Gray, Cheriton 1989",
        "the others may have gone on without a node that has no lease, so two sides serve the same files";
    OnlyCompleteOwnersServeAndVote = "only_complete_owners_serve_and_vote",
        "a node that serves or votes on a path owns it and has durably claimed to be complete",
        "Lamport, Malkhi, Zhou 2010",
        "what the node has of the file may be old, or may not be there";
    OneEpochIsServedAtOnce = "one_epoch_is_served_at_once",
        "once an epoch is served, no earlier one is",
        "view synchrony; Birman, Joseph 1987",
        "owners of two views would serve the same file, and neither would see the other's writes";
    AServingOwnerHasTheLastDecidedContents = "a_serving_owner_has_the_last_decided_contents",
        "what an owner answers or votes on is what was decided last",
        "atomic registers; Lamport 1986",
        "a client reads, or builds on, contents that a committed request has replaced";
    TransactionIdsAreUsedOnce = "transaction_ids_are_used_once",
        "a transaction id names one attempt at one request, in one life of its coordinator",
        "unique transaction ids; R*: Mohan, Lindsay, Obermarck 1986",
        "a participant takes the votes and decisions of one transaction for those of the other";
    VoteIsDurableBeforeItLeaves = "vote_is_durable_before_it_leaves",
        "a yes leaves a participant only once the vote is durable",
        "write-ahead; Gray 1978",
        "a crash makes the participant forget its yes, while the coordinator commits because of it";
    DecisionIsDurableBeforeItLeaves = "decision_is_durable_before_it_leaves",
        "no machine is told of a commit before the decision is durable",
        "write-ahead; Gray 1978",
        "a crash makes the coordinator forget the commit and presume an abort, after others were told";
    AcknowledgementIsDurableBeforeItLeaves = "acknowledgement_is_durable_before_it_leaves",
        "a participant acknowledges a commit only once it has durably applied it",
        "write-ahead; R*: Mohan, Lindsay, Obermarck 1986",
        "the coordinator forgets the transaction, and a crash takes the change from the participant for good";
    PromiseIsDurableBeforeItLeaves = "promise_is_durable_before_it_leaves",
        "a participant says aborted only if the abort is decided or nothing can make it vote yes any more",
        "cooperative termination; Bernstein, Hadzilacos, Goodman 1987, section 7.4",
        "a crash makes it forget that, so it may vote yes to a late message after others have rolled back because of that";
    RecordedRefusalIsDurableBeforeItLeaves = "recorded_refusal_is_durable_before_it_leaves",
        "a refusal that holds for every attempt leaves a node only once it is durable",
        "write-ahead; Gray 1978; RIFL: Lee et al. 2015, section 3",
        "in a crash, or with its disk, the node forgets the refusal: another attempt takes effect that the client reports as refused";
    DecisionsAreFinal = "decisions_are_final",
        "every node decides a transaction once and stays with it, also across restarts",
        "AC4, stability; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        "the node acts on one outcome and later on the other, so the change is half done or undone after it was told";
    CommitNeedsEveryYes = "commit_needs_every_yes",
        "a coordinator commits only if every participant's yes is durable",
        "AC2, validity; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        "a participant that has not voted yes may be unable to carry the commit out, so it would be half done";
    AbortNeedsAReason = "abort_needs_a_reason",
        "a coordinator that has heard every yes, and no no, does not abort",
        "AC3, non-triviality; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        "requests fail for no reason, so nothing is sure to get done even where nothing is broken";
    ParticipantsAgree = "participants_agree",
        "no node commits a transaction while another aborts it",
        "AC1, agreement; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        "one node has the change and another does not: the transaction is half done, or the copies differ";
    AYesIsKeptUntilTheDecision = "a_yes_is_kept_until_the_decision",
        "a participant that has voted yes neither commits nor aborts until it is told the decision",
        "the uncertainty period; Bernstein, Hadzilacos, Goodman 1987, section 7.3; Skeen 1981",
        "the others may have been told the opposite, and the transaction is half done";
    ACheckpointKeepsWhatItReplaces = "a_checkpoint_keeps_what_it_replaces",
        "a node that starts from a checkpoint knows what its whole log would have told it",
        "checkpoints; ARIES: Mohan et al. 1992, section 5.4",
        "at the next start the node knows something else than it has promised or stored";
    CommitIsRememberedUntilAcknowledged = "commit_is_remembered_until_acknowledged",
        "a coordinator forgets a commit only when every participant has durably applied it or is gone with its disk",
        "presumed abort; R*: Mohan, Lindsay, Obermarck 1986, section 3",
        "a participant that asks later is told that it was aborted, while others have applied it";
    ALowWaterMarkCoversOnlyWhatIsOver = "a_low_water_mark_covers_only_what_is_over",
        "a coordinator's low-water mark covers no transaction that may still commit or be asked for",
        "presumed abort; R*: Mohan, Lindsay, Obermarck 1986, section 3",
        "participants forget what the mark covers, so a question about it is answered wrongly";
    NoPinIsOrphaned = "no_pin_is_orphaned",
        "no path stays pinned for a transaction that will never be decided",
        "orphans; Lampson, Lomet 1993",
        "no later change of the path gets done, for ever";
    InDoubtKeepsItsPins = "in_doubt_keeps_its_pins",
        "a participant in doubt about a path serves no read of it and admits no other change",
        "prepared state keeps its locks; R*: Mohan, Lindsay, Obermarck 1986, section 2",
        "if the decision is to commit, what was read or changed in between is wrong";
    NoWriteBelowTheClaimedToken = "no_write_below_the_claimed_token",
        "once a token is claimed for a path, no change under a lower one commits",
        "fencing; Burrows 2006 (Chubby), section 2.4; Kleppmann 2016",
        "the holder of the higher token believes that it is alone, and the late change destroys what it has done";
    ReplicasAgree = "replicas_agree",
        "all owners of a path have the same bytes under the same version",
        "replica consistency; Schneider 1990",
        "what a client reads depends on which owner it asks";
    ReadsOfOneTransactionAreOneMoment = "reads_of_one_transaction_are_one_moment",
        "all reads of a transaction come from one point in the order of commits",
        "G2, read skew A5A; Adya 1999; Berenson et al. 1995",
        "the client sees a state that there never was, such as half of a transfer";
    DeletedFilesStayDeleted = "deleted_files_stay_deleted",
        "after an acknowledged deletion no read finds the old contents",
        "no resurrection; Demers et al. 1987",
        "the client was told that the file is gone, and it is back";
    AcknowledgedWritesSurvive = "acknowledged_writes_survive",
        "what a client was told of is there for every later read and after every restart",
        "durability; Haerder, Reuter 1983; Herlihy, Wing 1990",
        "the client was told that the write is done, and it is gone";
    EffectsUnderATokenAreRequestedByItsHolder = "effects_under_a_token_are_requested_by_its_holder",
        "what takes effect under a token is asked by the client that it was granted to",
        "mutual exclusion by tokens; Dijkstra 1965; Burrows 2006 (Chubby), section 2.4",
        "the token protects nothing if another client's changes pass under it";
    CommitsDoWhatWasAsked = "commits_do_what_was_asked",
        "a commit's outcomes and changes are those of its operations, executed in commit order",
        "sequential specification; Herlihy, Wing 1990; Bornholt et al. 2021",
        "a requested change is missing, or one was made that was not requested";
    OwnersStoreWhatWasCommitted = "owners_store_what_was_committed",
        "an owner stores what the commits, executed one after the other, have left",
        "state machine replication; Schneider 1990",
        "a later read there answers something that was never committed";
    AStartRecoversWhatTheLogSays = "a_start_recovers_what_the_log_says",
        "after a start a node's memory says what its log says",
        "restart repeats history; ARIES: Mohan et al. 1992, section 5",
        "the node goes on without what it has promised or stored before the crash";
    NoParticipantIsInDoubtAtTheEnd = "no_participant_is_in_doubt_at_the_end",
        "at the end of the liveness phase no participant is in doubt if all machines are up that it takes to end it",
        "AC5, termination; Bernstein, Hadzilacos, Goodman 1987, ch. 7",
        "its files stay pinned, so no other request for them gets done";
    EveryArcIsCompleteAndSettledAtTheEnd = "every_arc_is_complete_and_settled_at_the_end",
        "at the end of the liveness phase every owner is complete and the view has settled",
        "liveness; Lamport, Malkhi, Zhou 2010",
        "files stay without an owner that serves them, or old copies are kept for ever";
    TheNewestViewIsWhatTheOperatorWants = "the_newest_view_is_what_the_operator_wants",
        "at the end of the liveness phase the newest view is what the operator has asked for",
        "liveness; Lamport, Malkhi, Zhou 2010",
        "the cluster does not become what the operator has asked for, however long the operator waits";
    NoCopiesElsewhereAtTheEnd = "no_copies_elsewhere_at_the_end",
        "at the end of the liveness phase a node stores only files that it owns",
        "garbage collection after a move",
        "disks fill up with copies that no owner uses";
    OwnersAgree = "owners_agree",
        "coordinators and participants of a path are its R distinct owners on the ring",
        "consistent hashing; Karger et al. 1997",
        "two machines look for one file at different nodes, so one does not see what the other writes";
    TokensGrow = "tokens_grow",
        "each grant has a higher token than every grant before",
        "sequencers; Burrows 2006 (Chubby), section 2.4",
        "a fence cannot tell the new holder from an old one: a late write of the old one passes, or the new one's are refused";
    GrantIsDurableBeforeItLeaves = "grant_is_durable_before_it_leaves",
        "a grant leaves the lock server only once it is durable",
        "write-ahead; Gray 1978",
        "a crash makes the lock server forget the grant, and it grants the lock to a second client";
    OneHolderPerLock = "one_holder_per_lock",
        "a lock has at most one grant that is not over",
        "mutual exclusion; Dijkstra 1965",
        "two clients work on the same file at once, each sure that it is alone";
    OnlyTheHolderReleases = "only_the_holder_releases",
        "a lock is freed by its holder under its token, or by the end of its lease",
        "release under one's own token; Redis SET NX with a token",
        "the lock goes to the next client while its holder works on, sure that it is alone";
    GrantsGoToLiveWaiters = "grants_go_to_live_waiters",
        "a lock goes to a waiter that was heard within a lease",
        "no grant to a dead waiter; etcd issue 11456",
        "a client that is gone holds the lock, and the others wait for it for nothing";
    GrantsFollowTheLine = "grants_follow_the_line",
        "of the waiting clients that live, the first in line is granted the lock first",
        "first in, first out",
        "a client can be overtaken again and again, and may never get the lock";
    NoFreeLockWithALiveWaiter = "no_free_lock_with_a_live_waiter",
        "no lock is free while a live client waits for it",
        "no lost wake-up; Lampson, Redell 1980",
        "the client waits for a lock that no other client has, perhaps for ever";
    ASilentHolderKeepsNoLock = "a_silent_holder_keeps_no_lock",
        "a holder that is not heard for a lease loses its lock to a live waiter",
        "leases; Gray, Cheriton 1989, section 2",
        "one client that is gone keeps all others out, for ever";
    HoldersStopBelievingFirst = "holders_stop_believing_first",
        "a holder stops believing in its lease before the lock goes to another",
        "leases; Gray, Cheriton 1989",
        "for a moment two clients believe that they hold the lock";
    OnlyItsOwnKeepAliveMovesALease = "only_its_own_keep_alive_moves_a_lease",
        "a holder's lease moves only by an answer to what it asked itself, and as far as that gives",
        "leases; Gray, Cheriton 1989",
        "the client believes in its lease for longer than the lock server counts on";
    ALeaseThatIsOverIsGivenUp = "a_lease_that_is_over_is_given_up",
        "a client tells its user that a lock is lost when its lease is over",
        "leases; Gray, Cheriton 1989, section 2",
        "the user goes on in the belief that the lock is held, while another client may have it";
    AcquiredMeansHeld = "acquired_means_held",
        "a client answers acquired only while it believes that it holds the lock",
        "outcome honesty; Gray, Cheriton 1989",
        "the user begins to work under a lock that another client may have by now";
    OperationsCarryTheTokensOfHeldLocks = "operations_carry_the_tokens_of_held_locks",
        "an operation carries the token of the lock that its client believed in when the user asked, and no token if it believed in none",
        "sequencers; Burrows 2006 (Chubby), section 2.4",
        "without the token a fence cannot keep the operation out when it comes late";
    OneEffectPerRequest = "one_effect_per_request",
        "a request takes effect at most once",
        "at-most-once; Birrell, Nelson 1984",
        "a transfer of money would be made twice";
    OneAnswerPerRequest = "one_answer_per_request",
        "a client answers a request at most once, and as it was asked",
        "client outcome honesty",
        "a user that is told two things, or something else than was asked, can rely on nothing";
    RefusedMeansNoEffect = "refused_means_no_effect",
        "a request that a client reported as refused never takes effect, before or after",
        "the outcome fail of a Jepsen history",
        "the user was told that nothing has happened, and something has";
    AToldRefusalHoldsForAllAttempts = "a_told_refusal_holds_for_all_attempts",
        "a client believes a refusal only if it is its only attempt's, or recorded in its newest epoch",
        "outcome honesty; RIFL",
        "an owner that has not recorded it, or loses its disk, lets another attempt take effect, after the user was told that nothing happens";
    AClientWaitsForNothingBelowItsMarks = "a_client_waits_for_nothing_below_its_marks",
        "a client calls over only requests and attempts for which it does not wait",
        "collecting results; RIFL",
        "owners forget what the client calls over, so an attempt still under way takes effect twice or is answered wrongly";
    DoneMeansEffect = "done_means_effect",
        "what a client called done has taken effect, with that answer",
        "outcome honesty; Knossos",
        "the user relies on something that has not happened";
    HistoriesAreStrictlySerializable = "histories_are_strictly_serializable",
        "the order of commits explains every answer, each request within the time it was open",
        "strict serializability, linearizability; Papadimitriou 1979; Herlihy, Wing 1990",
        "no order of the requests explains what their users were told";
    AnswersFollowFromTheCommits = "answers_follow_from_the_commits",
        "what a client calls done is what the commits give, for a plain read when its owner answers",
        "linearizability; Herlihy, Wing 1990",
        "the user was told something that was never so";
    RefusalsStateATrueReason = "refusals_state_a_true_reason",
        "a request for files is refused only for a reason that was true since it was asked",
        "sequential specification; Herlihy, Wing 1990",
        "the user is told something about the file that was at no moment true";
    AFullDiskTakesNoNewWork = "a_full_disk_takes_no_new_work",
        "a machine that knows that its disk is full begins nothing that changes what is on it",
        "reserved log space; Gray, Reuter 1993, section 9.4; Mohan et al. 1992",
        "there is no room left for the records that finish what has begun";
    LockRefusalsStateATrueReason = "lock_refusals_state_a_true_reason",
        "a lock is refused only if it is held, its line or the disk is full, or its path is too long",
        "tryLock; Herlihy, Shavit 2008, ch. 7",
        "the user is told that the lock cannot be had, when it could";
    AReleasedLockIsFree = "a_released_lock_is_free",
        "a release that is acknowledged has freed the lock",
        "Burrows 2006 (Chubby), section 2.4",
        "the lock stays taken though its holder has given it back, and others wait for its lease to end";
    AClientKeepsTrying = "a_client_keeps_trying",
        "until a client answers a request, its attempts at it follow each other without a longer pause than allowed",
        "end-to-end retry; Saltzer, Reed, Clark 1984",
        "the request does not get done, though nothing but the client keeps it from that";
    ALostAttemptHasACause = "a_lost_attempt_has_a_cause",
        "an attempt that ends without an answer has met a fault or another transaction",
        "accuracy; Chandra, Toueg 1996",
        "requests wait for a time-out though nothing is broken";
    ARetryAsksAnotherOwner = "a_retry_asks_another_owner",
        "an attempt is not sent to the owner that the one before was sent to",
        "failover; Dean, Barroso 2013",
        "as long as one owner is down its client gets nothing done, though another owner could answer";
    AttemptsYieldOnlyToOlderOnes = "attempts_yield_only_to_older_ones",
        "an attempt is refused for a conflict only where it has met an older one",
        "wait-die; Rosenkrantz, Stearns, Lewis 1978",
        "the oldest request could be turned away again and again, and never get done";
    AnAttemptWaitsOnlyForYoungerOnes = "an_attempt_waits_only_for_younger_ones",
        "an attempt begins to wait for pins only where no older one has or wants them",
        "wait-die; Rosenkrantz, Stearns, Lewis 1978",
        "two attempts can wait for each other, in a circle";
    ProbesAreAnswered = "probes_are_answered",
        "after the run is healed and quiet, what is asked gets done before its client gives up",
        "bounded liveness; Alpern, Schneider 1985",
        "nothing is broken any more, and still requests do not get done";
    UnknownHasACause = "unknown_has_a_cause",
        "a client says unknown only if something kept the request from getting done",
        "accuracy; Chandra, Toueg 1996",
        "the user learns nothing of the outcome, though nothing kept the client from learning it";
    EveryRequestEnds = "every_request_ends",
        "at the end of the liveness phase every request of a client that is up is answered: done, refused or unknown",
        "termination",
        "the user waits for an answer for ever";
    EveryLockIsFreeOrHeldByALiveClient = "every_lock_is_free_or_held_by_a_live_client",
        "at the end of the liveness phase a lock is free, or its client is up in the life that asked for it",
        "no lost wake-up; no grant to a dead waiter",
        "no client will ever release the lock, so no other gets it";
    EveryDecisionIsOver = "every_decision_is_over",
        "at the end of the liveness phase no coordinator keeps a decision that all have carried out",
        "end records; Mohan, Lindsay, Obermarck 1986",
        "the coordinator repeats the decision for ever, and nothing about it can be forgotten";
    NodesForgetWhatIsOver = "nodes_forget_what_is_over",
        "what a node remembers of answers and outcomes is bounded by marks that keep up",
        "garbage collection of RIFL, section 3.3: Lee et al. 2015; R*: Mohan, Lindsay, Obermarck 1986",
        "memory and checkpoints grow for as long as the cluster runs";
    BankTotalNeverChanges = "bank_total_never_changes",
        "a read of all accounts at once finds the money that was paid in",
        "Jepsen's bank; Gray 1985 (debit-credit)",
        "money was made or lost";
    NoIncrementIsLost = "no_increment_is_lost",
        "every acknowledged increment of a counter is in its final value",
        "lost update, P4; Berenson et al. 1995",
        "a client was told that its increment counts, and another has overwritten it";
    SomeRequestIsDoneOrRefused = "some_request_is_done_or_refused",
        "of the requests that could be answered one is done or refused, and one of those on files",
        "liveness; Alpern, Schneider 1985",
        "the cluster does nothing wrong because it does nothing at all";
}

impl ListedInvariant for FileInvariant {
    fn source(self) -> &'static str {
        self.of_literature()
    }

    fn why(self) -> &'static str {
        self.harm()
    }

    fn is_of_progress(self) -> bool {
        matches!(
            self,
            FileInvariant::AClientKeepsTrying
                | FileInvariant::ARetryAsksAnotherOwner
                | FileInvariant::ALostAttemptHasACause
                | FileInvariant::AReleasedLockIsFree
                | FileInvariant::AttemptsYieldOnlyToOlderOnes
                | FileInvariant::AnAttemptWaitsOnlyForYoungerOnes
                | FileInvariant::EveryDecisionIsOver
                | FileInvariant::EveryRequestEnds
                | FileInvariant::NodesForgetWhatIsOver
                | FileInvariant::ProbesAreAnswered
                | FileInvariant::SomeRequestIsDoneOrRefused
                | FileInvariant::UnknownHasACause
        )
    }
}

impl InvariantName {
    /// Is it judged only where the central node decides which nodes are members?
    pub fn is_of_managed_membership(self) -> bool {
        matches!(self, InvariantName::System(it) if it.is_of_managed_membership())
    }

    /// Is it about locks and their tokens, so that it holds where no client asks for a lock?
    pub fn is_of_locks(self) -> bool {
        matches!(self, InvariantName::System(it) if it.is_of_locks())
    }
}

impl FileInvariant {
    /// Is it judged only where the central node decides which nodes are members?
    pub fn is_of_managed_membership(self) -> bool {
        matches!(
            self,
            FileInvariant::ViewsAreDecidedOnceAndInOrder
                | FileInvariant::AdmissionsAreUsedOnce
                | FileInvariant::EpochsOfANodeOnlyGrow
                | FileInvariant::AViewIsActiveAfterAllHaveLeft
                | FileInvariant::LeasesFollowRecordedEntries
                | FileInvariant::NoViewChangeWithoutACause
                | FileInvariant::KeysMoveOnlyToJoinersAndFromLeavers
                | FileInvariant::NoPathIsHandedOverInDoubt
                | FileInvariant::ClaimedCopiesAreKept
                | FileInvariant::CopiesAreGivenUpOnlyForSettledEpochs
                | FileInvariant::AClaimedPathHasTheLastDecidedContents
                | FileInvariant::HandOversKeepTokensAndAnswers
                | FileInvariant::CompleteOwnersHaveEveryDecidedWrite
                | FileInvariant::OnlyLeasedMembersServeAndVote
                | FileInvariant::OnlyCompleteOwnersServeAndVote
                | FileInvariant::OneEpochIsServedAtOnce
                | FileInvariant::EveryArcIsCompleteAndSettledAtTheEnd
                | FileInvariant::TheNewestViewIsWhatTheOperatorWants
                | FileInvariant::NoCopiesElsewhereAtTheEnd
        )
    }

    /// Is it about locks and their tokens, so that it holds where no client asks for a lock?
    pub fn is_of_locks(self) -> bool {
        matches!(
            self,
            FileInvariant::NoWriteBelowTheClaimedToken
                | FileInvariant::EffectsUnderATokenAreRequestedByItsHolder
                | FileInvariant::TokensGrow
                | FileInvariant::GrantIsDurableBeforeItLeaves
                | FileInvariant::OneHolderPerLock
                | FileInvariant::OnlyTheHolderReleases
                | FileInvariant::GrantsGoToLiveWaiters
                | FileInvariant::GrantsFollowTheLine
                | FileInvariant::NoFreeLockWithALiveWaiter
                | FileInvariant::ASilentHolderKeepsNoLock
                | FileInvariant::HoldersStopBelievingFirst
                | FileInvariant::OnlyItsOwnKeepAliveMovesALease
                | FileInvariant::ALeaseThatIsOverIsGivenUp
                | FileInvariant::AcquiredMeansHeld
                | FileInvariant::LockRefusalsStateATrueReason
                | FileInvariant::AReleasedLockIsFree
                | FileInvariant::EveryLockIsFreeOrHeldByALiveClient
        )
    }
}
