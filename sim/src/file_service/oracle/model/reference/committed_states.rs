//! The states that commits have left of a path, and when each was the current one.

use seedbed::proto::TxnId;

use super::Stored;

/// A state that a commit has left.
#[derive(Clone, Debug)]
pub struct CommittedState {
    /// The step that made the commit durable.
    pub step: u64,
    /// Whose commit; `None` for what is there before the first, and what a loss leaves.
    pub txn: Option<TxnId>,
    /// The state; `None` while it is uncertain, because the operator has accepted a loss.
    pub stored: Option<Stored>,
}

/// All states of a path that has been committed to, in the order of the commits.
#[derive(Clone, Debug)]
pub struct CommittedStates {
    /// Not empty: the state before the first commit stands first.
    states: Vec<CommittedState>,
}

impl Default for CommittedStates {
    fn default() -> CommittedStates {
        let empty = CommittedState { step: 0, txn: None, stored: Some(Stored::default()) };
        CommittedStates { states: vec![empty] }
    }
}

impl CommittedStates {
    /// The state that is current.
    pub fn current(&self) -> &CommittedState {
        self.states.last().expect("there is a state before the first commit")
    }

    /// The state that was current before that; `None` before the first commit.
    pub fn before_current(&self) -> Option<&CommittedState> {
        self.states.iter().nth_back(1)
    }

    /// The states that were current at some time from step `from` to the newest step, newest first.
    pub fn since(&self, from: u64) -> impl Iterator<Item = &CommittedState> {
        let ended = |place: usize| self.states.get(place + 1).map(|next| next.step);
        let states = self.states.iter().enumerate().rev();
        let states =
            states.take_while(move |(place, _)| ended(*place).is_none_or(|ended| ended >= from));
        states.map(|(_, state)| state)
    }

    pub(super) fn commit(&mut self, step: u64, txn: TxnId, stored: Stored) {
        self.states.push(CommittedState { step, txn: Some(txn), stored: Some(stored) });
    }

    pub(super) fn begin_again(&mut self, step: u64) {
        self.states.push(CommittedState { step, txn: None, stored: Some(Stored::default()) });
    }

    pub(super) fn become_uncertain(&mut self, step: u64) {
        self.states.push(CommittedState { step, txn: None, stored: None });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::txn;
    use seedbed::proto::{Token, Version};

    fn versions(states: &CommittedStates, from: u64) -> Vec<u64> {
        let stored = states.since(from).filter_map(|state| state.stored.as_ref());
        stored.map(|stored| stored.version.0).collect()
    }

    #[test]
    fn a_state_is_current_until_the_step_that_replaces_it() {
        let mut states = CommittedStates::default();
        assert!(states.before_current().is_none());
        for (step, version) in [(10, 1), (20, 2), (30, 3)] {
            let stored = Stored { version: Version(version), contents: None, fence: Token(0) };
            states.commit(step, txn(1), stored);
        }
        assert_eq!(states.before_current().map(|state| state.step), Some(20));
        assert_eq!(versions(&states, 31), [3]);
        assert_eq!(versions(&states, 30), [3, 2], "both are, in that step");
        assert_eq!(versions(&states, 11), [3, 2, 1]);
        assert_eq!(versions(&states, 1), [3, 2, 1, 0]);
    }
}
