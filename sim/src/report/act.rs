//! A step in which a defect acts.

use crate::under_test::UnderTest;
use crate::world::Step;

/// A step that would be another without the defects.
#[derive(Clone, Debug)]
pub struct Act<S: UnderTest> {
    /// Its number.
    pub step: u64,
    /// What happens in its place without the defects; `None` if that run is over.
    pub without: Option<Step<S>>,
    /// Is it where the whole run parts from the run without the defects? Else the same machine, in
    /// the same state and with the same input, would do something else.
    pub is_parting: bool,
    /// What its machine holds after it, with the defects and without, in words.
    pub states: [Vec<String>; 2],
}
