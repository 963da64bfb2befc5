//! One number for a whole run: equal exactly if everything that happened was equal.
//!
//! xxh3-64, chained: the hash of each step is seeded with the hash of all before it. A step goes in
//! as the postcard form of its time, its event and its facts, which hold every message that was
//! sent, every record and every answer; `std::hash::Hash` and floats, which may differ between
//! builds, have no part in it, nor has the form in which a crash tears a record: a start cuts what
//! is torn whatever its form, and where it did not, what follows would differ.

use seedbed::machine::System;

use crate::world::Step;

/// The digest of the steps so far.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    hash: u64,
    bytes: Vec<u8>,
}

impl Digest {
    /// Takes in one step.
    pub fn add<S: System>(&mut self, step: &Step<S>) {
        self.bytes.clear();
        let form = (step.at, &step.event, &step.facts);
        let bytes = std::mem::take(&mut self.bytes);
        self.bytes = postcard::to_extend(&form, bytes).expect("a vector takes every byte");
        self.hash = xxhash_rust::xxh3::xxh3_64_with_seed(&self.bytes, self.hash);
    }

    /// The number.
    pub fn value(&self) -> u64 {
        self.hash
    }
}
