//! Messages, spelled: in brief for charts, with what they carry for plays, with every field for
//! traces. This is the one file that tells what a message says.

use seedbed::proto::{
    Epoch, Header, Keep, Known, Lost, Message, No, Open, Operation, PullEnd, Results, Terms,
    Verdict, Vote, Work,
};

use super::words::{
    answer, count, end, file, joined, list, members_of, operation, operations, outcome, settled,
    views,
};
use super::{Detail, Places};

/// Something that is sent again and again while nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routine {
    /// What it goes with.
    pub topic: Topic,
    /// What is news the first time and no news after that; none where it never is news.
    pub says: Option<String>,
}

/// What routine messages go with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Heartbeats, their answers, and what is repeated with them.
    Heartbeats,
    /// Pulls, and chunks without files.
    Pulls,
}

/// What it is and what it is about: `Executed yes n1.1/4`.
pub fn brief(message: &Message) -> String {
    match message {
        Message::Begin { request, attempt: 1, .. } => format!("Begin {request}"),
        Message::Begin { request, attempt, .. } => format!("Begin {request} (attempt {attempt})"),
        Message::Read { request, path, .. } => format!("Read {path} for {request}"),
        Message::Ended { request, end: how, .. } => format!("Ended {request} {}", end(how)),
        Message::Fetch { txn, path, .. } => format!("Fetch {path} for {txn}"),
        Message::Fetched { txn, path, .. } => format!("Fetched {path} for {txn}"),
        Message::Prepare { header, .. } => format!("Prepare {}", header.txn),
        Message::Ready { txn, .. } => format!("Ready {txn}"),
        Message::Execute { header, .. } => format!("Execute {}", header.txn),
        Message::Executed { txn, vote: Vote::Yes(_) } => format!("Executed yes {txn}"),
        Message::Executed { txn, vote: Vote::No(why) } => {
            format!("Executed no {txn} ({})", no(why))
        }
        Message::Commit { header, .. } => format!("Commit {}", header.txn),
        Message::Committed { txn } => format!("Committed {txn}"),
        Message::Abort { header } => format!("Abort {}", header.txn),
        Message::Decline { header, request, .. } => format!("Decline {request} {}", header.txn),
        Message::Declined { txn } => format!("Declined {txn}"),
        Message::Inquire { txn, .. } => format!("Inquire {txn}"),
        Message::Told { txn, known } => format!("Told {txn} {}", knowledge(known)),
        Message::Resolve { txn, .. } => format!("Resolve {txn}"),
        Message::Resolved { txn, verdict: Verdict::Committed(_), .. } => {
            format!("Resolved {txn} committed")
        }
        Message::Resolved { txn, verdict: Verdict::Aborted, .. } => {
            format!("Resolved {txn} aborted")
        }
        Message::Acquire { request, path, .. } => format!("Acquire {path} for {request}"),
        Message::KeepAlive { path, keep, .. } => format!("KeepAlive {path} {}", kept(*keep)),
        Message::Release { path, token, .. } => format!("Release {path} under {token}"),
        Message::Granted { request, path, token, .. } => {
            format!("Granted {path} to {request} under {token}")
        }
        Message::KeptAlive { path, token, .. } => format!("KeptAlive {path} under {token}"),
        Message::NotKept { path, keep } => format!("NotKept {path} {}", kept(*keep)),
        Message::LockRefused { request, path, refusal } => {
            format!("LockRefused {path} to {request}: {refusal}")
        }
        Message::Released { request, path } => format!("Released {path} for {request}"),
        Message::Admit { incarnation } => format!("Admit {incarnation}"),
        Message::Admitted { admission, .. } => format!("Admitted under {admission}"),
        Message::Heartbeat { known: Epoch(0), .. } => "Heartbeat, knows no view".to_owned(),
        Message::Heartbeat { known, .. } => format!("Heartbeat, knows {known}"),
        Message::Alive { epoch, .. } => format!("Alive: a lease for {epoch}"),
        Message::Entered { epoch, .. } => format!("Entered {epoch}"),
        Message::Noted { epoch, .. } => format!("Noted {epoch}"),
        Message::Completed { epoch, .. } => format!("Completed in {epoch}"),
        Message::Departed { epoch, .. } => format!("Departed by {epoch}"),
        Message::Watch { known: Epoch(0) } => "Watch for any view".to_owned(),
        Message::Watch { known } => format!("Watch for views after {known}"),
        Message::Views { views, .. } => match &views[..] {
            [] => "Views: none".to_owned(),
            [only] => format!("Views {}", only.epoch),
            [oldest, .., newest] => format!("Views {} to {}", oldest.epoch, newest.epoch),
        },
        Message::Pull { epoch, pull, level, .. } => {
            format!("Pull #{pull} for {epoch} of what {level} had")
        }
        Message::Chunk { epoch, pull, files, end, .. } => {
            format!("Chunk #{pull} for {epoch}, {}: {}", count(files.len(), "path"), comes_to(end))
        }
    }
}

/// What a chunk says of its pull.
fn comes_to(end: &Option<PullEnd>) -> &'static str {
    match end {
        None => "not the last",
        Some(PullEnd { complete, witnessed, .. }) => {
            match (complete.is_empty(), witnessed.is_empty()) {
                (_, true) => "the last",
                (false, false) => "the last, part is witnessed",
                (true, false) => "only witnessed",
            }
        }
    }
}

/// What a message is and what it is about; what it carries too, or every field.
pub fn message(message: &Message, detail: Detail<'_>) -> String {
    match detail {
        Detail::Brief => brief(message),
        Detail::Contents(_) => joined([brief(message), contents(message, detail)]),
        Detail::Whole => joined([brief(message), contents(message, detail), rest(message)]),
    }
}

/// What the message carries.
fn contents(message: &Message, detail: Detail<'_>) -> String {
    match message {
        Message::Begin { operations: all, .. } => operations(all.iter()),
        Message::Read { epoch, attempt, .. } => format!("attempt {attempt}, {epoch}"),
        Message::Ended { attempt, .. } => format!("attempt {attempt}"),
        Message::Fetched { file: Ok(found), .. } => file(found),
        Message::Fetched { file: Err(why), .. } => no(why),
        Message::Prepare { paths, work, .. } => {
            let work = work.as_ref().map_or(String::new(), |work| format!("; {}", works(work)));
            format!("pin {}{work}", list(paths.iter()))
        }
        Message::Ready { pinned_in, .. } => format!("pinned in {pinned_in}"),
        Message::Execute { pinned_in, work, .. } => {
            format!("{}; pinned in {pinned_in}", works(work))
        }
        Message::Executed { vote: Vote::Yes(results), .. } => result_list(results),
        Message::Executed { vote: Vote::No(_), .. } => String::new(),
        Message::Commit { answer: outcomes, .. } => answer(outcomes),
        Message::Acquire { lowest, wait, asked, .. } => {
            let wait = if *wait { "in line" } else { "at once or not at all" };
            format!("{wait}, asked {asked}, waits from #{lowest}")
        }
        Message::KeepAlive { asked, .. }
        | Message::KeptAlive { asked, .. }
        | Message::Granted { asked, .. } => format!("asked {asked}"),
        Message::Release { request, .. } => format!("for {request}"),
        Message::Heartbeat { admission, incarnation, asked, answered, .. } => {
            let answered = answered.map_or("none".to_owned(), |answered| answered.to_string());
            format!("under {admission} in {incarnation}, asked {asked}; last answered: {answered}")
        }
        Message::Alive { incarnation, asked, lost: all, .. } => {
            format!("counts from {asked} of {incarnation}{}", lost(all))
        }
        Message::Views { views: all, settled: last, lost: gone, asked: _ } => {
            let all = match detail {
                Detail::Brief | Detail::Whole => views(all.iter()),
                Detail::Contents(_) => list(all.iter().map(members_of)),
            };
            format!("{all}; {}{}", settled(*last), lost(gone))
        }
        Message::Pull { incarnation, owner, arcs, after, .. } => {
            let after = after.as_ref().map_or(String::new(), |after| format!(" after {after}"));
            format!("by {incarnation} from {owner}, {}{after}", detail.on(arcs))
        }
        Message::Chunk { incarnation, after, files, doubtful, answers, end, .. } => {
            let left_out = match doubtful.is_empty() {
                true => String::new(),
                false => format!("; in doubt {}", detail.on(doubtful)),
            };
            let found = list(files.iter().map(|(path, found)| format!("{path} {}", file(found))));
            let after = after.as_ref().map_or(String::new(), |after| format!(" after {after}"));
            let end = end.as_ref().map_or(String::new(), |end| {
                let (complete, witnessed) = (detail.on(&end.complete), detail.on(&end.witnessed));
                format!("; complete {complete}, witness {witnessed}")
            });
            let known = count(answers.len(), "word");
            format!("for {incarnation}{after}: {found}; {known} on requests{left_out}{end}")
        }
        Message::Resolve { epoch, participants, .. } => {
            format!("it was for {epoch}, participants {}", list(participants.iter()))
        }
        Message::Resolved { verdict: Verdict::Committed(results), .. } => result_list(results),
        Message::Entered { open, .. } => {
            let open = open.iter().map(|Open { txn, results }| {
                format!("{txn} ({})", count(results.len(), "outcome"))
            });
            format!("open: {}", list(open))
        }
        Message::Resolved { verdict: Verdict::Aborted, .. } | Message::Inquire { .. } => {
            String::new()
        }
        Message::Decline { refusal, .. } => refusal.to_string(),
        Message::Fetch { .. } | Message::Abort { .. } | Message::Committed { .. } => String::new(),
        Message::Declined { .. } => String::new(),
        Message::Told { .. } | Message::NotKept { .. } | Message::LockRefused { .. } => {
            String::new()
        }
        Message::Released { .. } | Message::Admit { .. } | Message::Admitted { .. } => {
            String::new()
        }
        Message::Noted { .. } | Message::Completed { .. } | Message::Departed { .. } => {
            String::new()
        }
        Message::Watch { .. } => String::new(),
    }
}

/// The members that are lost.
fn lost(members: &[Lost]) -> String {
    let lost =
        |lost: &Lost| format!("; {}, which had entered {}, is lost", lost.member, lost.entered);
    members.iter().map(lost).collect()
}

/// The fields that neither [`brief`] nor [`contents`] tells.
fn rest(message: &Message) -> String {
    match message {
        Message::Begin { session, epoch, attempt: _, lowest, age, operations: _, request } => {
            let (life, number, open) = (session.node, session.number, session.lowest);
            let origin = if age.request == *request {
                String::new()
            } else {
                format!(" by {}", age.request)
            };
            format!(
                "has waited {}{origin}, waits from #{lowest}, session {life} #{number} from #{open}, \
                 {epoch}",
                age.waited
            )
        }
        Message::Fetch { epoch, .. } => epoch.to_string(),
        Message::Prepare { header, epoch, terms, paths: _, work: _ } => {
            format!("{}; {}, {epoch}", term(terms), mark(header))
        }
        Message::Execute { header, epoch, .. } => format!("{}, {epoch}", mark(header)),
        Message::Decline { header, epoch, paths, .. } => {
            format!("{}, {epoch}, {}", mark(header), list(paths.iter()))
        }
        Message::Commit { header, voter: _, answer: _ } | Message::Abort { header } => mark(header),
        Message::Admitted { incarnation, .. } => format!("for {incarnation}"),
        Message::Alive { settled: last, .. } => settled(*last),
        Message::Entered { admission, .. }
        | Message::Noted { admission, .. }
        | Message::Completed { admission, .. }
        | Message::Resolve { admission, .. }
        | Message::Resolved { admission, .. }
        | Message::Departed { admission, .. } => format!("under {admission}"),
        Message::Read { .. } | Message::Ended { .. } | Message::Fetched { .. } => String::new(),
        Message::Ready { .. } | Message::Executed { .. } | Message::Committed { .. } => {
            String::new()
        }
        Message::Inquire { .. } | Message::Told { .. } | Message::Declined { .. } => String::new(),
        Message::Acquire { .. } | Message::Release { .. } | Message::Released { .. } => {
            String::new()
        }
        Message::KeepAlive { .. } | Message::KeptAlive { .. } | Message::NotKept { .. } => {
            String::new()
        }
        Message::Granted { .. } | Message::LockRefused { .. } => String::new(),
        Message::Heartbeat { .. } | Message::Admit { .. } | Message::Watch { .. } => String::new(),
        Message::Views { .. } | Message::Pull { .. } | Message::Chunk { .. } => String::new(),
    }
}

/// What a message is part of that is sent again and again while nothing changes.
pub fn routine(message: &Message, places: &Places) -> Option<Routine> {
    let said = |words: String| Some(Routine { topic: Topic::Heartbeats, says: Some(words) });
    let on = |arcs| places.on(arcs);
    match message {
        Message::Heartbeat { .. } | Message::Watch { .. } => {
            Some(Routine { topic: Topic::Heartbeats, says: None })
        }
        Message::Alive { .. } => said(brief(message)),
        Message::Entered { .. }
        | Message::Noted { .. }
        | Message::Completed { .. }
        | Message::Departed { .. }
        | Message::Views { .. } => said(self::message(message, Detail::Contents(places))),
        Message::Pull { epoch, level, arcs, after, .. } => {
            let words = format!("{epoch} {level} {} {after:?}", on(arcs));
            Some(Routine { topic: Topic::Pulls, says: Some(words) })
        }
        Message::Chunk { epoch, files, doubtful, answers, end, .. } if files.is_empty() => {
            let end = end.as_ref().map(|end| (on(&end.complete), on(&end.witnessed)));
            let words = format!("{epoch} {} {answers:?} {end:?}", on(doubtful));
            Some(Routine { topic: Topic::Pulls, says: Some(words) })
        }
        Message::Chunk { .. } => None,
        Message::Begin { .. } | Message::Read { .. } | Message::Ended { .. } => None,
        Message::Fetch { .. } | Message::Fetched { .. } => None,
        Message::Prepare { .. } | Message::Ready { .. } => None,
        Message::Execute { .. } | Message::Executed { .. } => None,
        Message::Commit { .. } | Message::Committed { .. } | Message::Abort { .. } => None,
        Message::Inquire { .. } | Message::Told { .. } => None,
        Message::Decline { .. } | Message::Declined { .. } => None,
        Message::Resolve { .. } | Message::Resolved { .. } => None,
        Message::Acquire { .. } | Message::Granted { .. } | Message::LockRefused { .. } => None,
        Message::Release { .. } | Message::Released { .. } => None,
        Message::KeepAlive { .. } | Message::KeptAlive { .. } | Message::NotKept { .. } => None,
        Message::Admit { .. } | Message::Admitted { .. } => None,
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
pub(super) fn result_list(results: &Results) -> String {
    list(results.iter().map(|(place, found)| format!("{place}: {}", outcome(found))))
}

fn no(no: &No) -> String {
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

fn kept(keep: Keep) -> String {
    match keep {
        Keep::Waiting(request) => format!("place of {request}"),
        Keep::Holding(token) => format!("under {token}"),
    }
}
