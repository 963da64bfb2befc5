//! How one step led to another: the way with the fewest messages on it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The messages by which the step at `from` led to the one at `to`: of each the places at which it
/// was sent and received, in order. `causes` says of each step what it follows from at once: the
/// last of them is the step before at the same machine, if `is_message` does not hold of the two.
///
/// Nothing if it did not: then it kept something from happening.
pub(super) fn between(
    causes: &[Vec<usize>],
    is_message: impl Fn(usize, usize) -> bool,
    from: usize,
    to: usize,
) -> Vec<usize> {
    if from >= to {
        return Vec::new();
    }
    // Of each step from which `to` follows: the next on the way, and how many messages it takes.
    let mut way: Vec<Option<(usize, usize)>> = vec![None; to - from + 1];
    let mut open = BinaryHeap::from([(Reverse(0), to, to)]);
    while let Some((Reverse(messages), place, next)) = open.pop() {
        if way[place - from].is_some() {
            continue;
        }
        way[place - from] = Some((next, messages));
        for &cause in causes[place].iter().filter(|cause| **cause >= from) {
            let more = usize::from(is_message(cause, place));
            open.push((Reverse(messages + more), cause, place));
        }
    }
    let mut steps = Vec::new();
    let mut place = from;
    while let Some((next, _)) = way[place - from].filter(|(next, _)| *next != place) {
        if is_message(place, next) {
            steps.extend([place, next]);
        }
        place = next;
    }
    steps.dedup();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps 0, 1 and 3 at one machine, 2 at another, 4 at a third: 1 sends to 2, 2 and 3 to 4.
    fn causes() -> Vec<Vec<usize>> {
        vec![vec![], vec![0], vec![1], vec![1], vec![3, 2], vec![]]
    }

    fn is_message(from: usize, to: usize) -> bool {
        matches!((from, to), (1, 2) | (2 | 3, 4))
    }

    #[test]
    fn the_way_with_the_fewest_messages_is_shown_by_them() {
        assert_eq!(between(&causes(), is_message, 0, 4), [3, 4]);
        assert_eq!(between(&causes(), is_message, 2, 4), [2, 4]);
        assert_eq!(between(&causes(), is_message, 0, 2), [1, 2]);
        assert_eq!(between(&causes(), is_message, 0, 3), [0; 0], "at one machine");
    }

    #[test]
    fn what_did_not_lead_there_has_no_way() {
        assert_eq!(between(&causes(), is_message, 2, 5), [0; 0]);
        assert_eq!(between(&causes(), is_message, 4, 4), [0; 0]);
    }
}
