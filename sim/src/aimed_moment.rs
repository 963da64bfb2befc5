//! The moments of a protocol at which a drawn fault is worth most.

use crate::milestone::Milestone;
use crate::under_test::UnderTest;

/// A moment at which aimed faults strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AimedMoment<S: UnderTest> {
    /// The part of the protocol that it belongs to: each is drawn as often as any other.
    pub group: u8,
    /// What is reached.
    pub at: Milestone<S>,
    /// May a disk be lost at it? One is lost seldom, and then where others want what is on it.
    pub loses_disks: bool,
}
