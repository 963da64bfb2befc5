//! Hand-over: a new owner pulls what it owns from earlier owners.
//!
//! | new owner | owner of an earlier epoch |
//! |---|---|
//! | `Pull(epoch, level, arcs, after)` | is in the same epoch, and tells of the earlier epoch `level` |
//! | forces `Pulled`, asks for what comes after | `Chunk(files)`: paths in order, without those that it is in doubt about |
//! | forces `Complete` | `Chunk(files, answers, end)`: where it was complete, and where it is a witness |
//!
//! The table speaks of *arcs*, pieces of the ring with all paths on them. What is pulled is all
//! that is durable of a path: contents, version, fence, also of paths that are deleted, and what
//! is known of requests. It replaces what the new owner had, copies of files that the source does
//! not have included. It also replaces every vote that the new owner gave there in an older epoch:
//! the source knows how that transaction has ended, and what it hands over says so. A later
//! decision is recorded and acknowledged, and changes nothing. A source hands nothing over before
//! the centre has noted that it has left the older epochs ([`reports`](super::reports)).
//!
//! # Which nodes are asked
//!
//! The owners of the epoch before. One that was complete there hands over: it has all that was
//! committed, because its own vote was needed, and it hands no path over about which it is in
//! doubt. One that was *not* complete never voted there and, having left that epoch, never will: it
//! is a **witness** that nothing was committed in it, and on the pieces it witnesses, the owners of
//! the epoch before that are asked in turn, and so on back to the last epoch that has settled, in
//! which every owner was complete. The new owner may itself be the witness. It may even be the
//! source: it was complete in an older epoch, and each epoch since has a witness. Then it is
//! complete, and its votes count. If neither a complete owner nor a witness answers, the piece
//! waits; it is never served empty.
//!
//! # Pace and crashes
//!
//! One pull at a time and one chunk at a time, with a pause between. Every message names the epoch
//! and the pull, and a chunk of any other is ignored: a late one would put back what has changed
//! since. If the source stays quiet another is asked; if the new owner restarts it begins again.
//!
//! A source that is far away or slow looks like one that is quiet, and its chunk comes when the
//! pull is over. So each pull that a source leaves without an answer doubles the patience with that
//! source, until a pull from it has ended: a round trip of any length up to `request_timeout` fits
//! into some pull. A source that was down for a while is waited for at most about as long as it was
//! down, and sources that were quiet in fewer pulls are asked before it.
//!
//! # Lost disks
//!
//! A node whose disk is lost can neither hand over nor testify; that it is lost the centre says.
//! It also says which epoch it had recorded the node to have entered. The centre gives no lease
//! before that record, so for each later epoch a lost owner counts as a witness. If all owners of
//! a piece have lost their disks in an epoch that they had entered, the piece waits for the
//! operator to give them up. A view says which members are given up, so that all owners that enter
//! it agree, and no copy is taken from a member that is given up.
//!
//! Then the new owner also uses the copy of an epoch before those members were owners, on a
//! stricter condition: *each* owner of every epoch since is given up or has said that it was not
//! complete. One witness for an epoch, enough elsewhere, is not enough here. What was committed in
//! the epoch of the members that are given up, another owner of a newer epoch may have pulled. If
//! the condition holds of every epoch back to the last that has settled, and of that one too, no
//! copy is left: the piece begins again (`Reset`), absent, at version 0, with no fence. An owner
//! drops whatever it has of it, and its votes there, which are of an epoch before.
//!
//! A path that a source is in doubt about does not hold up the others: the source says where paths
//! are left out, and the new owner asks for these again until the doubt is over.

mod give;
mod pull;
mod sources;
mod take;

use super::Timers;
use super::owner::Owner;
use super::standing::Standing;
use super::txn::participant::Participant;
use super::{Config, Outbox};
use crate::machine::{Incarnation, Time};
pub(super) use give::on_pull;
pub(super) use pull::Handover;
pub(super) use take::{Pulled, replay_pulled, replay_reset};

/// What a node has at hand while paths move.
pub(super) struct Move<'a> {
    pub config: &'a Config,
    pub incarnation: Incarnation,
    pub now: Time,
    /// Has the centre noted the report of the node on the epochs that it has left?
    pub is_noted: bool,
    pub standing: &'a mut Standing,
    pub owner: &'a mut Owner,
    pub participant: &'a mut Participant,
    pub timers: &'a mut Timers,
    pub out: &'a mut Outbox,
}
