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
    AsksEveryOwnerBeforeItBeginsAgain,
    AsksEveryOwnerBeforeItGoesBack,
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
            Clause::AsksEveryOwnerBeforeItBeginsAgain,
            "an owner begins again although another may have a copy",
        ),
        (
            Clause::AsksEveryOwnerBeforeItGoesBack,
            "an owner takes an older copy although another may have a newer",
        ),
        (Clause::DropsWhatItHas, "an owner begins again with what it still has"),
    ];
}
