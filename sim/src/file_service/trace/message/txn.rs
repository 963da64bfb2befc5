//! Two-phase commit.

use seedbed::proto::{Header, Known, No, Operation, Results, Terms, TxnMessage, Vote, Work};

use super::Spelled;
use crate::file_service::trace::words::{answer, file, list, operation, outcome};

pub(super) fn message(message: &TxnMessage) -> Spelled {
    match message {
        TxnMessage::Fetch { txn, epoch, path } => {
            Spelled::brief(format!("Fetch {path} for {txn}")).rest(epoch.to_string())
        }
        TxnMessage::Fetched { txn, path, file: found } => {
            let found = found.as_ref().map_or_else(no, file);
            Spelled::brief(format!("Fetched {path} for {txn}")).needed(found)
        }
        TxnMessage::Prepare { header, epoch, terms, paths, work } => {
            let work = work.as_ref().map_or(String::new(), |work| format!("; {}", works(work)));
            Spelled::brief(format!("Prepare {}", header.txn))
                .needed(format!("pin {}{work}", list(paths.iter())))
                .rest(format!("{}; {}, {epoch}", term(terms), mark(header)))
        }
        TxnMessage::Ready { txn, pinned_in } => {
            Spelled::brief(format!("Ready {txn}")).contents(format!("pinned in {pinned_in}"))
        }
        TxnMessage::Execute { header, epoch, pinned_in, work } => {
            Spelled::brief(format!("Execute {}", header.txn))
                .contents(format!("{}; pinned in {pinned_in}", works(work)))
                .of_which(list(work.iter().map(|(_, done)| operation(done))))
                .rest(format!("{}, {epoch}", mark(header)))
        }
        TxnMessage::Executed { txn, vote: Vote::Yes(results) } => {
            Spelled::brief(format!("Executed yes {txn}")).contents(result_list(results))
        }
        TxnMessage::Executed { txn, vote: Vote::No(why) } => {
            Spelled::brief(format!("Executed no {txn} ({})", no(why)))
        }
        TxnMessage::Commit { header, voter: _, answer: outcomes } => {
            Spelled::brief(format!("Commit {}", header.txn))
                .contents(answer(outcomes))
                .rest(mark(header))
        }
        TxnMessage::Committed { txn } => Spelled::brief(format!("Committed {txn}")),
        TxnMessage::Abort { header } => {
            Spelled::brief(format!("Abort {}", header.txn)).rest(mark(header))
        }
        TxnMessage::Decline { header, epoch, request, refusal, paths } => {
            Spelled::brief(format!("Decline {request} {}", header.txn))
                .contents(refusal.to_string())
                .rest(format!("{}, {epoch}, {}", mark(header), list(paths.iter())))
        }
        TxnMessage::Declined { txn } => Spelled::brief(format!("Declined {txn}")),
        TxnMessage::Inquire { txn, asked: _ } => Spelled::brief(format!("Inquire {txn}")),
        TxnMessage::Told { txn, known } => {
            Spelled::brief(format!("Told {txn} {}", knowledge(known)))
        }
    }
}

fn mark(header: &Header) -> String {
    let low = header.low_water;
    format!("over up to {}/{}", low.incarnation.0, low.counter)
}

fn term(terms: &Terms) -> String {
    let Terms { request, attempt, lowest, age, participants, operations: _ } = terms;
    format!(
        "serves {request} (attempt {attempt}, has waited {} by {}, waits from #{lowest}), \
         participants {}",
        age.waited,
        age.request,
        list(participants.iter())
    )
}

fn works(work: &Work) -> String {
    let numbered = |(place, done): &(u8, Operation)| format!("{place}: {}", operation(done));
    list(work.iter().map(numbered))
}

/// The outcomes of one participant's operations, each with its place among all.
pub(in crate::file_service::trace) fn result_list(results: &Results) -> String {
    list(results.iter().map(|(place, found)| format!("{place}: {}", outcome(found))))
}

/// Why a participant votes no.
pub(in crate::file_service) fn no(no: &No) -> String {
    match no {
        No::Answered(outcomes) => format!("already answered: {}", answer(outcomes)),
        No::Refused { refusal, recorded: true } => format!("for good: {refusal}"),
        No::Refused { refusal, recorded: false } => refusal.to_string(),
        No::Conflict => "an older transaction has the path".to_owned(),
        No::Lost => "the pin is gone".to_owned(),
        No::Epoch(epoch) => format!("the epoch is {epoch}"),
        No::NotReady => "no running lease, or something yet to pull".to_owned(),
    }
}

fn knowledge(known: &Known) -> String {
    match known {
        Known::Committed(outcomes) => format!("committed: {}", answer(outcomes)),
        Known::Aborted => "aborted".to_owned(),
        Known::Undecided => "undecided".to_owned(),
        Known::Gone => "gone with its disk".to_owned(),
    }
}
