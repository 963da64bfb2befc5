//! The milestones that a run and a sweep count in what they print.

use crate::milestone::Milestone;
use crate::under_test::UnderTest;

/// Milestones that belong together.
#[derive(Clone, Debug)]
pub struct Figures<S: UnderTest> {
    /// What they are about.
    pub name: &'static str,
    /// Each with what it counts.
    pub counted: Vec<(&'static str, Milestone<S>)>,
}

impl<S: UnderTest> Figures<S> {
    /// Outcomes of requests.
    pub fn requests() -> Figures<S> {
        let counted = vec![
            ("done", Milestone::REQUEST_DONE),
            ("refused", Milestone::REQUEST_REFUSED),
            ("unknown", Milestone::REQUEST_UNKNOWN),
        ];
        Figures { name: "requests", counted }
    }
}
