//! Something in a step, as a file of mutations names it: `{ sent = "begin" }`.

use seedbed::machine::NodeId;
use seedbed::proto::{Message, MessageKind, Record, RecordKind};
use seedbed_sim::file_service::{Event, Fact, Step};
use serde::{Deserialize, Serialize};

use super::field_path;

/// The first message, record or answer of its kind in a step that fits.
#[derive(Deserialize)]
#[serde(try_from = "Written")]
pub struct Thing {
    what: What,
    /// From which machine a message comes.
    from: Option<NodeId>,
    /// A field that it has; `Done.0.Found` is an answer whose first outcome is `Found`.
    has: Option<String>,
    /// In which of the steps that have such a thing; 1 is the first.
    nth: usize,
}

/// Which kind, and where.
enum What {
    Sent(MessageKind),
    Arrived(MessageKind),
    Appended(RecordKind),
    Durable(RecordKind),
    /// Answers have no kinds; `has` tells them apart.
    Replied,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sent: Option<String>,
    arrived: Option<String>,
    appended: Option<String>,
    durable: Option<String>,
    replied: Option<String>,
    from: Option<String>,
    has: Option<String>,
    nth: Option<usize>,
}

impl TryFrom<Written> for Thing {
    type Error = String;

    fn try_from(written: Written) -> Result<Thing, String> {
        let Written { sent, arrived, appended, durable, replied, from, mut has, nth } = written;
        let what = match (sent, arrived, appended, durable, replied) {
            (Some(kind), None, None, None, None) => What::Sent(message(kind)?),
            (None, Some(kind), None, None, None) => What::Arrived(message(kind)?),
            (None, None, Some(kind), None, None) => What::Appended(record(kind)?),
            (None, None, None, Some(kind), None) => What::Durable(record(kind)?),
            (None, None, None, None, Some(how)) if how != "anything" && has.is_some() => {
                return Err("either `replied` or `has` names the field".into());
            }
            (None, None, None, None, Some(how)) => {
                has = has.or(Some(how).filter(|how| how != "anything"));
                What::Replied
            }
            _ => {
                return Err(
                    "expected one of `sent`, `arrived`, `appended`, `durable`, `replied`".into()
                );
            }
        };
        let from = from.map(|name| name.parse().map_err(|_| format!("no machine: `{name}`")));
        Ok(Thing { what, from: from.transpose()?, has, nth: nth.unwrap_or(1) })
    }
}

impl Thing {
    /// Is it a message as it arrives?
    pub fn arrives(&self) -> bool {
        matches!(self.what, What::Arrived(_))
    }

    /// Is it another than the first?
    pub fn is_counted(&self) -> bool {
        self.nth > 1
    }

    /// Is such a thing in the step?
    pub fn is_in(&self, step: &Step) -> bool {
        self.place(step).is_some()
    }

    /// Is this the step that is meant? `seen` counts those that have such a thing.
    pub fn nth_in(&self, step: &Step, seen: &mut usize) -> bool {
        let is_there = self.is_in(step);
        *seen += usize::from(is_there);
        is_there && *seen == self.nth
    }

    pub fn drop_from(&self, step: &mut Step) -> bool {
        let Some(place) = self.place(step) else { return false };
        match self.what {
            What::Durable(_) => drop(step.durable.remove(place)),
            What::Sent(_) | What::Appended(_) | What::Replied => drop(step.facts.remove(place)),
            What::Arrived(_) => unreachable!("refused when the file was read"),
        }
        true
    }

    pub fn repeat_in(&self, step: &mut Step) -> bool {
        let Some(place) = self.place(step) else { return false };
        match self.what {
            What::Durable(_) => step.durable.push(step.durable[place].clone()),
            What::Sent(_) | What::Appended(_) | What::Replied => {
                step.facts.push(step.facts[place].clone());
            }
            What::Arrived(_) => unreachable!("refused when the file was read"),
        }
        true
    }

    /// Sets fields of the thing; says whether it has them.
    pub fn set_in(&self, step: &mut Step, fields: &toml::Table) -> bool {
        let Some(place) = self.place(step) else { return false };
        match self.what {
            What::Durable(_) => field_path::set(&mut step.durable[place].2, fields),
            What::Arrived(_) => match &mut step.packet {
                Some(packet) => field_path::set(&mut packet.message, fields),
                None => false,
            },
            What::Sent(_) | What::Appended(_) | What::Replied => match &mut step.facts[place] {
                Fact::Sent { message, .. } => field_path::set(message, fields),
                Fact::Appended { record, .. } => field_path::set(record, fields),
                Fact::Replied { reply, .. } => field_path::set(reply, fields),
                _ => false,
            },
        }
    }

    /// Where it stands in the step: among the facts, or among what is durable.
    fn place(&self, step: &Step) -> Option<usize> {
        match &self.what {
            What::Sent(kind) => step.facts.iter().position(|fact| match fact {
                Fact::Sent { from, message, .. } => self.is_message(*kind, *from, message),
                _ => false,
            }),
            What::Arrived(kind) => match (&step.event, &step.packet) {
                (Event::Deliver(_), Some(packet)) => {
                    self.is_message(*kind, packet.from, &packet.message).then_some(0)
                }
                _ => None,
            },
            What::Appended(kind) => step.facts.iter().position(|fact| match fact {
                Fact::Appended { node, record, .. } => self.is_record(*kind, *node, record),
                _ => false,
            }),
            What::Durable(kind) => {
                let all = &mut step.durable.iter();
                all.position(|(node, _, record)| self.is_record(*kind, *node, record))
            }
            What::Replied => step.facts.iter().position(|fact| match fact {
                Fact::Replied { request, reply } => self.fits(request.client, reply),
                _ => false,
            }),
        }
    }

    fn is_message(&self, kind: MessageKind, from: NodeId, message: &Message) -> bool {
        message.kind() == kind && self.fits(from, message)
    }

    fn is_record(&self, kind: RecordKind, node: NodeId, record: &Record) -> bool {
        record.kind() == kind && self.fits(node, record)
    }

    fn fits(&self, from: NodeId, thing: &impl Serialize) -> bool {
        let has = |path: &String| field_path::has(thing, path);
        self.from.is_none_or(|wanted| wanted == from) && self.has.as_ref().is_none_or(has)
    }
}

fn message(name: String) -> Result<MessageKind, String> {
    let found = MessageKind::ALL.iter().copied().find(|kind| kind.name() == name);
    found.ok_or_else(|| unknown("message", &name, MessageKind::ALL.iter().map(|k| k.name())))
}

fn record(name: String) -> Result<RecordKind, String> {
    let found = RecordKind::ALL.iter().copied().find(|kind| kind.name() == name);
    found.ok_or_else(|| unknown("record", &name, RecordKind::ALL.iter().map(|k| k.name())))
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    format!("no kind of {what} is called `{name}`; there are {}", known.join(", "))
}
