//! Messages, records and answers in words.

use seedbed::proto::{
    Action, AttemptEnd, File, Keep, Known, Message, No, Notice, Operation, Outcome, Path, Record,
    Refusal, Reply, Request, Results, Retry, Time, Token, Vote, Work,
};

/// A moment in milliseconds, which is as fine as a play is.
pub fn time(at: Time) -> String {
    let ms = at.as_nanos() / 1_000_000;
    format!("{}.{:03}s", ms / 1000, ms % 1000)
}

/// What kind of message it is and what it is about.
pub fn subject(message: &Message) -> String {
    let kind = message.kind().name();
    match message {
        Message::Begin { request, attempt, .. }
        | Message::Read { request, attempt, .. }
        | Message::Ended { request, attempt, .. } => {
            format!("{kind} {request}, attempt {attempt}")
        }
        Message::Prepare { header, .. }
        | Message::Execute { header, .. }
        | Message::Commit { header, .. }
        | Message::Abort { header } => format!("{kind} {}", header.txn),
        Message::Fetch { txn, path, .. } | Message::Fetched { txn, path, .. } => {
            format!("{kind} {path} for {txn}")
        }
        Message::Ready { txn, .. }
        | Message::Executed { txn, .. }
        | Message::Committed { txn }
        | Message::Inquire { txn, .. }
        | Message::Recall { txn, .. }
        | Message::Recalled { txn, .. }
        | Message::Told { txn, .. } => format!("{kind} {txn}"),
        Message::Acquire { request, path, .. }
        | Message::Granted { request, path, .. }
        | Message::LockRefused { request, path, .. }
        | Message::Release { request, path, .. }
        | Message::Released { request, path } => format!("{kind} {path} for {request}"),
        Message::KeepAlive { path, .. }
        | Message::KeptAlive { path, .. }
        | Message::NotKept { path, .. } => format!("{kind} {path}"),
        Message::Heartbeat { known: epoch, .. }
        | Message::Alive { epoch, .. }
        | Message::Entered { epoch, .. }
        | Message::Completed { epoch, .. }
        | Message::Departed { epoch, .. } => format!("{kind} {epoch}"),
        Message::Pull { epoch, level, .. } => format!("{kind} for {epoch} from {level}"),
        Message::Chunk { epoch, .. } => format!("{kind} for {epoch}"),
        Message::Admit { .. } | Message::Admitted { .. } => kind.to_owned(),
        Message::Watch { .. } | Message::Views { .. } => kind.to_owned(),
    }
}

/// The whole message.
pub fn message(message: &Message) -> String {
    let subject = subject(message);
    match details(message) {
        details if details.is_empty() => subject,
        details => format!("{subject}: {details}"),
    }
}

fn details(message: &Message) -> String {
    match message {
        Message::Begin { operations, .. } => list(operations.iter().map(operation)),
        Message::Read { path, .. } => path.to_string(),
        Message::Ended { end, .. } => attempt_end(end),
        Message::Fetch { .. } | Message::Committed { .. } => String::new(),
        Message::Abort { .. } | Message::Inquire { .. } => String::new(),
        Message::Released { .. } => String::new(),
        Message::Fetched { file: found, .. } => file(found),
        Message::Prepare { work: Some(work), .. } => parts(work),
        Message::Prepare { paths, work: None, .. } => format!("pin {}", list(paths.iter())),
        Message::Ready { pinned_in, .. } => format!("pinned in life {}", pinned_in.0),
        Message::Execute { work, pinned_in, .. } => {
            format!("{}; pinned in life {}", parts(work), pinned_in.0)
        }
        Message::Executed { vote: Vote::Yes(found), .. } => format!("yes, {}", results(found)),
        Message::Executed { vote: Vote::No(why), .. } => format!("no, {}", no(why)),
        Message::Commit { answer, .. } => list(answer.iter().map(outcome)),
        Message::Told { known, .. } => match known {
            Known::Committed(answer) => {
                format!("committed, {}", list(answer.iter().map(outcome)))
            }
            Known::Aborted => "aborted".to_owned(),
            Known::Undecided => "undecided".to_owned(),
            Known::Orphaned(_) => "in doubt, the coordinator's disk is gone".to_owned(),
            Known::Gone => "gone with its disk".to_owned(),
        },
        Message::Acquire { wait: true, asked, .. } => {
            format!("wait in line, asked at {}", time(*asked))
        }
        Message::Acquire { wait: false, asked, .. } => {
            format!("try once, asked at {}", time(*asked))
        }
        Message::KeepAlive { keep: kept, asked, .. } => {
            format!("{}, asked at {}", keep(*kept), time(*asked))
        }
        Message::Release { token, .. } => held_under(*token),
        Message::Granted { token, asked, .. } | Message::KeptAlive { token, asked, .. } => {
            format!("{}, as asked at {}", held_under(*token), time(*asked))
        }
        Message::NotKept { keep: kept, .. } => keep(*kept),
        Message::LockRefused { refusal, .. } => refusal.to_string(),
        Message::Admitted { admission, .. } => admission.to_string(),
        Message::Heartbeat { asked, .. } | Message::Alive { asked, .. } => {
            format!("asked at {}", time(*asked))
        }
        Message::Watch { known } => format!("after {known}"),
        Message::Views { views, settled, .. } => {
            let views = list(
                views.iter().map(|view| format!("{} of {}", view.epoch, list(view.members.iter()))),
            );
            format!("{views}; {settled} has settled")
        }
        Message::Pull { arcs, after, .. } => match after {
            Some(after) => format!("{arcs} after {after}"),
            None => arcs.to_string(),
        },
        Message::Chunk { files, end, .. } => {
            let files = list(files.iter().map(|(path, found)| format!("{path} {}", file(found))));
            match end {
                Some(end) => {
                    format!("{files}; complete on {}, witness on {}", end.complete, end.witnessed)
                }
                None => files,
            }
        }
        Message::Admit { .. } | Message::Entered { .. } => String::new(),
        Message::Completed { .. } | Message::Departed { .. } => String::new(),
    }
}

/// A record of a log.
pub fn record(record: &Record) -> String {
    let kind = record.kind().name();
    match record {
        Record::Born { admission } => format!("{kind} under {admission}"),
        Record::Voted { txn, changes, results: found, .. } => {
            format!("{kind} {txn}: {}", changed_or(changes, &results(found)))
        }
        Record::Decided { txn, changes, answer, .. } => {
            let answer = list(answer.iter().map(outcome));
            match changes.is_empty() {
                true => format!("{kind} {txn}: {answer}"),
                false => format!("{kind} {txn}: {answer}; here {}", changed_or(changes, "")),
            }
        }
        Record::Promised { txn }
        | Record::Applied { txn, .. }
        | Record::RolledBack { txn }
        | Record::Over { txn }
        | Record::Orphaned { txn }
        | Record::Settled { txn, .. } => format!("{kind} {txn}"),
        Record::Declined { request, refusal } => format!("{kind} {request}: {refusal}"),
        Record::Stored { path, file: stored } => format!("{kind} {path}: {}", file(stored)),
        Record::Answered { request, .. } => format!("{kind} {request}"),
        Record::Mark { coordinator, .. } => format!("{kind} of {coordinator}"),
        Record::Forgotten { client, lowest, .. } => format!("{kind} of {client} below {lowest}"),
        Record::Queued { path, request } | Record::Left { path, request } => {
            format!("{kind} {path} for {request}")
        }
        Record::Granted { path, request, token } => {
            format!("{kind} {path} for {request}: {}", held_under(*token))
        }
        Record::LockOver { request, refused } => {
            let how = if *refused { "refused" } else { "held" };
            format!("{kind} {request} {how}")
        }
        Record::LastToken { token } => format!("{kind} {token}"),
        Record::Entered { epoch, complete } => format!("{kind} {epoch}, complete on {complete}"),
        Record::Pulled { files, .. } => {
            list(files.iter().map(|(path, found)| format!("{kind} {path} {}", file(found))))
        }
        Record::Complete { epoch, arcs } => format!("{kind} in {epoch} on {arcs}"),
        Record::GaveUp { epoch, .. } => format!("{kind} all before {epoch}"),
        Record::Admitted { member, .. } => format!("{kind} of {member} under {}", member.admission),
        Record::Wanted { wanted } => format!("{kind} {}", list(wanted.nodes.iter())),
        Record::Announced { view } => {
            format!("{kind} {} of {}", view.epoch, list(view.members.iter()))
        }
        Record::Activated { epoch }
        | Record::Converged { epoch }
        | Record::LossAccepted { epoch } => format!("{kind} {epoch}"),
        Record::LongestLease { span } => format!("{kind} {span}"),
    }
}

/// What a user wants.
pub fn request(request: &Request) -> String {
    match request {
        Request::Files { operations, coordinator } => {
            let operations = list(operations.iter().map(operation));
            match coordinator {
                Some(node) => format!("{operations}, at {node}"),
                None => operations,
            }
        }
        Request::Acquire { path, wait: true } => format!("acquire {path}"),
        Request::Acquire { path, wait: false } => format!("try to acquire {path}"),
        Request::Release { path } => format!("release {path}"),
    }
}

/// What a client answers.
pub fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Done(answer) => format!("done, {}", list(answer.iter().map(outcome))),
        Reply::Acquired(token) => format!("acquired {}", held_under(*token)),
        Reply::Released => "released".to_owned(),
        Reply::Refused(refusal) => format!("refused, {refusal}"),
        Reply::Unknown => "unknown".to_owned(),
    }
}

/// What a client says unasked.
pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Holding { path, token, until, .. } => {
            format!("holds {path} {} until {}", held_under(*token), time(*until))
        }
        Notice::Lost { path, token } => format!("holds {path} {} no longer", held_under(*token)),
        Notice::View(view) => format!("{} is in force", view.epoch),
    }
}

/// What is stored for a path.
pub fn file(file: &File) -> String {
    let contents = match &file.contents {
        Some(contents) => contents.to_string(),
        None => "no file".to_owned(),
    };
    match file.fence {
        Token(0) => format!("{contents} at {}", file.version),
        fence => format!("{contents} at {}, fenced with {fence}", file.version),
    }
}

/// Things one behind the other.
pub fn list(things: impl IntoIterator<Item = impl ToString>) -> String {
    let things: Vec<String> = things.into_iter().map(|thing| thing.to_string()).collect();
    things.join(", ")
}

fn changed_or(changes: &[(Path, File)], otherwise: &str) -> String {
    match changes.is_empty() {
        true => otherwise.to_owned(),
        false => list(changes.iter().map(|(path, changed)| format!("{path} is {}", file(changed)))),
    }
}

fn parts(work: &Work) -> String {
    list(work.iter().map(|(_, part)| operation(part)))
}

fn results(results: &Results) -> String {
    match results.is_empty() {
        true => "executed".to_owned(),
        false => list(results.iter().map(|(_, found)| outcome(found))),
    }
}

fn operation(operation: &Operation) -> String {
    let Operation { path, action, token } = operation;
    let expecting = |version: &Option<_>| match version {
        Some(version) => format!(" if at {version}"),
        None => String::new(),
    };
    let what = match action {
        Action::Read => format!("read {path}"),
        Action::Create(contents) => format!("create {path} {contents}"),
        Action::Write(contents, version) => {
            format!("write {path} {contents}{}", expecting(version))
        }
        Action::Delete(version) => format!("delete {path}{}", expecting(version)),
        Action::Rename(to, _) => format!("rename {path} to {to}"),
        Action::Place(contents) => format!("place {path} {contents}"),
        Action::Remove(version) => format!("remove {path} if at {version}"),
        Action::Claim => format!("claim {path}"),
    };
    match token {
        Some(token) => format!("{what} {}", held_under(*token)),
        None => what,
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Found(version, Some(contents)) => format!("found {contents} at {version}"),
        Outcome::Found(version, None) => format!("found no file at {version}"),
        Outcome::Changed(version) => format!("now {version}"),
    }
}

fn attempt_end(end: &AttemptEnd) -> String {
    match end {
        AttemptEnd::Done(answer) => format!("done, {}", list(answer.iter().map(outcome))),
        AttemptEnd::Refused { refusal, recorded } => refused(*refusal, *recorded),
        AttemptEnd::Retry(Retry::Conflict) => "try again, conflict".to_owned(),
        AttemptEnd::Retry(Retry::NoAnswer) => "try again, somebody did not answer".to_owned(),
        AttemptEnd::Retry(Retry::Epoch(epoch)) => format!("try again, the epoch is {epoch}"),
        AttemptEnd::Retry(Retry::NotReady) => "try again, not ready".to_owned(),
        AttemptEnd::Retry(Retry::Session(life)) => {
            format!("not taken, the session is with life {}", life.0)
        }
    }
}

fn no(no: &No) -> String {
    match no {
        No::Answered(answer) => {
            format!("answered already, {}", list(answer.iter().map(outcome)))
        }
        No::Refused { refusal, recorded } => refused(*refusal, *recorded),
        No::Conflict => "conflict".to_owned(),
        No::Lost => "the pin is gone".to_owned(),
        No::Epoch(epoch) => format!("the epoch is {epoch}"),
        No::NotReady => "not ready".to_owned(),
    }
}

fn refused(refusal: Refusal, recorded: bool) -> String {
    match recorded {
        true => format!("refused for good, {refusal}"),
        false => format!("refused, {refusal}"),
    }
}

fn keep(keep: Keep) -> String {
    match keep {
        Keep::Waiting(request) => format!("waiting as {request}"),
        Keep::Holding(token) => format!("holding {}", held_under(token)),
    }
}

fn held_under(token: Token) -> String {
    format!("under {token}")
}
