//! `answer` of a `[[script]]`: the answer that its request must get.

use std::fmt;

use seedbed::proto::{Action, Contents, Operation, Outcome, Reply, Request};

use crate::file_service::refusal::Reason;
use crate::name::Name;
use crate::scenario::reading::{Key, Refused, Result, Style, TableGrammar, Value};
use crate::text::one_of;

/// The answer that a request must get.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done, acquired or released.
    Done,
    /// Refused, for this reason if one is named.
    Refused(Option<Reason>),
    /// Unknown.
    Unknown,
    /// Its reads find these, in their order: contents, or no file.
    Finds(Vec<Option<Contents>>),
}

pub(in crate::file_service) const ANSWER: TableGrammar = TableGrammar {
    name: "script.answer",
    style: Style::Inline,
    meaning: "the answer that a request must get, more closely than in a word",
    keys: &[
        Key::perhaps(
            "refused",
            "reason",
            "one of the others",
            "it is refused for this reason; the command `grammar` lists them",
        ),
        Key::perhaps("contents", "text", "one of the others", "a `read` finds this"),
        Key::perhaps(
            "reads",
            "array of texts and `false`",
            "one of the others",
            "what the reads of a `transaction` find, in their order; `false` is no file",
        ),
        Key::perhaps("absent", "`true`", "one of the others", "a `read` finds no file"),
    ],
    forms: &[],
    notes: &[
        "Exactly one of the four is there. A reason is one that the request can be refused for.",
    ],
    example: r#"
[[script]]
client = "c1"
at = "1s"
create = "/a"
data = "x"
answer = { refused = "exists" }
"#,
};

impl Answer {
    /// Is it this answer?
    pub fn is(&self, reply: &Reply) -> bool {
        match (self, reply) {
            (Answer::Done, Reply::Done(_) | Reply::Acquired(_) | Reply::Released) => true,
            (Answer::Refused(None), Reply::Refused(_)) => true,
            (Answer::Refused(Some(reason)), Reply::Refused(refusal)) => {
                Reason::of(*refusal) == Some(*reason)
            }
            (Answer::Unknown, Reply::Unknown) => true,
            (Answer::Finds(wanted), Reply::Done(answer)) => {
                let found = answer.iter().filter_map(|outcome| match outcome {
                    Outcome::Found(_, found) => Some(found),
                    Outcome::Changed(_) | Outcome::Lost => None,
                });
                found.eq(wanted)
            }
            (Answer::Done | Answer::Refused(_) | Answer::Unknown | Answer::Finds(_), _) => false,
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Done => f.write_str("done"),
            Answer::Refused(None) => f.write_str("refused"),
            Answer::Refused(Some(reason)) => write!(f, "refused with `{}`", reason.name()),
            Answer::Unknown => f.write_str("unknown"),
            Answer::Finds(all) => {
                let one = |found: &Option<Contents>| match found {
                    Some(contents) => format!("{contents} found"),
                    None => "no file found".to_owned(),
                };
                f.write_str(&all.iter().map(one).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Value<'_> {
    /// An answer that `request` can get.
    pub(in crate::file_service) fn answer(&self, request: &Request) -> Result<Answer> {
        if self.value.is_str() {
            let names = [
                ("done", Answer::Done),
                ("refused", Answer::Refused(None)),
                ("unknown", Answer::Unknown),
            ];
            return self.pick("answer", names);
        }
        if !self.value.is_table() {
            return Err(self.not("`\"done\"`, `\"refused\"`, `\"unknown\"` or a table"));
        }
        let table = self.table(&ANSWER)?;
        let keys = ["refused", "contents", "absent", "reads"].map(|key| table.get(key));
        let there = keys.iter().flatten().count();
        let [refused, contents, absent, reads] = keys;
        if there != 1 {
            table.is_understood()?;
            return Err(self.one_of_four());
        }
        if let Some(reason) = refused {
            return reason.reason(request).map(|reason| Answer::Refused(Some(reason)));
        }
        if let Some(contents) = contents {
            contents.only_of_a_read(request)?;
            return Ok(Answer::Finds(vec![Some(Contents::from(contents.string()?))]));
        }
        if let Some(absent) = absent {
            absent.only_of_a_read(request)?;
            return absent.yes().map(|()| Answer::Finds(vec![None]));
        }
        reads.map_or_else(|| Err(self.one_of_four()), |reads| reads.found_by_reads(request))
    }

    fn one_of_four(&self) -> Refused {
        self.error("expected exactly one of `refused`, `contents`, `absent` or `reads`")
    }

    /// What each read of `request` finds.
    fn found_by_reads(&self, request: &Request) -> Result<Answer> {
        let find = |value: &Value<'_>| match value.value.as_bool() {
            Some(false) => Ok(None),
            Some(true) => Err(value.not("contents, or `false` for no file")),
            None => value.string().map(|text| Some(Contents::from(text))),
        };
        let found = self.list()?.iter().map(find).collect::<Result<Vec<_>>>()?;
        let is_read = |operation: &&Operation| operation.action == Action::Read;
        let reads = operations(request).iter().filter(is_read).count();
        match found.len() == reads {
            _ if reads == 0 => Err(self.error("this request reads nothing")),
            true => Ok(Answer::Finds(found)),
            false => {
                let found = found.len();
                Err(self.error(format!(
                    "expected {reads} of them, one for each read of the request, found {found}"
                )))
            }
        }
    }

    fn only_of_a_read(&self, request: &Request) -> Result<()> {
        match operations(request) {
            [Operation { action: Action::Read, .. }] => Ok(()),
            _ => Err(self
                .error("goes with `read` alone; what the reads of a transaction find is `reads`")),
        }
    }

    /// A reason for which `request` can be refused.
    fn reason(&self, request: &Request) -> Result<Reason> {
        let all = Reason::ALL.iter().map(|reason| (reason.name(), *reason));
        let reason = self.pick("reason", all)?;
        if is_possible(reason, request) {
            return Ok(reason);
        }
        let possible = Reason::ALL.iter().filter(|reason| is_possible(**reason, request));
        let possible = one_of(possible.map(|reason| reason.name()));
        let name = reason.name();
        Err(self
            .error(format!("this request is never refused with `{name}`, only with {possible}")))
    }
}

/// Can a request of a script be refused for this reason?
pub(in crate::file_service) fn is_possible(reason: Reason, request: &Request) -> bool {
    let any = |is: fn(&Action) -> bool| operations(request).iter().any(|of| is(&of.action));
    let names_a_path = any(|_| true) || !matches!(request, Request::Files { .. });
    let is_to_itself =
        |of: &Operation| matches!(&of.action, Action::Rename(to, _) if *to == of.path);
    if operations(request).iter().any(is_to_itself) {
        return matches!(
            reason,
            Reason::Malformed | Reason::PathTooLong | Reason::BadOperationCount
        );
    }
    match reason {
        Reason::PathTooLong => names_a_path,
        Reason::NotFound => any(|action| matches!(action, Action::Delete(_) | Action::Rename(..))),
        Reason::Exists => any(|action| matches!(action, Action::Create(_) | Action::Rename(..))),
        Reason::VersionIs => {
            any(|action| matches!(action, Action::Write(_, Some(_)) | Action::Delete(Some(_))))
        }
        // A new holder raises the fence with its token, which may be too low.
        Reason::Fenced if matches!(request, Request::Acquire { .. }) => true,
        Reason::Fenced => any(|action| !action.is_read()),
        Reason::ContentsTooLong => {
            any(|action| matches!(action, Action::Create(_) | Action::Write(..)))
        }
        Reason::BadOperationCount => {
            matches!(request, Request::Files { operations, .. } if operations.len() != 1)
        }
        Reason::Malformed => any(|action| matches!(action, Action::Rename(..))),
        Reason::DiskFull if matches!(request, Request::Acquire { .. }) => true,
        Reason::DiskFull => any(|action| !action.is_read()),
        Reason::Held => matches!(request, Request::Acquire { wait: false, .. }),
        Reason::QueueFull => matches!(request, Request::Acquire { wait: true, .. }),
        Reason::NotHeld => matches!(request, Request::Release { .. }),
    }
}

fn operations(request: &Request) -> &[Operation] {
    match request {
        Request::Files { operations, .. } => operations,
        Request::Acquire { .. } | Request::Release { .. } => &[],
    }
}
