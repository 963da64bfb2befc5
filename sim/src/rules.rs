//! The invariants by name, for whoever names or explains one: the one door to the oracle's list.

use std::sync::LazyLock;

/// What is known of an invariant beside its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as used in `violates = "..."`.
    pub name: &'static str,
    /// What it says, in one line.
    pub summary: &'static str,
    /// Its classic name, and where it is written down.
    pub source: &'static str,
}

/// Every invariant.
pub fn all() -> impl Iterator<Item = Rule> {
    std::iter::empty()
}

/// The invariant `name`.
pub fn find(name: &str) -> Option<Rule> {
    all().find(|rule| rule.name == name)
}

/// The names of all.
pub fn names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| all().map(|rule| rule.name).collect());
    &NAMES
}
