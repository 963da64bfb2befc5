//! What happened, one line for each step and each fact, for people.
//!
//! ```text
//!  step        time  node     what
//!   101   1.204310s  n1       <- c1 add c1.1#4: 3
//!   101   1.204310s  n1       log #17 c1.1#4 is counted  (forced)
//!   109   1.205100s  n1       disk has synced
//!   109   1.205100s  n1       log #17 c1.1#4 is counted is durable
//!   109   1.205100s  n1       -> c1 added c1.1#4: 21
//! ```
//!
//! `<-` is a message that has arrived, `->` one that leaves. Every line carries step and time, so
//! that one can search for a request or a machine. [`links`], [`event`] and [`fact`]
//! serve the charts of reports and golden plays too, so all three speak one language.

mod partition;

use seedbed::machine::NodeId;

use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Loss, PacketId, Step, Tear};

pub use partition::links;

/// How much is said.
#[derive(Debug)]
pub enum Detail<'a, S: UnderTest> {
    /// What it is and what it is about.
    Brief,
    /// What of its contents a reader of a report needs, in parentheses.
    Report(&'a S::Known),
    /// What it carries too, told by what the reader knows by name.
    Contents(&'a S::Known),
    /// Every field.
    Whole,
}

impl<S: UnderTest> Clone for Detail<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: UnderTest> Copy for Detail<'_, S> {}

/// One line for the event of `step`, one for each record that it made durable and each fact.
pub fn lines<S: UnderTest>(step: &Step<S>) -> Vec<String> {
    let line = |node: Option<NodeId>, what: String| {
        let node = node.map_or_else(|| "network".to_owned(), |node| node.to_string());
        format!("{:>6} {:>12}  {node:<7}  {what}", step.index, step.at.to_string())
    };
    let durable = step
        .durable
        .iter()
        .map(|(node, position, kept)| line(Some(*node), durable::<S>(*position, kept)));
    let facts = step.facts.iter().filter_map(|this| {
        let (node, what) = fact(this, Detail::Whole)?;
        Some(line(node.or_else(|| step.place()), what))
    });
    let event = line(step.place(), event(step, Detail::Whole));
    std::iter::once(event).chain(durable).chain(facts).collect()
}

/// What happened, in words that leave out the machine where it did.
pub fn event<S: UnderTest>(step: &Step<S>, detail: Detail<'_, S>) -> String {
    match &step.event {
        Event::Deliver(id) => match &step.packet {
            Some(packet) => {
                format!("<- {} {}", packet.from, S::message_in_words(&packet.message, detail))
            }
            None => unseen("arrived", *id),
        },
        Event::Drop(id, loss) => passing(step, *id, &format!("lost ({})", why(*loss)), detail),
        Event::Duplicate(id) => passing(step, *id, "doubled", detail),
        Event::Wake(_) => match &step.timer {
            Some(timer) => format!("wakes: {}", S::timer_in_words(timer)),
            None => "wakes".to_owned(),
        },
        Event::Synced(_) => "disk has synced".to_owned(),
        Event::Start { rot: None, .. } => "starts".to_owned(),
        Event::Start { rot: Some(rot), .. } => {
            let record = u64::from(rot.record) + 1;
            format!("starts; bit {} of record {record} of its log reads wrong", rot.bit)
        }
        Event::Crash { kept: 0, .. } => "crashes".to_owned(),
        Event::Crash { kept: 1, .. } => "crashes; 1 record is kept by chance".to_owned(),
        Event::Crash { kept, .. } => format!("crashes; {kept} records are kept by chance"),
        Event::Stall(_) => "disk stalls: no sync ends".to_owned(),
        Event::Unstall(_) => "disk goes on".to_owned(),
        Event::FillUp(_) => "disk is full".to_owned(),
        Event::MakeRoom(_) => "disk has room again".to_owned(),
        Event::Wipe { .. } => "crashes, and its disk is gone".to_owned(),
        Event::Pause(_) => "pauses".to_owned(),
        Event::Resume(_) => "goes on".to_owned(),
        Event::Cut(cut) => format!("cut: {}", links(cut)),
        Event::Mend(mended) => format!("mended: {}", links(mended)),
        Event::ClockJump { by, .. } => format!("clock jumps by {by}"),
        Event::ClockDrift { ppm, .. } => format!("clock now gains {ppm} us each second"),
        Event::Request { request, .. } => {
            format!("is asked: {}", S::request_in_words(request, Detail::Whole))
        }
        Event::Command(command) => format!("operator: {}", S::command_in_words(command)),
    }
}

fn passing<S: UnderTest>(
    step: &Step<S>,
    id: PacketId,
    what: &str,
    detail: Detail<'_, S>,
) -> String {
    match &step.packet {
        Some(packet) => {
            let (from, to) = (packet.from, packet.to);
            format!("{from} -> {to} {what}: {}", S::message_in_words(&packet.message, detail))
        }
        None => unseen(what, id),
    }
}

fn unseen(what: &str, id: PacketId) -> String {
    format!("message number {} {what}", id.0)
}

fn why(loss: Loss) -> &'static str {
    match loss {
        Loss::Network => "the network lost it",
        Loss::Cut => "the link is cut",
        Loss::Down => "the receiver is down",
        Loss::Rule => "the scenario says so",
    }
}

/// Where a fact came about, if it says so, and what it is. None where the event has said all.
pub fn fact<S: UnderTest>(
    fact: &Fact<S>,
    detail: Detail<'_, S>,
) -> Option<(Option<NodeId>, String)> {
    Some(match fact {
        Fact::Requested { request } => (Some(request.client), format!("this is {request}")),
        Fact::Sent { from, to, message, .. } => {
            (Some(*from), format!("-> {to} {}", S::message_in_words(message, detail)))
        }
        Fact::Copied { packet } => (None, format!("the copy is message number {}", packet.0)),
        Fact::Appended { node, position, record, forced } => {
            let text = S::record_in_words(record, detail);
            let forced = if *forced { "forced" } else { "lazy" };
            (Some(*node), format!("log #{position} {text} ({forced})"))
        }
        Fact::SyncBegan { node } => (Some(*node), "disk begins to sync".to_owned()),
        Fact::Durable { .. } => return None,
        Fact::Checkpointed { node, covers } => {
            (Some(*node), format!("checkpoint replaces the log below #{covers}"))
        }
        Fact::Forgot { node, from, count, torn, tear } => {
            (Some(*node), forgot(*from, *count, *torn, *tear))
        }
        // The event says it; at a start, or when the machine goes on, it is news.
        Fact::ToldOfDisk { node, is_full: true } => {
            (Some(*node), "takes no new work: its disk is full".to_owned())
        }
        Fact::ToldOfDisk { node, is_full: false } => {
            (Some(*node), "takes new work again".to_owned())
        }
        Fact::Wiped { node } => (Some(*node), "log and checkpoint are gone".to_owned()),
        Fact::Started { node, incarnation } => (Some(*node), format!("is up as {incarnation}")),
        Fact::RefusedToStart { node, reason } => {
            (Some(*node), format!("refuses to start: {reason}"))
        }
        Fact::Replied { request, reply } => (
            Some(request.client),
            format!("answers {request}: {}", S::reply_in_words(reply, Detail::Whole)),
        ),
        Fact::Noticed { client, notice } => (Some(*client), S::notice_in_words(notice)),
    })
}

fn forgot(from: u64, count: u64, torn: u32, tear: Tear) -> String {
    let records = match count {
        1 => format!("log #{from} is lost, it was not durable"),
        _ => {
            let last = (from + count).saturating_sub(1);
            format!("log #{from} to #{last} are lost, they were not durable")
        }
    };
    match tear {
        _ if torn == 0 => records,
        Tear::Prefix => format!("{records} ({torn} bytes of #{from} are left)"),
        Tear::Zeros => format!("{records} (#{from} is zeros from byte {torn} on)"),
        Tear::Hole { length, .. } => {
            format!("{records} (#{from} has a hole of {length} bytes from byte {torn} on)")
        }
    }
}

/// A record that is durable now, in brief.
pub fn durable<S: UnderTest>(position: u64, kept: &S::Record) -> String {
    format!("log #{position} {} is durable", S::record_in_words(kept, Detail::Brief))
}
