//! What a state of the model holds.

/// C, then X, Y and Z.
pub(super) type Node = usize;
pub(super) const C: Node = 0;
pub(super) const NAMES: [&str; 4] = ["C", "X", "Y", "Z"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// It has not begun.
    Idle,
    /// It collects votes.
    Collecting,
    Decided,
    /// Every participant has it durably, or is lost.
    Over,
    /// It has given up, because of a no: participants force that.
    Refusing,
    /// It has given up.
    GaveUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Vote {
    None,
    Yes,
    /// It has rolled back; that may not be durable yet.
    RolledBack,
    /// It has forced that it never votes for it, or has rolled back durably.
    Never,
    Applied,
    /// It has applied it, and has forgotten that.
    Forgotten,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) phase: Phase,
    pub(super) votes: [Vote; 3],
    /// By node: does its lease for the epoch still run?
    pub(super) leased: u8,
    /// By node: has the centre recorded that it has entered the epoch?
    pub(super) entered: u8,
    /// By node: has it left the epoch, is its disk lost, does the centre know that it is?
    pub(super) left: u8,
    pub(super) lost: u8,
    pub(super) known_lost: u8,
    /// By node: has its report been recorded, and is it open there?
    pub(super) recorded: u8,
    pub(super) open: u8,
    pub(super) acknowledged: u8,
    pub(super) sent: u64,
    /// Has the transaction been seen, or its absence, outside of what a lost disk takes along?
    pub(super) seen: bool,
    pub(super) missed: bool,
    pub(super) disks: u8,
}

/// What was ever sent, one bit each.
#[derive(Clone, Copy)]
pub(super) enum Sent {
    Prepare,
    Commit,
    Abort,
    Decline,
    /// The centre's word.
    WordCommit,
    WordAbort,
    Yes(Node),
    No(Node),
    Declined(Node),
    /// The same of another attempt, which is refused.
    DeclineOther,
    DeclinedOther(Node),
    /// One participant's word to another.
    SaysCommitted(Node),
    SaysAborted(Node),
    ReportOpen(Node),
    ReportClosed(Node),
}

impl Sent {
    fn bit(self) -> u64 {
        let place = match self {
            Sent::Prepare => 0,
            Sent::Commit => 1,
            Sent::Abort => 2,
            Sent::Decline => 3,
            Sent::WordCommit => 4,
            Sent::WordAbort => 5,
            Sent::DeclineOther => 6,
            Sent::Yes(node) => 8 + node,
            Sent::No(node) => 12 + node,
            Sent::Declined(node) => 16 + node,
            Sent::SaysCommitted(node) => 20 + node,
            Sent::SaysAborted(node) => 24 + node,
            Sent::ReportOpen(node) => 28 + node,
            Sent::ReportClosed(node) => 32 + node,
            Sent::DeclinedOther(node) => 36 + node,
        };
        1 << place
    }
}

impl State {
    pub(super) fn vote(&self, node: Node) -> Vote {
        self.votes[node - 1]
    }

    pub(super) fn set_vote(&mut self, node: Node, vote: Vote) {
        self.votes[node - 1] = vote;
        self.seen |= vote == Vote::Applied;
    }

    pub(super) fn was_sent(&self, message: Sent) -> bool {
        self.sent & message.bit() != 0
    }

    pub(super) fn send(&mut self, message: Sent) {
        self.sent |= message.bit();
    }
}

pub(super) fn has(all: u8, node: Node) -> bool {
    all & (1 << node) != 0
}

pub(super) fn add(all: &mut u8, node: Node) {
    *all |= 1 << node;
}
