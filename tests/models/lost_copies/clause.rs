//! The clauses of the rule.

/// A clause of the rule, taken away to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    ServesWhenItsEntryIsRecorded,
    SettlesWhenEntriesAreRecorded,
    StaysCompleteAsAnOwnerOnly,
    PassesOnlyWhatIsWitnessed,
    AWitnessWasNotComplete,
    ALostOneTestifiesOnlyToWhatItNeverEntered,
    RecordsNoEntryOfTheLost,
    AcceptsByAViewOfItsOwn,
    TakesNoCopyOfTheNamed,
    PassesOnlyWhereEveryOwnerIsNamed,
    AsksEveryOwnerOfWhatIsPassed,
    DropsWhatItHas,
}

impl Clause {
    /// Every clause, with what happens without it.
    pub const ALL: &[(Clause, &'static str)] = &[
        (
            Clause::SettlesWhenEntriesAreRecorded,
            "a view settles before the centre has recorded that its owners have entered it",
        ),
        (
            Clause::ServesWhenItsEntryIsRecorded,
            "an owner serves before the centre has recorded its entry",
        ),
        (
            Clause::StaysCompleteAsAnOwnerOnly,
            "a node stays complete through a view in which it is no owner",
        ),
        (Clause::PassesOnlyWhatIsWitnessed, "a new owner takes the copy of any earlier owner"),
        (Clause::AWitnessWasNotComplete, "an owner that was complete counts as a witness"),
        (
            Clause::ALostOneTestifiesOnlyToWhatItNeverEntered,
            "a lost disk counts as a witness for every view",
        ),
        (
            Clause::RecordsNoEntryOfTheLost,
            "the centre records that a node has entered a view which it knows to be lost",
        ),
        (Clause::TakesNoCopyOfTheNamed, "an owner takes the copy of a machine that is named"),
        (Clause::AcceptsByAViewOfItsOwn, "a loss is accepted within the view in force"),
        (
            Clause::PassesOnlyWhereEveryOwnerIsNamed,
            "a view is passed when one of its owners is named",
        ),
        (
            Clause::AsksEveryOwnerOfWhatIsPassed,
            "an owner begins again although one of a view that is passed may have a copy",
        ),
        (Clause::DropsWhatItHas, "an owner begins again with what it still has"),
    ];
}
