//! How long messages and syncs take on a [`Stage`](super::Stage), and what the network does to
//! them.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, Span};

/// How long things take where there is no policy.
#[derive(Clone, Debug)]
pub struct Times {
    /// A message.
    pub message: Span,
    /// The copy of a message, from when it was made.
    pub copy: Span,
    /// A sync.
    pub sync: Span,
    /// Messages from one machine to another that take another time.
    pub slow: BTreeMap<(NodeId, NodeId), Span>,
}

impl Times {
    /// Every message takes `message`, and every sync `sync`.
    pub fn new(message: Span, sync: Span) -> Times {
        Times { message, copy: message, sync, slow: BTreeMap::new() }
    }

    pub(super) fn message(&self, from: NodeId, to: NodeId) -> Span {
        self.slow.get(&(from, to)).copied().unwrap_or(self.message)
    }
}

impl Default for Times {
    /// A millisecond for everything.
    fn default() -> Times {
        Times::new(Span::from_millis(1), Span::from_millis(1))
    }
}

/// The course of a message that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives after this long.
    Arrives(Span),
    /// It is lost after this long.
    IsLost(Span),
    /// It arrives after this long, and so does a copy, after a time of its own.
    IsCopied(Span),
}

/// Says what the network and the disks do, in place of [`Times`]. What is drawn is drawn here.
pub trait DelayPolicy {
    /// The course of a message that leaves now.
    fn message(&mut self, from: NodeId, to: NodeId) -> Fate;

    /// How long a copy is under way.
    fn copy(&mut self) -> Span;

    /// How long a sync takes that begins now.
    fn sync(&mut self, node: NodeId) -> Span;
}
