//! The table of all messages, by sender and receiver.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Handed, Header, Keep, Known, No, Open, PullEnd, Session, Terms, Verdict, Vote, Work};
use crate::machine::{Class, Incarnation, RequestId, Span, Time};
use crate::proto::{
    Admission, Age, Answer, Arcs, AttemptEnd, Epoch, File, Lost, Member, Operation, Path, Refusal,
    Token, TxnId, View,
};

messages! {
    /// A client's attempt at a request that changes files or reads several.
    Begin "begin" to [Node] {
        /// Taken once.
        session: Session,
        /// The epoch of the client's view.
        epoch: Epoch,
        /// Which request.
        request: RequestId,
        /// Which attempt at it, from 1.
        attempt: u32,
        /// The lowest request number that the client still waits for.
        lowest: u32,
        /// The age of the request.
        age: Age,
        /// What to do.
        operations: Arc<[Operation]>,
    }
    /// A client's attempt at reading one file, which needs no transaction.
    Read "read" to [Node] {
        /// The epoch of the client's view.
        epoch: Epoch,
        /// Which request.
        request: RequestId,
        /// Which attempt at it, from 1.
        attempt: u32,
        /// The file.
        path: Path,
    }
    /// How an attempt ended.
    Ended "ended" to [Client] {
        /// Which request.
        request: RequestId,
        /// Which attempt at it.
        attempt: u32,
        /// How.
        end: AttemptEnd,
    }
    /// Asks an owner for a file that the transaction will move elsewhere.
    Fetch "fetch" to [Node] {
        /// Which transaction.
        txn: TxnId,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// The file.
        path: Path,
    }
    /// The file as it stands, or why the owner does not show it.
    Fetched "fetched" to [Node] {
        /// Which transaction.
        txn: TxnId,
        /// The file's name.
        path: Path,
        /// What is stored.
        file: Result<File, No>,
    }
    /// Asks a participant to pin its paths (`staged`) or to execute and vote (`two_phase`).
    Prepare "prepare" to [Node] {
        /// Which transaction.
        header: Header,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// What a voter needs to know.
        terms: Terms,
        /// The paths to pin.
        paths: Arc<[Path]>,
        /// The operations, where Prepare carries them (`two_phase`).
        work: Option<Work>,
    }
    /// The paths are pinned, in this life of the participant.
    Ready "ready" to [Node] {
        /// Which transaction.
        txn: TxnId,
        /// The life that pinned.
        pinned_in: Incarnation,
    }
    /// Asks a participant that is ready to execute and vote.
    Execute "execute" to [Node] {
        /// Which transaction.
        header: Header,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// The life of the participant whose pin this builds on.
        pinned_in: Incarnation,
        /// The operations.
        work: Work,
    }
    /// The participant's vote.
    Executed "executed" to [Node] {
        /// Which transaction.
        txn: TxnId,
        /// Yes or no.
        vote: Vote,
    }
    /// The decision to commit.
    Commit "commit" to [Node] {
        /// Which transaction.
        header: Header,
        /// Which admission of the participant has voted.
        voter: Admission,
        /// The whole answer to the request.
        answer: Answer,
    }
    /// The participant has applied the transaction, durably.
    Committed "committed" to [Node] {
        /// Which transaction.
        txn: TxnId,
    }
    /// The decision to abort.
    Abort "abort" to [Node] {
        /// Which transaction.
        header: Header,
    }
    /// The transaction aborts because its request is refused: the participant is to promise that no
    /// attempt at it ever gets its yes (managed membership).
    Decline "decline" to [Node] {
        /// Which transaction.
        header: Header,
        /// The epoch of the coordinator.
        epoch: Epoch,
        /// Which request.
        request: RequestId,
        /// Why it is refused.
        refusal: Refusal,
        /// The paths of the request that the participant owns.
        paths: Arc<[Path]>,
    }
    /// The participant has forced that, and is in doubt about no attempt at the request.
    Declined "declined" to [Node] {
        /// Which transaction.
        txn: TxnId,
    }
    /// A participant in doubt asks what became of a transaction.
    Inquire "inquire" to [Node] {
        /// Which transaction.
        txn: TxnId,
        /// Which admission of the node that is asked took part.
        asked: Admission,
    }
    /// What became of it, as far as the one who was asked knows.
    Told "told" to [Node] {
        /// Which transaction.
        txn: TxnId,
        /// What is known.
        known: Known,
    }
    /// A participant that has left the epoch in doubt asks the centre.
    Resolve "resolve" to [Control] {
        /// Under which admission.
        admission: Admission,
        /// Which transaction.
        txn: TxnId,
        /// The epoch that it was for.
        epoch: Epoch,
        /// Everyone who votes, the coordinator left out.
        participants: Arc<[Member]>,
    }
    /// How the transaction ends.
    Resolved "resolved" to [Node] {
        /// Under which admission it was asked.
        admission: Admission,
        /// Which transaction.
        txn: TxnId,
        /// The centre's word.
        verdict: Verdict,
    }
    /// Asks for a lock.
    Acquire "acquire" to [Control] {
        /// Which request.
        request: RequestId,
        /// The lowest request number that the client still waits for.
        lowest: u32,
        /// The path whose lock it is.
        path: Path,
        /// Wait in line, or be refused if it is held.
        wait: bool,
        /// When this was sent, by the client's clock; a grant names it.
        asked: Time,
    }
    /// Keeps a place in line or a lock.
    KeepAlive "keep_alive" to [Control] {
        /// The path whose lock it is.
        path: Path,
        /// What to keep.
        keep: Keep,
        /// When this was sent, by the client's clock; the answer names it.
        asked: Time,
    }
    /// Gives a lock back.
    Release "release" to [Control] {
        /// Which request.
        request: RequestId,
        /// The path whose lock it is.
        path: Path,
        /// The token of the grant.
        token: Token,
    }
    /// The lock is granted.
    Granted "granted" to [Client] {
        /// To which request.
        request: RequestId,
        /// The path whose lock it is.
        path: Path,
        /// The fencing token.
        token: Token,
        /// The newest message from which the holder counts its lease, by when it was sent.
        asked: Time,
        /// How long the lease is.
        lease: Span,
    }
    /// The lock is kept.
    KeptAlive "kept_alive" to [Client] {
        /// The path whose lock it is.
        path: Path,
        /// Under which token.
        token: Token,
        /// The keep-alive that this answers, by when it was sent.
        asked: Time,
        /// How long the lease is.
        lease: Span,
    }
    /// The server knows nothing of what the client wants to keep.
    NotKept "not_kept" to [Client] {
        /// The path whose lock it is.
        path: Path,
        /// What is not kept.
        keep: Keep,
    }
    /// The lock is not granted and will not be.
    LockRefused "lock_refused" to [Client] {
        /// To which request.
        request: RequestId,
        /// The path whose lock it is.
        path: Path,
        /// Why.
        refusal: Refusal,
    }
    /// The lock is not held under the token any more.
    Released "released" to [Client] {
        /// Which request.
        request: RequestId,
        /// The path whose lock it was.
        path: Path,
    }
    /// A storage node with an empty log asks to be admitted.
    Admit "admit" to [Control] {
        /// In which life it asks.
        incarnation: Incarnation,
    }
    /// The number that the centre gives it.
    Admitted "admitted" to [Node] {
        /// The life that asked.
        incarnation: Incarnation,
        /// The number.
        admission: Admission,
    }
    /// A storage node is there. Promises nothing, and so waits for no disk.
    Heartbeat "heartbeat" to [Control] {
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
    }
    /// The membership lease.
    Alive "alive" to [Node] {
        /// The life whose heartbeat this answers.
        incarnation: Incarnation,
        /// That heartbeat, by when it was sent.
        asked: Time,
        /// The epoch for which the lease is.
        epoch: Epoch,
        /// The last epoch that has settled.
        settled: Epoch,
        /// The members of these views that are lost, as far as the centre knows.
        lost: Arc<[Lost]>,
    }
    /// A storage node has left every epoch before this one.
    Entered "entered" to [Control] {
        /// Under which admission.
        admission: Admission,
        /// The epoch.
        epoch: Epoch,
        /// The transactions of the epochs before that are open at it.
        open: Arc<[Open]>,
    }
    /// The centre has recorded that: before, it gives the node no lease.
    Noted "noted" to [Node] {
        /// Under which admission.
        admission: Admission,
        /// The epoch.
        epoch: Epoch,
    }
    /// A storage node is complete in all that it owns.
    Completed "completed" to [Control] {
        /// Under which admission.
        admission: Admission,
        /// In which epoch.
        epoch: Epoch,
    }
    /// A node that is no member any more is needed for nothing.
    Departed "departed" to [Control] {
        /// Under which admission.
        admission: Admission,
        /// In which epoch.
        epoch: Epoch,
    }
    /// A client wants to hear of every view after this one.
    Watch "watch" to [Control] {
        /// The view that it knows.
        known: Epoch,
    }
    /// Views: to storage nodes all since the last that has settled, to clients the one in force.
    Views "views" to [Node, Client] {
        /// The heartbeat that this answers: its life, and when it was sent by that life's clock.
        asked: Option<(Incarnation, Time)>,
        /// In the order of their epochs.
        views: Arc<[View]>,
        /// The last epoch that has settled.
        settled: Epoch,
        /// The members of these views that are lost, as far as the centre knows.
        lost: Arc<[Lost]>,
    }
    /// Asks an owner of an earlier epoch for what it has.
    Pull "pull" to [Node] {
        /// The epoch in which both are.
        epoch: Epoch,
        /// Which pull of the asker's life.
        pull: u32,
        /// In which life of the asker.
        incarnation: Incarnation,
        /// The earlier epoch.
        level: Epoch,
        /// Which admission of the node that is asked was an owner then.
        owner: Admission,
        /// Where.
        arcs: Arcs,
        /// Paths up to here have been handed over.
        after: Option<Path>,
    }
    /// A part of what was asked for.
    Chunk "chunk" to [Node] {
        /// The epoch in which both are.
        epoch: Epoch,
        /// Which pull.
        pull: u32,
        /// In which life of the asker.
        incarnation: Incarnation,
        /// Paths up to here had been handed over before.
        after: Option<Path>,
        /// The paths, in order.
        files: Arc<[(Path, File)]>,
        /// Where paths are left out, because the owner is in doubt about them.
        doubtful: Arcs,
        /// With the last chunk: all that the owner knows of requests.
        answers: Arc<[Handed]>,
        /// With the last chunk: what the pull comes to.
        end: Option<PullEnd>,
    }
}
