//! Records, spelled: in brief for charts, with what they hold for plays, with every field for
//! traces. This is the one file that tells what a record says.

use seedbed::proto::{Changes, Decided, Record, Voted};

use super::Detail;
use super::message::result_list;
use super::words::{
    answer, count, file, in_parentheses, joined, list, members_of, on, views, wanted,
};

/// What it is and what it is about: `voted n1.1/4`.
pub fn brief(record: &Record) -> String {
    let kind = record.kind().name();
    match record {
        Record::Born { admission, .. } => format!("{kind} under {admission}"),
        Record::Voted(Voted { txn, .. }) => format!("{kind} {txn}"),
        Record::Promised { txn } => format!("{kind} never to vote for {txn}"),
        Record::Declined { request, refusal } => format!("{kind} {request}: {refusal}"),
        Record::Decided(Decided { txn, .. }) => format!("{kind} to commit {txn}"),
        Record::Applied { txn, .. } => format!("{kind} {txn}"),
        Record::RolledBack { txn } => format!("rolled back {txn}"),
        Record::Over { txn } => format!("{txn} is over"),
        Record::Stored { path, file: stored } => format!("{kind} {path} {}", file(stored)),
        Record::Answered { request, .. } => format!("{kind} {request}"),
        Record::Settled { txn, answer: Some(_) } => format!("{kind} {txn}: committed"),
        Record::Settled { txn, answer: None } => format!("{kind} {txn}: aborted"),
        Record::Mark { coordinator, low_water } => {
            let (life, counter) = (low_water.incarnation.0, low_water.counter);
            format!("{coordinator} is over up to {life}/{counter}")
        }
        Record::Forgotten { client, incarnation, lowest } => {
            format!("{client}.{} waits from #{lowest}", incarnation.0)
        }
        Record::Queued { path, request } => format!("{kind} {request} for {path}"),
        Record::Granted { path, request, token } => {
            format!("granted {path} to {request} under {token}")
        }
        Record::Left { path, request } => format!("{request} has left {path}"),
        Record::LockOver { request, refused: true } => format!("{request} was refused a lock"),
        Record::LockOver { request, refused: false } => format!("{request} has held its lock"),
        Record::LastToken { token } => format!("last token {token}"),
        Record::Entered { epoch, .. } => format!("{kind} {epoch}"),
        Record::Pulled { files, .. } => format!("{kind} {}", count(files.len(), "path")),
        Record::Complete { epoch, arcs } => format!("{kind} in {epoch} {}", on(arcs)),
        Record::Reset { epoch, arcs } => format!("begins again in {epoch} {}", on(arcs)),
        Record::GaveUp { epoch, .. } => format!("gave up what it claimed before {epoch}"),
        Record::Admitted { member, incarnation } => {
            format!("{member} in {incarnation} is admitted under {}", member.admission)
        }
        Record::Recorded { member, entered, .. } => format!("{member} has entered {entered}"),
        Record::Lost { lost } => {
            format!("{}, which had entered {}, is lost", lost.member, lost.entered)
        }
        Record::Wanted { .. } => "what is wanted".to_owned(),
        Record::Announced { view } => format!("{kind} {}", members_of(view)),
        Record::Activated { epoch } => format!("{kind} {epoch}"),
        Record::Converged { epoch } => format!("{epoch} has settled"),
        Record::LossAccepted { members } => format!("{} are given up", list(members.iter())),
        Record::LongestLease { span } => format!("the longest lease of a lock is {span}"),
    }
}

/// What a record is and what it is about; what it holds too, or every field.
pub fn record(record: &Record, detail: Detail<'_>) -> String {
    match detail {
        Detail::Brief => brief(record),
        Detail::Report(_) => in_parentheses(brief(record), &needed(record, detail)),
        Detail::Contents(_) => joined([brief(record), contents(record, detail)]),
        Detail::Whole => joined([brief(record), contents(record, detail), rest(record)]),
    }
}

/// What of it a reader of a report needs.
fn needed(record: &Record, detail: Detail<'_>) -> String {
    match record {
        Record::Voted(Voted { changes, .. }) | Record::Decided(Decided { changes, .. }) => {
            if changes.is_empty() {
                String::new()
            } else {
                change_list(changes)
            }
        }
        Record::Pulled { files, answers, .. } => {
            let Detail::Report(places) = detail else { return String::new() };
            let known = files.iter().filter(|(path, _)| places.paths().contains(path));
            let known = list(known.map(|(path, held)| format!("{path} {}", file(held))));
            format!("{known}; answers of {}", count(answers.len(), "request"))
        }
        Record::Complete { .. } | Record::Reset { .. } | Record::GaveUp { .. } => {
            contents(record, detail)
        }
        Record::Entered { .. } | Record::Recorded { .. } => contents(record, detail),
        _ => String::new(), // the brief form says it
    }
}

/// What the record holds.
fn contents(record: &Record, detail: Detail<'_>) -> String {
    match record {
        Record::Voted(Voted { paths, changes, results, .. }) => format!(
            "yes: {}; changes {}; pins {}",
            result_list(results),
            change_list(changes),
            list(paths.iter()),
        ),
        Record::Decided(Decided { changes, answer: outcomes, .. }) => {
            format!("{}; changes {}", answer(outcomes), change_list(changes))
        }
        Record::Applied { answer: outcomes, .. }
        | Record::Answered { answer: outcomes, .. }
        | Record::Settled { answer: Some(outcomes), .. } => answer(outcomes),
        Record::Settled { answer: None, .. } | Record::Promised { .. } => String::new(),
        Record::Declined { .. } | Record::RolledBack { .. } | Record::Over { .. } => String::new(),
        Record::Stored { .. } | Record::Mark { .. } => String::new(),
        Record::Forgotten { .. } => String::new(),
        Record::Queued { .. } | Record::Granted { .. } | Record::Left { .. } => String::new(),
        Record::LockOver { .. } | Record::LastToken { .. } | Record::Born { .. } => String::new(),
        Record::Entered { complete, .. } => format!("complete {}", detail.on(complete)),
        Record::Pulled { files, answers, replaced } => {
            let words = count(answers.len(), "word");
            match replaced.is_empty() {
                true => format!("{}; {words} on requests", change_list(files)),
                false => format!(
                    "{}; {words} on requests; replaces all votes {}",
                    change_list(files),
                    detail.on(replaced)
                ),
            }
        }
        Record::GaveUp { keeps, .. } => format!("keeps what is {}", detail.on(keeps)),
        Record::Wanted { wanted } => self::wanted(wanted),
        Record::Complete { arcs, .. } | Record::Reset { arcs, .. } => detail.paths_on(arcs),
        Record::Announced { .. } | Record::Admitted { .. } => String::new(),
        Record::Activated { .. } | Record::Converged { .. } => String::new(),
        Record::Recorded { open, .. } => {
            format!("open: {}", list(open.iter().map(|open| open.txn)))
        }
        Record::Lost { .. } => String::new(),
        Record::LossAccepted { .. } | Record::LongestLease { .. } => String::new(),
    }
}

/// The fields that neither [`brief`] nor [`contents`] tells, of the records that have such.
fn rest(record: &Record) -> String {
    match record {
        Record::Voted(Voted { request, waited, participants, epoch, .. }) => {
            let participants = list(participants.iter());
            format!("serves {request}, has waited {waited}, participants {participants}, {epoch}")
        }
        Record::Decided(Decided { request, participants, epoch, .. }) => {
            format!("serves {request}, participants {}, {epoch}", list(participants.iter()))
        }
        Record::Applied { request, .. } => format!("serves {request}"),
        Record::Announced { view } => views([view]),
        _ => String::new(),
    }
}

fn change_list(changes: &Changes) -> String {
    list(changes.iter().map(|(path, changed)| format!("{path} {}", file(changed))))
}
