//! What each direction does to the cluster. `tests/plays/README.md` has the table of them.

use std::sync::Arc;

use seedbed::machine::{Class, NodeId, Span};
use seedbed::proto::{Command, MessageKind, RecordKind};
use seedbed_sim::file_service::trace::Topic;
use seedbed_sim::file_service::{Event, Fact, Stage, Step};
use seedbed_sim::world::{Due, Loss, PacketId};

use super::parse::{node, number, span, unknown};
use super::request::request;
use super::scribe::Scribe;
use super::{Play, Told};

impl Play {
    /// Does what a line says.
    pub fn direct(&mut self, words: &[&str]) -> Told {
        match words {
            ["request", client, rest @ ..] => {
                self.stage.request(self.client(client)?, request(rest)?);
            }
            ["deliver", what @ ..] => self.each(what, |stage, packet| {
                stage.arrive(packet);
            })?,
            ["drop", what @ ..] => self.each(what, |stage, packet| {
                stage.apply(Event::Drop(packet, Loss::Network));
            })?,
            ["duplicate", what @ ..] => self.each(what, |stage, packet| {
                stage.apply(Event::Duplicate(packet));
            })?,
            ["hold", what @ ..] => self.each(what, Stage::hold)?,
            ["crash", machine, "keeping", kept] => {
                self.stage.crash_keeping(self.up(machine)?, number(kept)?);
            }
            ["start", machine] => self.start(machine)?,
            ["wake", machine] => self.wake(self.up(machine)?)?,
            ["pass", how_long] => self.pass(span(how_long)?),
            ["run", how_long] => self.stage.run(span(how_long)?),
            ["settle"] => self.stage.settle(),
            ["settle", "until", kind, what] => self.settle_until(kind, what)?,
            ["show"] => {
                let shown = self.shown();
                self.stage.watcher.text.push_str(&shown);
            }
            ["show", what] => {
                self.stage.watcher.hidden.remove(&topic(what)?);
            }
            ["hide", what] => {
                self.stage.watcher.hidden.insert(topic(what)?);
            }
            _ => {
                let event = self.event(words)?;
                self.stage.apply(event);
            }
        }
        Ok(())
    }

    /// The event that a direction is.
    fn event(&self, words: &[&str]) -> Told<Event> {
        Ok(match words {
            ["sync", at] => Event::Synced(self.syncing(at)?),
            ["wipe", machine] => Event::Wipe { node: self.up(machine)? },
            ["operator", "join", machine] => self.command(Command::Join(self.there(machine)?))?,
            ["operator", "leave", machine] => self.command(Command::Leave(self.there(machine)?))?,
            ["pause", machine] => Event::Pause(self.up(machine)?),
            ["resume", machine] => Event::Resume(self.up(machine)?),
            ["cut", one, other] => Event::Cut(both_ways(self.there(one)?, self.there(other)?)),
            ["mend", one, other] => Event::Mend(both_ways(self.there(one)?, self.there(other)?)),
            _ => return Err(no_direction(words)),
        })
    }

    /// A machine of the cluster.
    fn there(&self, machine: &str) -> Told<NodeId> {
        let node = node(machine)?;
        if self.stage.world.has(node) { Ok(node) } else { Err(format!("there is no {node}")) }
    }

    /// A machine that is up.
    fn up(&self, machine: &str) -> Told<NodeId> {
        let node = self.there(machine)?;
        if self.stage.world.host(node).is_up() { Ok(node) } else { Err(format!("{node} is down")) }
    }

    /// A machine that works: what comes to a paused one waits.
    fn at_work(&self, machine: &str) -> Told<NodeId> {
        let node = self.up(machine)?;
        let is_paused = self.stage.world.host(node).is_paused();
        if is_paused { Err(format!("{node} is paused")) } else { Ok(node) }
    }

    fn client(&self, machine: &str) -> Told<NodeId> {
        let node = self.at_work(machine)?;
        let is_client = node.class() == Class::Client;
        if is_client { Ok(node) } else { Err(format!("expected a client, found {node}")) }
    }

    /// What the operator tells the central node.
    fn command(&self, command: Command) -> Told<Event> {
        self.at_work("control").map(|_| Event::Command(command))
    }

    fn syncing(&self, machine: &str) -> Told<NodeId> {
        let node = self.at_work(machine)?;
        if self.stage.is_syncing(node) { Ok(node) } else { Err(format!("{node} does not sync")) }
    }

    fn start(&mut self, machine: &str) -> Told {
        let node = self.there(machine)?;
        if self.stage.world.host(node).is_up() {
            return Err(format!("{node} is not down"));
        }
        self.stage.start(node);
        if self.stage.world.next_wake(node) == Some(self.stage.now()) {
            self.stage.wake(node);
        }
        Ok(())
    }

    /// Does something to each of the messages that are meant.
    fn each(&mut self, what: &[&str], mut act: impl FnMut(&mut Stage<Scribe>, PacketId)) -> Told {
        for packet in self.chosen(what)? {
            act(&mut self.stage, packet);
        }
        Ok(())
    }

    /// The messages in flight that a direction means.
    fn chosen(&self, what: &[&str]) -> Told<Vec<PacketId>> {
        let (kind, mut ends) = what.split_first().ok_or("expected a kind of message, or `all`")?;
        let kinds: Vec<MessageKind> = message_kinds(kind)?;
        let (mut from, mut to) = (None, None);
        while let [word, rest @ ..] = ends {
            let [name, rest @ ..] = rest else {
                return Err(format!("expected a machine behind `{word}`"));
            };
            match *word {
                "from" => from = Some(node(name)?),
                "to" => to = Some(node(name)?),
                _ => return Err(format!("expected `from` or `to`, found `{word}`")),
            }
            ends = rest;
        }
        let packets = self.stage.world.network().packets();
        let chosen = packets.filter(|(_, packet)| {
            kinds.contains(&packet.message.kind())
                && from.is_none_or(|from| from == packet.from)
                && to.is_none_or(|to| to == packet.to)
        });
        let most = if *kind == "all" { usize::MAX } else { 1 };
        let chosen: Vec<PacketId> = chosen.map(|(id, _)| id).take(most).collect();
        if chosen.is_empty() { Err("no such message is in flight".to_owned()) } else { Ok(chosen) }
    }

    /// Time passes, nothing but deadlines comes, until `node` is woken.
    fn wake(&mut self, node: NodeId) -> Told {
        if self.stage.world.next_wake(node).is_none() {
            return Err(format!("{node} waits for nothing"));
        }
        while let Some((at, due)) = self.stage.next_wake() {
            self.stage.let_come(at, due);
            if due == Due::Wake(node) {
                return Ok(());
            }
        }
        Err(format!("{node} waits for nothing"))
    }

    /// Time passes, nothing but deadlines comes.
    fn pass(&mut self, how_long: Span) {
        let until = self.stage.now() + how_long;
        while let Some((at, due)) = self.stage.next_wake().filter(|(at, _)| *at <= until) {
            self.stage.let_come(at, due);
        }
        self.stage.pass_to(until);
    }

    fn settle_until(&mut self, kind: &str, what: &str) -> Told {
        let stop: Box<dyn Fn(&Step) -> bool> = match what {
            "sent" => {
                let kinds = message_kinds(kind)?;
                Box::new(move |step| sent(step).any(|kind| kinds.contains(&kind)))
            }
            "appended" => {
                let kind = record_kind(kind)?;
                Box::new(move |step| appended(step).any(|appended| appended == kind))
            }
            "durable" => {
                let kind = record_kind(kind)?;
                Box::new(move |step| step.durable.iter().any(|(_, _, kept)| kept.kind() == kind))
            }
            _ => return Err(format!("expected `sent`, `appended` or `durable`, found `{what}`")),
        };
        let found = self.stage.settle_until(|_, step| stop(step));
        if found { Ok(()) } else { Err("it never was".to_owned()) }
    }
}

fn topic(word: &str) -> Told<Topic> {
    match word {
        "heartbeats" => Ok(Topic::Heartbeats),
        "pulls" => Ok(Topic::Pulls),
        _ => Err(format!("expected `heartbeats` or `pulls`, found `{word}`")),
    }
}

fn sent(step: &Step) -> impl Iterator<Item = MessageKind> {
    step.facts.iter().filter_map(|fact| match fact {
        Fact::Sent { message, .. } => Some(message.kind()),
        _ => None,
    })
}

fn appended(step: &Step) -> impl Iterator<Item = RecordKind> {
    step.facts.iter().filter_map(|fact| match fact {
        Fact::Appended { record, .. } => Some(record.kind()),
        _ => None,
    })
}

fn message_kinds(word: &str) -> Told<Vec<MessageKind>> {
    let kinds = MessageKind::ALL.iter().copied();
    let kinds: Vec<MessageKind> =
        kinds.filter(|kind| word == "all" || kind.name() == word).collect();
    let names = MessageKind::ALL.iter().map(|kind| kind.name()).chain(["all"]);
    if kinds.is_empty() { Err(unknown("kind of message", word, names)) } else { Ok(kinds) }
}

fn record_kind(word: &str) -> Told<RecordKind> {
    let found = RecordKind::ALL.iter().copied().find(|kind| kind.name() == word);
    let names = RecordKind::ALL.iter().map(|kind| kind.name());
    found.ok_or_else(|| unknown("kind of record", word, names))
}

const DIRECTIONS: [&str; 22] = [
    "request",
    "deliver",
    "drop",
    "duplicate",
    "hold",
    "crash",
    "start",
    "wake",
    "pass",
    "run",
    "settle",
    "show",
    "hide",
    "sync",
    "wipe",
    "operator",
    "pause",
    "resume",
    "cut",
    "mend",
    "cluster",
    "after",
];

/// The direction has no such form, or there is none of this name.
fn no_direction(words: &[&str]) -> String {
    match words.first().filter(|word| !DIRECTIONS.contains(word)) {
        Some(word) => unknown("direction", word, DIRECTIONS),
        None => "not a form of this direction, see tests/plays/README.md".to_owned(),
    }
}

fn both_ways(one: NodeId, other: NodeId) -> Arc<[(NodeId, NodeId)]> {
    [(one, other), (other, one)].into()
}
