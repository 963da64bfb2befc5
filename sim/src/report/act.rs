//! A step in which a run goes another way than a run beside it.

use crate::under_test::UnderTest;
use crate::world::Step;

/// A step that would be another without the defects, or in which the run parts from one with one
/// thing less.
#[derive(Clone, Debug)]
pub struct Act<S: UnderTest> {
    /// Its number.
    pub step: u64,
    /// What happens in its place in the other run; `None` if that is over.
    pub without: Option<Step<S>>,
    /// Is it where the whole run parts from the other? Else the same machine, in the same state and
    /// with the same input, would do something else without the defects.
    pub is_parting: bool,
    /// What its machine holds after it, in this run and in the other, in words.
    pub states: [Vec<String>; 2],
    /// The step in which the run without the defects sends what this one sends here, and before it
    /// the last way that leads there; nothing if it never does, or if that is not looked for.
    pub later: Vec<Step<S>>,
}
