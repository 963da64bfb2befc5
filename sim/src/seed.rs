//! One seed, many streams of numbers.
//!
//! Every purpose and object has a stream of its own: the latency of the link from a to b, the
//! requests of c1, the crashes of n2. So taking one fault out of a scenario changes no draw of
//! anything else, which is what makes a failing scenario shrink.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use seedbed::machine::{Class, NodeId, Span};

use crate::quantity::{Ppb, SpanRange};

/// The root of all streams of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream for `purpose` and `object`: a link, a node, a client, or nothing in particular.
    pub fn stream(self, purpose: &str, object: u64) -> Stream {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.0.to_le_bytes());
        key[8..16].copy_from_slice(&object.to_le_bytes());
        let name = xxhash_rust::xxh3::xxh3_128(purpose.as_bytes());
        key[16..].copy_from_slice(&name.to_le_bytes());
        Stream(ChaCha8Rng::from_seed(key))
    }
}

/// A number for a node, to name its streams by.
pub(crate) fn code(node: NodeId) -> u16 {
    match node.class() {
        Class::Client => node.number() | 1 << 15,
        Class::Control | Class::Node => node.number(),
    }
}

/// A stream of numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// A number below `n`, each as likely as any other to within 1 in 2^64 / n; 0 if `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Does something happen that is this likely?
    pub fn chance(&mut self, probability: Ppb) -> bool {
        // What never happens takes no draw, so that switching it on elsewhere changes nothing here.
        probability != Ppb::ZERO && self.below(Ppb::ONE.get().into()) < probability.get().into()
    }

    /// A span in `range`.
    pub fn span(&mut self, range: SpanRange) -> Span {
        let width = range.max.as_nanos() - range.min.as_nanos();
        Span::from_nanos(range.min.as_nanos() + self.below(width + 1))
    }

    /// One of `choices`; `None` if there is none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len() as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_different_names_objects_and_seeds_are_different() {
        let first = |seed: u64, name, object| Seed(seed).stream(name, object).below(u64::MAX);
        let all = [first(1, "a", 0), first(1, "a", 1), first(1, "b", 0), first(2, "a", 0)];
        for (i, draw) in all.iter().enumerate() {
            assert!(!all[..i].contains(draw));
        }
        assert_eq!(first(1, "a", 0), first(1, "a", 0));
    }

    #[test]
    fn a_draw_below_n_reaches_every_number_and_no_other() {
        let mut stream = Seed(7).stream("test", 0);
        let mut seen = [0; 5];
        (0..1000).for_each(|_| seen[stream.below(5) as usize] += 1);
        assert!(seen.iter().all(|&n| (150..250).contains(&n)), "{seen:?}");
    }

    #[test]
    fn what_is_certain_happens_and_what_is_impossible_does_not() {
        let mut stream = Seed(7).stream("test", 1);
        assert!((0..100).all(|_| stream.chance(Ppb::ONE)));
        assert!((0..100).all(|_| !stream.chance(Ppb::ZERO)));
    }
}
