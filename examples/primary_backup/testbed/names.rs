//! What scenarios call the messages, records, milestones, phases and defects of the register.

use seedbed_sim::invariant::ListedInvariant;
use seedbed_sim::names;

use crate::protocol::{Message, Record};

names! {
    /// Kinds of message.
    pub enum MessageKind of Message {
        /// a client asks for a read or a write
        Ask = "ask",
        /// a replica answers
        Answer = "answer",
        /// a primary sends its state to the backup
        Copy = "copy",
        /// a backup confirms that it has it
        Copied = "copied",
        /// a replica says that it is up
        Ping = "ping",
        /// the monitor says which view is the newest
        View = "view",
    }
}

names! {
    /// Kinds of record.
    pub enum RecordKind of Record {
        /// a view that was announced or entered
        View = "view",
        /// the state of a replica
        State = "state",
    }
}

names! {
    /// Mistakes that can be switched on.
    pub enum Defect {
        /// a primary that its backup does not confirm takes it for dead, and answers alone
        GoesOnAlone = "goes_on_alone",
        /// a primary answers a write that only its own disk has
        AnswersBeforeCopied = "answers_before_copied",
        /// a primary answers a read without asking its backup whether it still is the primary
        ReadsAlone = "reads_alone",
    }
}

names! {
    /// Milestones.
    pub enum Milestone {
        /// a backup has become the primary
        Promoted = "promoted",
        /// a primary has entered a view in which it is alone
        LeftAlone = "left_alone",
        /// a primary that was alone has entered a view with a backup
        Joined = "joined",
    }
}

names! {
    /// What a machine can be when a fault strikes it.
    pub enum Phase {
        /// a primary that has a backup
        PrimaryWithBackup = "primary_with_backup",
        /// a primary that has none
        PrimaryAlone = "primary_alone",
        /// a replica that is not the primary
        NotPrimary = "not_primary",
        /// the monitor
        Monitor = "monitor",
        /// a client
        Client = "client",
    }
}

names! {
    /// Invariants, the more specific of two first.
    pub enum Invariant {
        /// no replica answers a write that it first took after another had become the primary of a
        /// newer view
        OnePrimaryAnswersWrites = "one_primary_answers_writes",
        /// the primary of the newest view stores every write that a client was told is done
        AcknowledgedWritesSurvive = "acknowledged_writes_survive",
        /// an answer is not older than one that was given before its request was asked, and a
        /// version has one value
        AnswersFitOneRegister = "answers_fit_one_register",
    }
}

impl ListedInvariant for Invariant {
    fn source(self) -> &'static str {
        match self {
            Invariant::OnePrimaryAnswersWrites => "split brain; Budhiraja et al. 1993",
            Invariant::AcknowledgedWritesSurvive => "durability; Alsberg and Day 1976",
            Invariant::AnswersFitOneRegister => "linearizability; Herlihy and Wing 1990",
        }
    }
}
