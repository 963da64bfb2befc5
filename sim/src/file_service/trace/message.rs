//! Messages, spelled: in brief for charts, with what they carry for plays, with every field for
//! traces. This is the one file that tells what a message says.

use seedbed::proto::{
    Chunk, Ended, Epoch, FileRequest, FromCentre, Header, Keep, Known, LockAnswer, LockRequest,
    Lost, Message, No, Open, Operation, Pull, PullEnd, Results, Terms, ToCentre, TxnMessage,
    Verdict, Views, Vote, Work,
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
        Message::FileRequest(FileRequest::Begin { request, attempt: 1, .. }) => {
            format!("Begin {request}")
        }
        Message::FileRequest(FileRequest::Begin { request, attempt, .. }) => {
            format!("Begin {request} (attempt {attempt})")
        }
        Message::FileRequest(FileRequest::Read { request, path, .. }) => {
            format!("Read {path} for {request}")
        }
        Message::Ended(Ended { request, end: how, .. }) => format!("Ended {request} {}", end(how)),
        Message::Txn(TxnMessage::Fetch { txn, path, .. }) => format!("Fetch {path} for {txn}"),
        Message::Txn(TxnMessage::Fetched { txn, path, .. }) => format!("Fetched {path} for {txn}"),
        Message::Txn(TxnMessage::Prepare { header, .. }) => format!("Prepare {}", header.txn),
        Message::Txn(TxnMessage::Ready { txn, .. }) => format!("Ready {txn}"),
        Message::Txn(TxnMessage::Execute { header, .. }) => format!("Execute {}", header.txn),
        Message::Txn(TxnMessage::Executed { txn, vote: Vote::Yes(_) }) => {
            format!("Executed yes {txn}")
        }
        Message::Txn(TxnMessage::Executed { txn, vote: Vote::No(why) }) => {
            format!("Executed no {txn} ({})", no(why))
        }
        Message::Txn(TxnMessage::Commit { header, .. }) => format!("Commit {}", header.txn),
        Message::Txn(TxnMessage::Committed { txn }) => format!("Committed {txn}"),
        Message::Txn(TxnMessage::Abort { header }) => format!("Abort {}", header.txn),
        Message::Txn(TxnMessage::Decline { header, request, .. }) => {
            format!("Decline {request} {}", header.txn)
        }
        Message::Txn(TxnMessage::Declined { txn }) => format!("Declined {txn}"),
        Message::Txn(TxnMessage::Inquire { txn, .. }) => format!("Inquire {txn}"),
        Message::Txn(TxnMessage::Told { txn, known }) => format!("Told {txn} {}", knowledge(known)),
        Message::ToCentre(ToCentre::Resolve { txn, .. }) => format!("Resolve {txn}"),
        Message::FromCentre(FromCentre::Resolved {
            txn, verdict: Verdict::Committed(_), ..
        }) => {
            format!("Resolved {txn} committed")
        }
        Message::FromCentre(FromCentre::Resolved { txn, verdict: Verdict::Aborted, .. }) => {
            format!("Resolved {txn} aborted")
        }
        Message::LockRequest(LockRequest::Acquire { request, path, .. }) => {
            format!("Acquire {path} for {request}")
        }
        Message::LockRequest(LockRequest::KeepAlive { path, keep, .. }) => {
            format!("KeepAlive {path} {}", kept(*keep))
        }
        Message::LockRequest(LockRequest::Release { path, token, .. }) => {
            format!("Release {path} under {token}")
        }
        Message::LockAnswer(LockAnswer::Granted { request, path, token, .. }) => {
            format!("Granted {path} to {request} under {token}")
        }
        Message::LockAnswer(LockAnswer::KeptAlive { path, token, .. }) => {
            format!("KeptAlive {path} under {token}")
        }
        Message::LockAnswer(LockAnswer::NotKept { path, keep }) => {
            format!("NotKept {path} {}", kept(*keep))
        }
        Message::LockAnswer(LockAnswer::LockRefused { request, path, refusal }) => {
            format!("LockRefused {path} to {request}: {refusal}")
        }
        Message::LockAnswer(LockAnswer::Released { request, path }) => {
            format!("Released {path} for {request}")
        }
        Message::ToCentre(ToCentre::Admit { incarnation }) => format!("Admit {incarnation}"),
        Message::FromCentre(FromCentre::Admitted { admission, .. }) => {
            format!("Admitted under {admission}")
        }
        Message::ToCentre(ToCentre::Heartbeat { known: Epoch(0), .. }) => {
            "Heartbeat, knows no view".to_owned()
        }
        Message::ToCentre(ToCentre::Heartbeat { known, .. }) => format!("Heartbeat, knows {known}"),
        Message::FromCentre(FromCentre::Alive { epoch, .. }) => {
            format!("Alive: a lease for {epoch}")
        }
        Message::ToCentre(ToCentre::Entered { epoch, .. }) => format!("Entered {epoch}"),
        Message::FromCentre(FromCentre::Noted { epoch, .. }) => format!("Noted {epoch}"),
        Message::ToCentre(ToCentre::Completed { epoch, .. }) => format!("Completed in {epoch}"),
        Message::ToCentre(ToCentre::Departed { epoch, .. }) => format!("Departed by {epoch}"),
        Message::ToCentre(ToCentre::Watch { known: Epoch(0) }) => "Watch for any view".to_owned(),
        Message::ToCentre(ToCentre::Watch { known }) => format!("Watch for views after {known}"),
        Message::Views(Views { views, .. }) => match &views[..] {
            [] => "Views: none".to_owned(),
            [only] => format!("Views {}", only.epoch),
            [oldest, .., newest] => format!("Views {} to {}", oldest.epoch, newest.epoch),
        },
        Message::Pull(Pull { epoch, pull, level, .. }) => {
            format!("Pull #{pull} for {epoch} of what {level} had")
        }
        Message::Chunk(Chunk { epoch, pull, files, end, .. }) => {
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
        Message::FileRequest(FileRequest::Begin { operations: all, .. }) => operations(all.iter()),
        Message::FileRequest(FileRequest::Read { epoch, attempt, .. }) => {
            format!("attempt {attempt}, {epoch}")
        }
        Message::Ended(Ended { attempt, .. }) => format!("attempt {attempt}"),
        Message::Txn(TxnMessage::Fetched { file: Ok(found), .. }) => file(found),
        Message::Txn(TxnMessage::Fetched { file: Err(why), .. }) => no(why),
        Message::Txn(TxnMessage::Prepare { paths, work, .. }) => {
            let work = work.as_ref().map_or(String::new(), |work| format!("; {}", works(work)));
            format!("pin {}{work}", list(paths.iter()))
        }
        Message::Txn(TxnMessage::Ready { pinned_in, .. }) => format!("pinned in {pinned_in}"),
        Message::Txn(TxnMessage::Execute { pinned_in, work, .. }) => {
            format!("{}; pinned in {pinned_in}", works(work))
        }
        Message::Txn(TxnMessage::Executed { vote: Vote::Yes(results), .. }) => result_list(results),
        Message::Txn(TxnMessage::Executed { vote: Vote::No(_), .. }) => String::new(),
        Message::Txn(TxnMessage::Commit { answer: outcomes, .. }) => answer(outcomes),
        Message::LockRequest(LockRequest::Acquire { lowest, wait, asked, .. }) => {
            let wait = if *wait { "in line" } else { "at once or not at all" };
            format!("{wait}, asked {asked}, waits from #{lowest}")
        }
        Message::LockRequest(LockRequest::KeepAlive { asked, .. })
        | Message::LockAnswer(LockAnswer::KeptAlive { asked, .. })
        | Message::LockAnswer(LockAnswer::Granted { asked, .. }) => format!("asked {asked}"),
        Message::LockRequest(LockRequest::Release { request, .. }) => format!("for {request}"),
        Message::ToCentre(ToCentre::Heartbeat {
            admission, incarnation, asked, answered, ..
        }) => {
            let answered = answered.map_or("none".to_owned(), |answered| answered.to_string());
            format!("under {admission} in {incarnation}, asked {asked}; last answered: {answered}")
        }
        Message::FromCentre(FromCentre::Alive { incarnation, asked, lost: all, .. }) => {
            format!("counts from {asked} of {incarnation}{}", lost(all))
        }
        Message::Views(Views { views: all, settled: last, lost: gone, asked: _ }) => {
            let all = match detail {
                Detail::Brief | Detail::Whole => views(all.iter()),
                Detail::Contents(_) => list(all.iter().map(members_of)),
            };
            format!("{all}; {}{}", settled(*last), lost(gone))
        }
        Message::Pull(Pull { incarnation, owner, arcs, after, .. }) => {
            let after = after.as_ref().map_or(String::new(), |after| format!(" after {after}"));
            format!("by {incarnation} from {owner}, {}{after}", detail.on(arcs))
        }
        Message::Chunk(Chunk { incarnation, after, files, doubtful, answers, end, .. }) => {
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
        Message::ToCentre(ToCentre::Resolve { epoch, participants, .. }) => {
            format!("it was for {epoch}, participants {}", list(participants.iter()))
        }
        Message::FromCentre(FromCentre::Resolved {
            verdict: Verdict::Committed(results), ..
        }) => result_list(results),
        Message::ToCentre(ToCentre::Entered { open, .. }) => {
            let open = open.iter().map(|Open { txn, results }| {
                format!("{txn} ({})", count(results.len(), "outcome"))
            });
            format!("open: {}", list(open))
        }
        Message::FromCentre(FromCentre::Resolved { verdict: Verdict::Aborted, .. })
        | Message::Txn(TxnMessage::Inquire { .. }) => String::new(),
        Message::Txn(TxnMessage::Decline { refusal, .. }) => refusal.to_string(),
        Message::Txn(TxnMessage::Fetch { .. })
        | Message::Txn(TxnMessage::Abort { .. })
        | Message::Txn(TxnMessage::Committed { .. }) => String::new(),
        Message::Txn(TxnMessage::Declined { .. }) => String::new(),
        Message::Txn(TxnMessage::Told { .. })
        | Message::LockAnswer(LockAnswer::NotKept { .. })
        | Message::LockAnswer(LockAnswer::LockRefused { .. }) => String::new(),
        Message::LockAnswer(LockAnswer::Released { .. })
        | Message::ToCentre(ToCentre::Admit { .. })
        | Message::FromCentre(FromCentre::Admitted { .. }) => String::new(),
        Message::FromCentre(FromCentre::Noted { .. })
        | Message::ToCentre(ToCentre::Completed { .. })
        | Message::ToCentre(ToCentre::Departed { .. }) => String::new(),
        Message::ToCentre(ToCentre::Watch { .. }) => String::new(),
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
        Message::FileRequest(FileRequest::Begin {
            session,
            epoch,
            attempt: _,
            lowest,
            age,
            operations: _,
            request,
        }) => {
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
        Message::Txn(TxnMessage::Fetch { epoch, .. }) => epoch.to_string(),
        Message::Txn(TxnMessage::Prepare { header, epoch, terms, paths: _, work: _ }) => {
            format!("{}; {}, {epoch}", term(terms), mark(header))
        }
        Message::Txn(TxnMessage::Execute { header, epoch, .. }) => {
            format!("{}, {epoch}", mark(header))
        }
        Message::Txn(TxnMessage::Decline { header, epoch, paths, .. }) => {
            format!("{}, {epoch}, {}", mark(header), list(paths.iter()))
        }
        Message::Txn(TxnMessage::Commit { header, voter: _, answer: _ })
        | Message::Txn(TxnMessage::Abort { header }) => mark(header),
        Message::FromCentre(FromCentre::Admitted { incarnation, .. }) => {
            format!("for {incarnation}")
        }
        Message::FromCentre(FromCentre::Alive { settled: last, .. }) => settled(*last),
        Message::ToCentre(ToCentre::Entered { admission, .. })
        | Message::FromCentre(FromCentre::Noted { admission, .. })
        | Message::ToCentre(ToCentre::Completed { admission, .. })
        | Message::ToCentre(ToCentre::Resolve { admission, .. })
        | Message::FromCentre(FromCentre::Resolved { admission, .. })
        | Message::ToCentre(ToCentre::Departed { admission, .. }) => format!("under {admission}"),
        Message::FileRequest(FileRequest::Read { .. })
        | Message::Ended(Ended { .. })
        | Message::Txn(TxnMessage::Fetched { .. }) => String::new(),
        Message::Txn(TxnMessage::Ready { .. })
        | Message::Txn(TxnMessage::Executed { .. })
        | Message::Txn(TxnMessage::Committed { .. }) => String::new(),
        Message::Txn(TxnMessage::Inquire { .. })
        | Message::Txn(TxnMessage::Told { .. })
        | Message::Txn(TxnMessage::Declined { .. }) => String::new(),
        Message::LockRequest(LockRequest::Acquire { .. })
        | Message::LockRequest(LockRequest::Release { .. })
        | Message::LockAnswer(LockAnswer::Released { .. }) => String::new(),
        Message::LockRequest(LockRequest::KeepAlive { .. })
        | Message::LockAnswer(LockAnswer::KeptAlive { .. })
        | Message::LockAnswer(LockAnswer::NotKept { .. }) => String::new(),
        Message::LockAnswer(LockAnswer::Granted { .. })
        | Message::LockAnswer(LockAnswer::LockRefused { .. }) => String::new(),
        Message::ToCentre(ToCentre::Heartbeat { .. })
        | Message::ToCentre(ToCentre::Admit { .. })
        | Message::ToCentre(ToCentre::Watch { .. }) => String::new(),
        Message::Views(Views { .. })
        | Message::Pull(Pull { .. })
        | Message::Chunk(Chunk { .. }) => String::new(),
    }
}

/// What a message is part of that is sent again and again while nothing changes.
pub fn routine(message: &Message, places: &Places) -> Option<Routine> {
    let said = |words: String| Some(Routine { topic: Topic::Heartbeats, says: Some(words) });
    let on = |arcs| places.on(arcs);
    match message {
        Message::ToCentre(ToCentre::Heartbeat { .. })
        | Message::ToCentre(ToCentre::Watch { .. }) => {
            Some(Routine { topic: Topic::Heartbeats, says: None })
        }
        Message::FromCentre(FromCentre::Alive { .. }) => said(brief(message)),
        Message::ToCentre(ToCentre::Entered { .. })
        | Message::FromCentre(FromCentre::Noted { .. })
        | Message::ToCentre(ToCentre::Completed { .. })
        | Message::ToCentre(ToCentre::Departed { .. })
        | Message::Views(Views { .. }) => said(self::message(message, Detail::Contents(places))),
        Message::Pull(Pull { epoch, level, arcs, after, .. }) => {
            let words = format!("{epoch} {level} {} {after:?}", on(arcs));
            Some(Routine { topic: Topic::Pulls, says: Some(words) })
        }
        Message::Chunk(Chunk { epoch, files, doubtful, answers, end, .. }) if files.is_empty() => {
            let end = end.as_ref().map(|end| (on(&end.complete), on(&end.witnessed)));
            let words = format!("{epoch} {} {answers:?} {end:?}", on(doubtful));
            Some(Routine { topic: Topic::Pulls, says: Some(words) })
        }
        Message::Chunk(Chunk { .. }) => None,
        Message::FileRequest(FileRequest::Begin { .. })
        | Message::FileRequest(FileRequest::Read { .. })
        | Message::Ended(Ended { .. }) => None,
        Message::Txn(TxnMessage::Fetch { .. }) | Message::Txn(TxnMessage::Fetched { .. }) => None,
        Message::Txn(TxnMessage::Prepare { .. }) | Message::Txn(TxnMessage::Ready { .. }) => None,
        Message::Txn(TxnMessage::Execute { .. }) | Message::Txn(TxnMessage::Executed { .. }) => {
            None
        }
        Message::Txn(TxnMessage::Commit { .. })
        | Message::Txn(TxnMessage::Committed { .. })
        | Message::Txn(TxnMessage::Abort { .. }) => None,
        Message::Txn(TxnMessage::Inquire { .. }) | Message::Txn(TxnMessage::Told { .. }) => None,
        Message::Txn(TxnMessage::Decline { .. }) | Message::Txn(TxnMessage::Declined { .. }) => {
            None
        }
        Message::ToCentre(ToCentre::Resolve { .. })
        | Message::FromCentre(FromCentre::Resolved { .. }) => None,
        Message::LockRequest(LockRequest::Acquire { .. })
        | Message::LockAnswer(LockAnswer::Granted { .. })
        | Message::LockAnswer(LockAnswer::LockRefused { .. }) => None,
        Message::LockRequest(LockRequest::Release { .. })
        | Message::LockAnswer(LockAnswer::Released { .. }) => None,
        Message::LockRequest(LockRequest::KeepAlive { .. })
        | Message::LockAnswer(LockAnswer::KeptAlive { .. })
        | Message::LockAnswer(LockAnswer::NotKept { .. }) => None,
        Message::ToCentre(ToCentre::Admit { .. })
        | Message::FromCentre(FromCentre::Admitted { .. }) => None,
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
