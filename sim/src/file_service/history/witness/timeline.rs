//! The states of one file, as far back as an open read may have found them.

use std::collections::VecDeque;

use super::State;

/// The states of one file.
#[derive(Clone, Debug)]
pub(super) struct Timeline<V> {
    /// Each state with the position from which on it is current; never empty.
    states: VecDeque<(u64, State<V>)>,
    /// The positions in which the open reads were asked, in this order.
    readers: VecDeque<u64>,
}

impl<V> Default for Timeline<V> {
    fn default() -> Self {
        Timeline { states: [(0, State::default())].into(), readers: VecDeque::new() }
    }
}

impl<V> Timeline<V> {
    /// A read is asked in `position`.
    pub fn opens(&mut self, position: u64) {
        self.readers.push_back(position);
    }

    /// A read that was asked in `position` is over; `now` is the last position.
    pub fn closes(&mut self, position: u64, now: u64) {
        if let Ok(place) = self.readers.binary_search(&position) {
            self.readers.remove(place);
        }
        self.prune(now);
    }

    /// From `position` on, the last, the file is in this state.
    pub fn changes(&mut self, position: u64, state: State<V>) {
        self.states.push_back((position, state));
        self.prune(position);
    }

    /// The state into which the file has changed in `position`, the last, is this one.
    pub fn is_corrected(&mut self, position: u64, state: State<V>) {
        match self.states.back_mut() {
            Some((from, newest)) if *from == position => *newest = state,
            Some(_) | None => self.changes(position, state),
        }
    }

    /// The state that is current.
    pub fn newest(&self) -> &State<V> {
        &self.states[self.states.len() - 1].1
    }

    /// The state that was current in `position`, for an open read.
    pub fn at(&self, position: u64) -> &State<V> {
        let after = self.states.partition_point(|(from, _)| *from <= position);
        &self.states[after.saturating_sub(1)].1
    }

    /// The positions after this one in which the state changed.
    pub fn changed_after(&self, position: u64) -> impl Iterator<Item = u64> {
        let first = self.states.partition_point(|(from, _)| *from <= position);
        self.states.range(first..).map(|(from, _)| *from)
    }

    /// How many states are kept.
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Drops what was replaced before any open read was asked.
    fn prune(&mut self, now: u64) {
        let oldest = self.readers.front().copied().unwrap_or(now);
        while self.states.get(1).is_some_and(|(from, _)| *from <= oldest) {
            self.states.pop_front();
        }
    }
}
