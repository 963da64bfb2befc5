//! Sets of positions on the ring: what a node owns, has, asks for.
//!
//! A set is a list of arcs, each with its first and last position, in order, with gaps between
//! them. Two views cut the circle differently, and a hand-over is about pieces that have one owner
//! set in each view concerned; with sets those pieces need never be named: what a node must pull
//! from another is "mine now, not had, and his then".

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A set of positions on the ring. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Arcs(Arc<[(u64, u64)]>);

impl Arcs {
    /// The whole circle.
    pub fn all() -> Arcs {
        Arcs([(0, u64::MAX)].into())
    }

    /// The positions of these arcs, first and last of each, in whatever order they come; one whose
    /// last is before its first goes across the top of the circle.
    pub fn of(arcs: impl IntoIterator<Item = (u64, u64)>) -> Arcs {
        let mut list = Vec::new();
        for (first, last) in arcs {
            if first <= last {
                list.push((first, last));
            } else {
                list.extend([(0, last), (first, u64::MAX)]);
            }
        }
        list.sort_unstable();
        Arcs(joined(list).into())
    }

    /// No position at all?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is `position` in the set?
    pub fn contains(&self, position: u64) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= position);
        after > 0 && position <= self.0[after - 1].1
    }

    /// The arcs, first and last position of each, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// What is in this set or in `other`.
    #[must_use]
    pub fn union(&self, other: &Arcs) -> Arcs {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other.clone(),
            (_, true) => self.clone(),
            (false, false) => Arcs::of(self.iter().chain(other.iter())),
        }
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Arcs) -> Arcs {
        let (mut here, mut there) = (self.iter().peekable(), other.iter().peekable());
        let mut both = Vec::new();
        while let (Some(&a), Some(&b)) = (here.peek(), there.peek()) {
            let (first, last) = (a.0.max(b.0), a.1.min(b.1));
            if first <= last {
                both.push((first, last));
            }
            if a.1 < b.1 {
                here.next()
            } else {
                there.next()
            };
        }
        Arcs(both.into())
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Arcs) -> Arcs {
        self.intersection(&other.complement())
    }

    fn complement(&self) -> Arcs {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(0);
        for (first, last) in self.iter() {
            if let Some(from) = next.filter(|from| *from < first) {
                gaps.push((from, first - 1));
            }
            next = last.checked_add(1);
        }
        gaps.extend(next.map(|from| (from, u64::MAX)));
        Arcs(gaps.into())
    }
}

/// Arcs in order, those that touch made one.
fn joined(list: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut arcs: Vec<(u64, u64)> = Vec::with_capacity(list.len());
    for (first, last) in list {
        match arcs.last_mut() {
            Some(end) if end.1.checked_add(1).is_none_or(|next| first <= next) => {
                end.1 = end.1.max(last);
            }
            Some(_) | None => arcs.push((first, last)),
        }
    }
    arcs
}

impl fmt::Debug for Arcs {
    /// Short: there may be hundreds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for Arcs {
    /// How many arcs, and how much of the circle they are together.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let covered: u128 = self.iter().map(|(first, last)| u128::from(last - first) + 1).sum();
        let per_mille = (covered * 1000) >> 64;
        let (count, whole, tenth) = (self.0.len(), per_mille / 10, per_mille % 10);
        match count {
            1 => write!(f, "1 arc, {whole}.{tenth} %"),
            _ => write!(f, "{count} arcs, {whole}.{tenth} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sets over a circle so small that all its positions can be listed; the top is kept free or
    /// taken by an arc that ends at the very end.
    fn small() -> impl Strategy<Value = Arcs> {
        prop::collection::vec((0u64..40, 0u64..40), 0..6).prop_map(|arcs| {
            Arcs::of(arcs.into_iter().map(|(a, b)| {
                let top = |at: u64| if at >= 30 { u64::MAX - (39 - at) } else { at };
                (top(a), top(b))
            }))
        })
    }

    fn positions() -> impl Iterator<Item = u64> {
        (0..45).chain(u64::MAX - 15..=u64::MAX)
    }

    proptest! {
        #[test]
        fn sets_are_what_their_positions_say(a in small(), b in small()) {
            for at in positions() {
                let (in_a, in_b) = (a.contains(at), b.contains(at));
                prop_assert_eq!(a.union(&b).contains(at), in_a || in_b);
                prop_assert_eq!(a.intersection(&b).contains(at), in_a && in_b);
                prop_assert_eq!(a.difference(&b).contains(at), in_a && !in_b);
            }
        }

        #[test]
        fn equal_sets_are_written_in_one_way(a in small(), b in small()) {
            let again = a.difference(&b).union(&a.intersection(&b));
            prop_assert_eq!(&again, &a);
            let gaps = |set: &Arcs| {
                let arcs: Vec<_> = set.iter().collect();
                arcs.windows(2).all(|pair| pair[0].1 < pair[1].0 - 1)
            };
            prop_assert!(gaps(&a.union(&b)) && gaps(&a.intersection(&b)));
        }
    }

    #[test]
    fn the_whole_circle_and_nothing() {
        assert_eq!(Arcs::all().difference(&Arcs::all()), Arcs::default());
        assert_eq!(Arcs::default().union(&Arcs::all()), Arcs::all());
        assert_eq!(Arcs::of([(5, 4)]), Arcs::all());
        assert_eq!(Arcs::all().to_string(), "1 arc, 100.0 %");
    }
}
