//! Messages, records and answers in words.

use std::sync::Arc;

use seedbed::proto::{
    Action, Arcs, AttemptEnd, Command, Config, File, Keep, Known, Layout, Member, Message, No,
    Notice, Operation, Outcome, Path, Recollection, Record, Refusal, Reply, Request, Results,
    Retry, Time, Token, View, Vote, Work,
};

/// The paths of a play, and where they are on the ring.
pub struct Map {
    pub config: Arc<Config>,
    /// Every path that is named, in the order of names.
    pub paths: Vec<Path>,
}

impl Map {
    /// Who owns each of the paths.
    pub fn owners(&self, layout: &Layout) -> String {
        list(self.paths.iter().map(|path| {
            let owners: Vec<String> =
                layout.owners(path).map(|owner| owner.node.to_string()).collect();
            format!("{path} is on {}", owners.join(" and "))
        }))
    }

    /// The paths of the play that lie on `arcs`, and how much of the ring these are.
    fn arcs(&self, arcs: &Arcs) -> String {
        if arcs.is_empty() {
            return "nothing".to_owned();
        }
        let is_there = |path: &&Path| arcs.contains(self.config.position(path));
        let paths: Vec<String> = self.paths.iter().filter(is_there).map(Path::to_string).collect();
        match paths.is_empty() {
            true => format!("{arcs}, none of these paths"),
            false => format!("{arcs}, with {}", paths.join(" and ")),
        }
    }
}

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
pub fn message(message: &Message, map: &Map) -> String {
    let subject = subject(message);
    match details(message, map) {
        details if details.is_empty() => subject,
        details => format!("{subject}: {details}"),
    }
}

fn details(message: &Message, map: &Map) -> String {
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
        Message::Told { known, .. } => knowledge(known),
        Message::Recall { epoch, .. } => format!("it was for {epoch}"),
        Message::Recalled { memory, .. } => match memory {
            Recollection::Committed(answer) => {
                format!("committed, {}", list(answer.iter().map(outcome)))
            }
            Recollection::Aborted => "aborted".to_owned(),
            Recollection::Nothing => "not at all".to_owned(),
            Recollection::Gone => "gone with its disk".to_owned(),
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
            let views: Vec<String> = views.iter().map(view).collect();
            format!("{}; {settled} has settled", views.join(", "))
        }
        Message::Pull { arcs, after, .. } => match after {
            Some(after) => format!("{}; after {after}", map.arcs(arcs)),
            None => map.arcs(arcs),
        },
        Message::Chunk { files, end, .. } => {
            let files =
                list(files.iter().map(|(path, found)| format!("{path} is {}", file(found))));
            let files = if files.is_empty() { "no files".to_owned() } else { files };
            let Some(end) = end else { return format!("{files}; more to come") };
            let complete = format!("{files}; the end; complete on {}", map.arcs(&end.complete));
            match end.witnessed.is_empty() {
                true => complete,
                false => format!("{complete}; witness on {}", map.arcs(&end.witnessed)),
            }
        }
        Message::Admit { .. } | Message::Entered { .. } => String::new(),
        Message::Completed { .. } | Message::Departed { .. } => String::new(),
    }
}

fn knowledge(known: &Known) -> String {
    match known {
        Known::Committed(answer) => format!("committed, {}", list(answer.iter().map(outcome))),
        Known::Aborted => "aborted".to_owned(),
        Known::Undecided => "undecided".to_owned(),
        Known::Orphaned(_) => "in doubt, the coordinator's disk is gone".to_owned(),
        Known::Gone(_) => "gone with its disk".to_owned(),
    }
}

/// A record of a log.
pub fn record(record: &Record, map: &Map) -> String {
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
        Record::Mark { coordinator, .. } | Record::Presumed { coordinator, .. } => {
            format!("{kind} of {coordinator}")
        }
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
        Record::Entered { epoch, complete } => {
            format!("{kind} {epoch}, complete on {}", map.arcs(complete))
        }
        Record::Pulled { files, replaced, .. } => {
            let files =
                list(files.iter().map(|(path, found)| format!("{path} is {}", file(found))));
            let files = if files.is_empty() { "no files".to_owned() } else { files };
            match replaced.is_empty() {
                true => format!("{kind}: {files}"),
                false => format!("{kind}: {files}; replaces all on {}", map.arcs(replaced)),
            }
        }
        Record::Complete { epoch, arcs } => format!("{kind} in {epoch} on {}", map.arcs(arcs)),
        Record::GaveUp { epoch, keeps } => {
            format!("{kind} claims before {epoch}: keeps {}", map.arcs(keeps))
        }
        Record::Admitted { member, .. } => format!("{kind} {member} as {}", member.admission),
        Record::Wanted { wanted } => format!("{kind} {}", list(wanted.nodes.iter())),
        Record::Announced { view: announced } => format!("{kind} {}", view(announced)),
        Record::Activated { epoch } | Record::Converged { epoch } => format!("{kind} {epoch}"),
        Record::LossAccepted { accepted } => format!("{kind} {}", accepted.epoch),
        Record::LongestLease { span } => format!("{kind} {span}"),
    }
}

/// A view and its members.
fn view(view: &View) -> String {
    let members: Vec<String> = view.members.iter().map(Member::to_string).collect();
    format!("{} of {}", view.epoch, members.join(" and "))
}

/// What the operator says.
pub fn command(command: &Command) -> String {
    match command {
        Command::Join(node) => format!("{node} is to join"),
        Command::Leave(node) => format!("{node} is to leave"),
        Command::Set { .. } | Command::AcceptLoss => format!("{command:?}"),
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
