//! Operations, answers, replies and timers, spelled.

use std::fmt::Display;

use seedbed::machine::Span;
use seedbed::proto::{
    Action, Arcs, AttemptEnd, Command, Epoch, File, Notice, Operation, Outcome, Reply, Request,
    Retry, Timer, Token, Version, View, Wanted,
};

/// `a, b, c`; `none` where there is nothing.
pub(super) fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

/// The parts that say something, one behind the other.
pub(super) fn joined(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}

/// `voted n1.1/4 (changes /a v1 "x")`
pub(super) fn in_parentheses(brief: String, more: &str) -> String {
    if more.is_empty() { brief } else { format!("{brief} ({more})") }
}

/// `write /a "x" if v3 under t5`
pub(super) fn operation(operation: &Operation) -> String {
    let Operation { path, action, token } = operation;
    let at = |version: &Option<Version>| version.map_or(String::new(), |v| format!(" if {v}"));
    let done = match action {
        Action::Read => format!("read {path}"),
        Action::Create(contents) => format!("create {path} {contents}"),
        Action::Write(contents, version) => format!("write {path} {contents}{}", at(version)),
        Action::Delete(version) => format!("delete {path}{}", at(version)),
        Action::Rename(to, None) => format!("rename {path} to {to}"),
        Action::Rename(to, Some(token)) => format!("rename {path} to {to} (held under {token})"),
        Action::Place(contents) => format!("place {path} {contents}"),
        Action::Remove(version) => format!("remove {path} if {version}"),
        Action::Claim => format!("claim {path}"),
    };
    done + &under(*token)
}

fn under(token: Option<Token>) -> String {
    token.map_or(String::new(), |token| format!(" under {token}"))
}

/// The operations of a request or of one of its participants.
pub(super) fn operations<'a>(all: impl IntoIterator<Item = &'a Operation>) -> String {
    let all: Vec<String> = all.into_iter().map(operation).collect();
    if all.is_empty() { "no operation".to_owned() } else { list(all) }
}

/// `v3 "x"`, `v4 now`
pub(super) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Found(version, Some(contents)) => format!("{version} {contents}"),
        Outcome::Found(version, None) => format!("{version} no file"),
        Outcome::Changed(version) => format!("{version} now"),
        Outcome::Lost => "lost with a disk".to_owned(),
    }
}

/// What each operation of a request gave.
pub(in crate::file_service) fn answer(outcomes: &[Outcome]) -> String {
    list(outcomes.iter().map(outcome))
}

/// What is stored for a path: `v3 "x" fenced t5`.
pub fn file(file: &File) -> String {
    let File { version, contents, fence } = file;
    let held = match contents {
        Some(contents) => format!("{version} {contents}"),
        None => format!("{version} no file"),
    };
    if *fence == Token(0) { held } else { format!("{held} fenced {fence}") }
}

/// How an attempt ended.
pub(super) fn end(end: &AttemptEnd) -> String {
    match end {
        AttemptEnd::Done(outcomes) => format!("done: {}", answer(outcomes)),
        AttemptEnd::Refused { refusal, recorded: true } => format!("refused for good: {refusal}"),
        AttemptEnd::Refused { refusal, recorded: false } => format!("refused: {refusal}"),
        AttemptEnd::Retry(Retry::Conflict) => "try again: an older one has the path".to_owned(),
        AttemptEnd::Retry(Retry::NoAnswer) => "try again: no answer in time".to_owned(),
        AttemptEnd::Retry(Retry::Epoch(epoch)) => format!("try again in epoch {epoch}"),
        AttemptEnd::Retry(Retry::Session(life)) => format!("try again in a session with {life}"),
        AttemptEnd::Retry(Retry::NotReady) => {
            "try again: no running lease, or something yet to pull".into()
        }
    }
}

/// What a user asks for.
pub(in crate::file_service) fn request(request: &Request) -> String {
    match request {
        Request::Files { operations: all, coordinator: None } => operations(all.iter()),
        Request::Files { operations: all, coordinator: Some(coordinator) } => {
            format!("{}, asking {coordinator} first", operations(all.iter()))
        }
        Request::Acquire { path, wait: true } => format!("acquire {path}"),
        Request::Acquire { path, wait: false } => format!("acquire {path} without waiting"),
        Request::Release { path } => format!("release {path}"),
    }
}

/// What an operator says: `join n4`, `set replicas 3, lock lease 5s`.
pub(in crate::file_service) fn command(command: &Command) -> String {
    match command {
        Command::Join(node) => format!("join {node}"),
        Command::Leave(node) => format!("leave {node}"),
        Command::Set { replicas, virtual_nodes, lock_lease, membership_lease } => {
            let settings = [
                replicas.map(|number| format!("replicas {number}")),
                virtual_nodes.map(|number| format!("virtual nodes {number}")),
                lock_lease.map(|span| format!("lock lease {span}")),
                membership_lease.map(|span| format!("membership lease {span}")),
            ];
            format!("set {}", list(settings.into_iter().flatten()))
        }
        Command::AcceptLoss(nodes) if nodes.is_empty() => "accept the loss".to_owned(),
        Command::AcceptLoss(nodes) => format!("accept the loss, also of {}", list(nodes.iter())),
    }
}

/// What a client answers.
pub(in crate::file_service) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Done(outcomes) => format!("done: {}", answer(outcomes)),
        Reply::Acquired(token) => format!("acquired under {token}"),
        Reply::Released => "released".to_owned(),
        Reply::Refused(refusal) => format!("refused: {refusal}"),
        Reply::Unknown => "unknown".to_owned(),
    }
}

/// What a client tells its user unasked.
pub(in crate::file_service) fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Holding { path, request, token, until } => {
            format!("holds {path} for {request} under {token} until its clock shows {until}")
        }
        Notice::Lost { path, token } => format!("no longer holds {path} under {token}"),
        Notice::View(view) => format!("learns that {} is in force", view.epoch),
    }
}

/// What a machine is woken for.
pub(in crate::file_service) fn timer(timer: &Timer) -> String {
    match timer {
        Timer::Start => "has started".to_owned(),
        Timer::Collect(txn) => format!("has waited long enough for answers on {txn}"),
        Timer::Resend(txn) => format!("sends the decision on {txn} again"),
        Timer::Ready(txn) => format!("has waited long enough for the next step of {txn}"),
        Timer::Inquire(txn) => format!("is in doubt about {txn}"),
        Timer::Lease(path) => format!("a lease on {path} runs out"),
        Timer::Attempt(number) => format!("attempt at request #{number} is due"),
        Timer::GiveUp(number) => format!("gives up on request #{number}"),
        Timer::KeepAlive(path) => format!("keeps the lock of {path} alive"),
        Timer::LeaseEnd(path) => format!("own lease on {path} ends"),
        Timer::Members => "looks whose lease has ended".to_owned(),
        Timer::Heartbeat => "says that it is there".to_owned(),
        Timer::Pull => "next step of what it pulls".to_owned(),
    }
}

/// So many of something.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// Where: `on 3 arcs, 8.5 %`; `nowhere`.
pub(super) fn on(arcs: &Arcs) -> String {
    if arcs.is_empty() { "nowhere".to_owned() } else { format!("on {arcs}") }
}

/// The last epoch that has settled.
pub(super) fn settled(epoch: Epoch) -> String {
    match epoch {
        Epoch(0) => "none has settled".to_owned(),
        epoch => format!("{epoch} has settled"),
    }
}

/// A view and its members, as far as a chart has room for them: `e2 of n1 n2 n3`.
pub(super) fn members_of(view: &View) -> String {
    const SHOWN: usize = 9;
    let members = match view.members.len() {
        many if many > SHOWN => count(many, "member"),
        _ => view.members.iter().map(|m| m.to_string()).collect::<Vec<_>>().join(" "),
    };
    format!("{} of {members}", view.epoch)
}

/// Views, each with its members and their admissions; the settings once for as long as they stay.
pub(super) fn views<'a>(views: impl IntoIterator<Item = &'a View>) -> String {
    let mut views = views.into_iter().peekable();
    let mut spelled = Vec::new();
    while let Some(view) = views.next() {
        let named = view.members.iter().map(|m| format!("{m} under {}", m.admission));
        let mut text = format!("{}: {}", view.epoch, list(named));
        if views.peek().is_none_or(|next| settings(next) != settings(view)) {
            text = format!("{text} with {}", settings(view));
        }
        spelled.push(text);
    }
    spelled.join("; ")
}

/// What holds in a view beside its members.
pub(in crate::file_service) fn settings(view: &View) -> String {
    let View { replicas, virtual_nodes, lock_lease, membership_lease, given_up, .. } = view;
    let set = as_set(*replicas, *virtual_nodes, *lock_lease, *membership_lease);
    match given_up.is_empty() {
        true => set,
        false => format!("{set}, without {}, which are given up", list(given_up.iter())),
    }
}

fn as_set(replicas: u16, virtual_nodes: u32, lock_lease: Span, membership_lease: Span) -> String {
    format!(
        "{replicas} replicas, {virtual_nodes} virtual nodes, lock leases of {lock_lease}, \
         membership leases of {membership_lease}"
    )
}

/// What an operator wants.
pub(in crate::file_service) fn wanted(wanted: &Wanted) -> String {
    let Wanted { nodes, replicas, virtual_nodes, lock_lease, membership_lease } = wanted;
    let set = as_set(*replicas, *virtual_nodes, *lock_lease, *membership_lease);
    format!("{} with {set}", list(nodes.iter()))
}
