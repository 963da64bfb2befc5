//! The clauses of the rule.

/// A clause of the rule, taken away to see that it is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    GivesUpWhenItLeaves,
    VotesInItsEpochOnly,
    ReportsWhatItHasApplied,
    ReportsBeforeItServes,
    RecordsBeforeItAcknowledges,
    TakesNoReportOfTheLost,
    TakesNoAbortOutsideTheEpoch,
    BelievesTheCoordinatorThatLeft,
    WaitsForEveryParticipant,
    AbortsWhatIsNotOpenAtOne,
    CommitsWhatOnlyTheLostCouldRefuse,
    TellsRefusalsWhenAllHaveThem,
    ForcesRefusals,
    RepeatsItsReport,
    ForcesThatItHasLeft,
    ForcesWhatIsLost,
    HoldsBackWhatItDoubts,
    RemembersUntilAllHaveIt,
    WaitsForLeases,
    IsInDoubtAboutNoOtherAttempt,
    VotesWhenItsEntryIsRecorded,
    AbortsWhatALostOneHadNotEnteredFor,
}

impl Clause {
    /// Every clause, with what a node or the centre does without it.
    pub const ALL: &[(Clause, &'static str)] = &[
        (Clause::GivesUpWhenItLeaves, "a coordinator decides after it has left the epoch"),
        (Clause::VotesInItsEpochOnly, "a participant votes after it has left the epoch"),
        (
            Clause::ReportsWhatItHasApplied,
            "a participant reports its doubts and not what it has applied",
        ),
        (Clause::ReportsBeforeItServes, "a node serves before its report is acknowledged"),
        (
            Clause::RecordsBeforeItAcknowledges,
            "the centre acknowledges a report and forgets it in a crash",
        ),
        (
            Clause::TakesNoReportOfTheLost,
            "the centre takes a late report of a node whose disk is lost",
        ),
        (
            Clause::TakesNoAbortOutsideTheEpoch,
            "a participant that has left takes its coordinator's abort",
        ),
        (
            Clause::BelievesTheCoordinatorThatLeft,
            "the centre asks the participants of a lost coordinator that had left",
        ),
        (
            Clause::WaitsForEveryParticipant,
            "the centre does not wait for participants that have not left",
        ),
        (
            Clause::AbortsWhatIsNotOpenAtOne,
            "the centre commits what one participant reports not open",
        ),
        (
            Clause::CommitsWhatOnlyTheLostCouldRefuse,
            "the centre aborts where a participant's disk is lost",
        ),
        (
            Clause::TellsRefusalsWhenAllHaveThem,
            "a client is told of a refusal when one participant has it",
        ),
        (Clause::ForcesRefusals, "a participant acknowledges a refusal that it has not forced"),
        (Clause::RepeatsItsReport, "a node does not repeat its report"),
        (
            Clause::ForcesThatItHasLeft,
            "a node reports before it has forced that it leaves the epoch",
        ),
        (Clause::ForcesWhatIsLost, "the centre forgets in a crash which disks are lost"),
        (
            Clause::HoldsBackWhatItDoubts,
            "a node hands over, without the transaction, what it is in doubt about",
        ),
        (
            Clause::RemembersUntilAllHaveIt,
            "a participant forgets what it has applied while another may be in doubt",
        ),
        (
            Clause::WaitsForLeases,
            "a machine that the operator gives up counts as lost while its lease runs",
        ),
        (
            Clause::IsInDoubtAboutNoOtherAttempt,
            "a participant acknowledges the refusal of one attempt while another is in doubt",
        ),
        (
            Clause::VotesWhenItsEntryIsRecorded,
            "a participant votes before the centre has recorded that it entered the epoch",
        ),
        (
            Clause::AbortsWhatALostOneHadNotEnteredFor,
            "the centre commits what a lost participant had not entered the epoch for",
        ),
    ];
}
