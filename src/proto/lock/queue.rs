//! One lock: its holder, and the line of those that wait for it.

use crate::machine::{RequestId, Span, Time};
use crate::proto::{Config, Defect, LockAnswer, Path, Token};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Lock {
    pub holder: Option<Holder>,
    pub line: Vec<Waiter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Holder {
    // Rebuilt from the log:
    pub request: RequestId,
    pub token: Token,

    // Volatile: a logged grant counts as held for a whole lease from the start.
    /// The newest message of the holder that an answer has named, by its own clock.
    pub asked: Time,
    pub until: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiter {
    // Rebuilt from the log:
    pub request: RequestId,

    // Volatile:
    /// The newest message heard, by the waiter's clock; `None` since the server's restart.
    pub heard: Option<Time>,
    pub until: Time,
}

impl Lock {
    /// Is it the holder's request, or one in line?
    pub fn has(&self, request: RequestId) -> bool {
        let holds = self.holder.as_ref().is_some_and(|holder| holder.request == request);
        holds || self.line.iter().any(|waiter| waiter.request == request)
    }

    /// The lock is free, and held from now on.
    pub fn give(&mut self, holder: Holder) {
        let before = self.holder.replace(holder);
        assert!(before.is_none(), "a lock is granted that {before:?} holds");
    }
}

impl Holder {
    pub fn grant(&self, path: &Path, lease: Span) -> LockAnswer {
        let Holder { request, token, asked, .. } = *self;
        LockAnswer::Granted { request, path: path.clone(), token, asked, lease }
    }
}

impl Waiter {
    /// Was it heard, in this life of the server, within a lease?
    pub fn is_live(&self, config: &Config, now: Time) -> bool {
        let heard = self.heard.is_some() && now < self.until;
        heard || config.defects.has(Defect::DeadWaiterGranted)
    }
}
