//! Messages, spelled: in brief for charts, with what they carry for plays, with every field for
//! traces. What each message says stands in one place, in the file of its protocol.

mod files;
mod handover;
mod lock;
mod membership;
mod txn;

use seedbed::proto::{Chunk, FromCentre, Message, Pull, ToCentre};

use super::words::{in_parentheses, joined};
use super::{Detail, Places};
pub(in crate::file_service) use txn::no;
pub(super) use txn::result_list;

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

/// A message in words.
struct Spelled {
    /// What it is and what it is about: `Executed yes n1.1/4`.
    brief: String,
    /// What of its contents a reader of a report needs.
    needed: String,
    /// What it carries.
    contents: String,
    /// Its other fields.
    rest: String,
}

impl Spelled {
    fn brief(brief: String) -> Spelled {
        Spelled { brief, needed: String::new(), contents: String::new(), rest: String::new() }
    }

    /// What it carries, of which a reader of a report needs everything.
    fn needed(self, contents: String) -> Spelled {
        Spelled { needed: contents.clone(), contents, ..self }
    }

    /// What it carries, of which a reader of a report needs only this.
    fn of_which(self, needed: String) -> Spelled {
        Spelled { needed, ..self }
    }

    fn contents(self, contents: String) -> Spelled {
        Spelled { contents, ..self }
    }

    fn rest(self, rest: String) -> Spelled {
        Spelled { rest, ..self }
    }
}

/// What a message is and what it is about; what it carries too, or every field.
pub fn message(message: &Message, detail: Detail<'_>) -> String {
    let Spelled { brief, needed, contents, rest } = spelled(message, detail);
    match detail {
        Detail::Brief => brief,
        Detail::Report(_) => in_parentheses(brief, &needed),
        Detail::Contents(_) => joined([brief, contents]),
        Detail::Whole => joined([brief, contents, rest]),
    }
}

fn spelled(message: &Message, detail: Detail<'_>) -> Spelled {
    match message {
        Message::FileRequest(request) => files::request(request),
        Message::Ended(ended) => files::ended(ended),
        Message::Txn(message) => txn::message(message),
        Message::LockRequest(request) => lock::request(request),
        Message::LockAnswer(answer) => lock::answer(answer),
        Message::ToCentre(message) => membership::to_centre(message),
        Message::FromCentre(message) => membership::from_centre(message),
        Message::Views(news) => membership::news(news, detail),
        Message::Pull(pull) => handover::pull(pull, detail),
        Message::Chunk(chunk) => handover::chunk(chunk, detail),
    }
}

/// What a message is part of that is sent again and again while nothing changes.
pub fn routine(message: &Message, places: &Places) -> Option<Routine> {
    match message {
        Message::ToCentre(message) => match message {
            ToCentre::Heartbeat { .. } | ToCentre::Watch { .. } => heartbeats(None),
            ToCentre::Entered { .. } | ToCentre::Completed { .. } | ToCentre::Departed { .. } => {
                let Spelled { brief, contents, .. } = membership::to_centre(message);
                heartbeats(Some(joined([brief, contents])))
            }
            ToCentre::Admit { .. } | ToCentre::Resolve { .. } => None,
        },
        Message::FromCentre(message) => match message {
            FromCentre::Alive { .. } | FromCentre::Noted { .. } => {
                heartbeats(Some(membership::from_centre(message).brief))
            }
            FromCentre::Admitted { .. } | FromCentre::Resolved { .. } => None,
        },
        Message::Views(_) => heartbeats(Some(self::message(message, Detail::Contents(places)))),
        Message::Pull(Pull { epoch, level, arcs, after, .. }) => {
            pulls(format!("{epoch} {level} {} {after:?}", places.on(arcs)))
        }
        Message::Chunk(Chunk { epoch, files, doubtful, answers, end, .. }) if files.is_empty() => {
            let end = end.as_ref().map(|end| (places.on(&end.complete), places.on(&end.witnessed)));
            pulls(format!("{epoch} {} {answers:?} {end:?}", places.on(doubtful)))
        }
        Message::Chunk(_) | Message::FileRequest(_) | Message::Ended(_) => None,
        Message::Txn(_) | Message::LockRequest(_) | Message::LockAnswer(_) => None,
    }
}

fn heartbeats(says: Option<String>) -> Option<Routine> {
    Some(Routine { topic: Topic::Heartbeats, says })
}

fn pulls(says: String) -> Option<Routine> {
    Some(Routine { topic: Topic::Pulls, says: Some(says) })
}
