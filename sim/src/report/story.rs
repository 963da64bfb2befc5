//! The steps that explain a run, and what they are about.

use std::collections::BTreeSet;

use crate::subject::Subjects;
use crate::under_test::UnderTest;

/// The steps that explain a violation.
#[derive(Debug)]
pub(super) struct Story<S: UnderTest> {
    /// What stands above its chart.
    pub heading: &'static str,
    /// What it is about.
    pub subjects: Subjects<S::Subject>,
    /// The same, and what the objects of the two facts went through before.
    pub wider: Subjects<S::Subject>,
    /// The objects of the two facts, and what they name beside.
    pub named: Subjects<S::Subject>,
    /// Where the two facts stand, as far as they are kept.
    pub facts: Vec<usize>,
    /// Where the objects were changed before.
    pub origins: BTreeSet<usize>,
    /// Where a defect acts.
    pub acts: Vec<usize>,
    /// The same, and what the first of that has led to.
    pub of_defect: BTreeSet<usize>,
    /// The steps, in order, each with its rank: the lowest are told where there is no room for all.
    pub steps: Vec<(usize, usize)>,
}
