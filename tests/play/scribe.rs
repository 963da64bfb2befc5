//! Writes down every step, in the words of the trace, and leaves out what is routine and hidden.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use seedbed::machine::NodeId;
use seedbed::proto::{Config, FileService, Layout, Membership, Path, Record, View};
use seedbed_sim::file_service::trace::{self, Detail, Places, Topic};
use seedbed_sim::file_service::{Event, Fact, Packet, Step, World};
use seedbed_sim::world::{PacketId, Watcher};

use super::parse::time;

/// Writes down every step.
pub struct Scribe {
    /// What has come of the direction under way.
    pub text: String,
    /// The paths of the play.
    pub places: Places,
    /// Routine messages that are left out, except when they say something for the first time.
    pub hidden: BTreeSet<Topic>,
    /// What routine messages have said from one machine to another.
    said: BTreeSet<(NodeId, NodeId, String)>,
    /// Routine messages in flight that say something for the first time.
    news: BTreeSet<PacketId>,
}

impl Watcher<FileService> for Scribe {
    fn watch(&mut self, world: &World, step: &Step) {
        self.forget_what_was_lost(step);
        let mut effects: Vec<(Option<NodeId>, String)> = Vec::new();
        for (node, position, record) in &step.durable {
            effects.push((Some(*node), trace::durable::<FileService>(*position, record)));
        }
        for fact in &step.facts {
            if !self.is_hidden(fact) {
                effects.extend(trace::fact(fact, Detail::Contents(&self.places)));
            }
            if let Fact::Appended { record: Record::Announced { view }, .. } = fact {
                effects.push((None, self.moves(world.config(), view)));
            }
        }
        if !effects.is_empty() || !self.goes_without_saying(step) {
            self.write(step, &effects);
        }
    }
}

impl Scribe {
    pub fn new(config: &Arc<Config>, paths: BTreeSet<Path>) -> Scribe {
        let places = Places::new(config.clone(), paths.into_iter().collect());
        let (said, news) = (BTreeSet::new(), BTreeSet::new());
        Scribe { text: String::new(), places, hidden: hidden_at_first(config), said, news }
    }

    /// Another play begins where one has ended.
    pub fn begin(&mut self, config: &Arc<Config>, paths: BTreeSet<Path>) {
        self.places = Places::new(config.clone(), paths.into_iter().collect());
        self.hidden = hidden_at_first(config);
    }

    fn write(&mut self, step: &Step, effects: &[(Option<NodeId>, String)]) {
        let place = step.place();
        let name = |node: Option<NodeId>| node.map_or(String::new(), |node| node.to_string());
        let event = trace::event(step, Detail::Brief);
        let at = time(step.at);
        let mut line = |at: &str, node: &str, what: &str| {
            writeln!(self.text, "  {at:>8}  {node:<7}  {what}").expect("a string takes everything");
        };
        line(&at, &name(place), &event);
        for (node, effect) in effects {
            line("", &name(node.filter(|node| Some(*node) != place)), effect);
        }
    }

    /// Is it a routine message that is hidden, or nothing that a play tells?
    fn is_hidden(&mut self, fact: &Fact) -> bool {
        let Fact::Sent { packet, from, to, message } = fact else {
            return matches!(fact, Fact::SyncBegan { .. } | Fact::Copied { .. });
        };
        let Some(routine) = trace::routine(message, &self.places) else { return false };
        if routine.says.is_some_and(|words| self.said.insert((*from, *to, words))) {
            self.news.insert(*packet);
        }
        self.hidden.contains(&routine.topic) && !self.news.contains(packet)
    }

    /// What was lost, or said to or by an earlier life, is said for the first time again.
    fn forget_what_was_lost(&mut self, step: &Step) {
        for fact in &step.facts {
            if let Fact::Started { node, .. } = fact {
                self.said.retain(|(from, to, _)| from != node && to != node);
            }
        }
        if let (Event::Drop(..), Some(Packet { from, to, message })) = (&step.event, &step.packet) {
            let words = trace::routine(message, &self.places).and_then(|routine| routine.says);
            words.map(|words| self.said.remove(&(*from, *to, words)));
        }
    }

    /// Is an event of which nothing comes left out?
    fn goes_without_saying(&self, step: &Step) -> bool {
        match &step.event {
            Event::Deliver(packet) | Event::Drop(packet, _) | Event::Duplicate(packet) => {
                let message = &step.packet.as_ref().expect("the event is about a message").message;
                let routine = trace::routine(message, &self.places);
                let is_hidden = routine.is_some_and(|r| self.hidden.contains(&r.topic));
                is_hidden && !self.news.contains(packet)
            }
            Event::Wake(_) => !self.hidden.is_empty(),
            _ => false,
        }
    }

    /// Which nodes own what in a view.
    fn moves(&self, config: &Config, view: &View) -> String {
        let layout = Layout::new(config, view.clone(), config.first_layout());
        format!("  (in {} {})", view.epoch, self.places.owners(&layout))
    }
}

fn hidden_at_first(config: &Config) -> BTreeSet<Topic> {
    match config.membership {
        Membership::Fixed => BTreeSet::new(),
        Membership::Managed => BTreeSet::from([Topic::Heartbeats]),
    }
}
