//! Golden plays: a cluster directed by hand, and everything that came of it, in the field's words.
//!
//! A play is a few lines, each a direction; `#` begins a remark. The first one names the cluster:
//!
//! | direction | what happens |
//! |---|---|
//! | `cluster nodes 3 replicas 1 clients 2 commit two_phase lock_lease 4s` | all are up; what is left out is 3, 1, 1, staged, 10s |
//! | `... membership managed spare 1 membership_lease 1s virtual_nodes 8 chunk_paths 1` | in views; spare nodes are down; the first view has settled |
//! | `request c1 write /a x, read /b at n1` | a user asks; also `create`, `delete`, `rename /a /b`, `acquire`, `try`, `release` |
//! | `deliver KIND [from NODE] [to NODE]` | the first such message in flight arrives |
//! | `deliver all [from NODE] [to NODE]` | every such message that is in flight now |
//! | `drop ...`, `duplicate ...`, `hold ...` | the network loses, doubles or keeps it |
//! | `sync n1` | the sync under way is done |
//! | `crash n1 keeping 0` | n1 stops; so many records that were not durable stay |
//! | `start n1` | n1 starts on what its disk holds, and is woken |
//! | `wipe n2` | n2 stops, and its disk is empty |
//! | `operator join n4`, `operator leave n2` | the operator tells the central node |
//! | `pause c1`, `resume c1` | c1 stops, c1 goes on |
//! | `cut n1 n2`, `mend n1 n2` | between the two nothing arrives, both ways |
//! | `wake n1` | time passes until the next deadline of n1; those due before come first |
//! | `pass 2s` | time passes and deadlines come, nothing else does |
//! | `settle` | messages arrive in 1ms and syncs take 1ms, until only deadlines of later are left |
//! | `settle until KIND sent`, `... appended`, `... durable` | the same, up to that |
//! | `run 2s` | the same for so long, with all deadlines |
//! | `show` | what each node stores, and what is pinned there |
//! | `show heartbeats`, `hide heartbeats` | with managed membership they are hidden at first |
//!
//! A play ends as if with `show`. What is hidden with the heartbeats: their answers, but not the
//! first lease that a node is given for an epoch; what goes with them again and again, but not the
//! first time; that clients want to hear of views; and when somebody wakes or a message arrives and
//! nothing comes of it.

pub mod words;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use seedbed::proto::{
    Action, Command, CommitMode, Config, Contents, Epoch, Incarnation, Layout, Membership, Message,
    MessageKind, NodeId, Operation, Path, Record, RecordKind, Request, Role, Settings, Span, View,
};
use seedbed_sim::world::{Due, Event, Fact, Loss, PacketId, Stage, Step, World};

use words::Map;

/// Plays `directions` and gives what can be read of it afterwards.
///
/// # Panics
/// If a direction makes no sense, with the direction.
pub fn play(about: &str, directions: &str) -> String {
    let mut lines = directions.lines().map(str::trim).filter(|line| !line.is_empty());
    let cluster = lines.next().expect("a play begins with its cluster");
    let mut play = Play::new(cluster, paths_of(directions));
    let mut text = format!("{}\n\n{}", reflow(about), play.world_words());
    for line in lines {
        match line.strip_prefix('#') {
            Some(remark) => writeln!(text, "\n#{remark}"),
            None => writeln!(text, "\n> {line}"),
        }
        .expect("a string takes everything");
        if !line.starts_with('#') {
            let words: Vec<&str> = line.split_whitespace().collect();
            play.direct(&words).unwrap_or_else(|why| panic!("`{line}`: {why}"));
            text.push_str(&std::mem::take(&mut play.stage.watcher.text));
        }
    }
    writeln!(text, "\nIn the end:\n{}", play.shown()).expect("a string takes everything");
    text.truncate(text.trim_end().len());
    text
}

struct Play {
    stage: Stage<Scribe>,
}

type Told<T = ()> = Result<T, String>;

impl Play {
    fn new(cluster: &str, paths: Vec<Path>) -> Play {
        let words: Vec<&str> = cluster.split_whitespace().collect();
        let Some((&"cluster", options)) = words.split_first() else {
            panic!("`{cluster}`: expected `cluster ...`")
        };
        let mut settings = Settings { replicas: 1, ..Settings::default() };
        let (mut clients, mut spare) = (1, 0);
        for option in options.chunks(2) {
            let [key, value] = option else { panic!("`{cluster}`: expected pairs") };
            match *key {
                "nodes" => {
                    settings.members = (1..=number(value)).map(NodeId::storage).collect();
                }
                "replicas" => settings.replicas = number(value),
                "clients" => clients = number(value),
                "spare" => spare = number(value),
                "virtual_nodes" => settings.virtual_nodes = number(value),
                "chunk_paths" => settings.chunk_paths = number(value),
                "membership" if *value == "managed" => settings.membership = Membership::Managed,
                "membership_lease" => settings.membership_lease = span(value).expect("a span"),
                "commit" if *value == "staged" => settings.commit = CommitMode::Staged,
                "commit" if *value == "two_phase" => settings.commit = CommitMode::TwoPhase,
                "lock_lease" => settings.lock_lease = span(value).expect("a span"),
                _ => panic!("`{cluster}`: unknown `{key} {value}`"),
            }
        }
        let config = Config::new(settings).expect("settings that make sense");
        let scribe = Scribe::new(Map { config: config.clone(), paths });
        let mut unseen = Stage::new(World::with_spare(config, spare, clients), ());
        unseen.start_all();
        unseen.settle();
        Play { stage: Stage::new(unseen.world, scribe) }
    }

    fn direct(&mut self, words: &[&str]) -> Told {
        match words {
            ["request", client, rest @ ..] => {
                self.stage.request(node(client)?, request(rest)?);
            }
            ["deliver", what @ ..] => {
                for packet in self.chosen(what)? {
                    self.stage.arrive(packet);
                }
            }
            ["drop", what @ ..] => {
                for packet in self.chosen(what)? {
                    self.stage.apply(Event::Drop(packet, Loss::Network));
                }
            }
            ["duplicate", what @ ..] => {
                for packet in self.chosen(what)? {
                    self.stage.apply(Event::Duplicate(packet));
                }
            }
            ["hold", what @ ..] => {
                for packet in self.chosen(what)? {
                    self.stage.hold(packet);
                }
            }
            ["sync", at] => self.sync(node(at)?)?,
            ["crash", who, "keeping", kept] => {
                let (node, kept) = (node(who)?, number(kept));
                self.stage.apply(Event::Crash { node, kept, torn: 0, checkpointed: false });
            }
            ["start", who] => {
                let node = node(who)?;
                self.stage.apply(Event::Start { node, rot: None });
                if self.stage.world.next_wake(node) == Some(self.stage.now()) {
                    self.stage.wake(node);
                }
            }
            ["wipe", who] => {
                self.stage.apply(Event::Wipe { node: node(who)? });
            }
            ["operator", "join", who] => {
                self.stage.apply(Event::Command(Command::Join(node(who)?)));
            }
            ["operator", "leave", who] => {
                self.stage.apply(Event::Command(Command::Leave(node(who)?)));
            }
            ["pause", who] => {
                self.stage.apply(Event::Pause(node(who)?));
            }
            ["resume", who] => {
                self.stage.apply(Event::Resume(node(who)?));
            }
            ["cut", one, other] => {
                let links = both_ways(node(one)?, node(other)?);
                self.stage.apply(Event::Cut(links));
            }
            ["mend", one, other] => {
                let links = both_ways(node(one)?, node(other)?);
                self.stage.apply(Event::Mend(links));
            }
            ["wake", who] => self.wake(node(who)?)?,
            ["pass", how_long] => self.pass(span(how_long)?),
            ["run", how_long] => {
                let span = span(how_long)?;
                self.stage.run(span);
            }
            ["settle"] => self.stage.settle(),
            ["settle", "until", kind, what] => self.settle_until(kind, what)?,
            ["show"] => {
                let shown = self.shown();
                self.stage.watcher.text.push_str(&shown);
            }
            ["show", "heartbeats"] => self.stage.watcher.hides_heartbeats = false,
            ["hide", "heartbeats"] => self.stage.watcher.hides_heartbeats = true,
            _ => return Err("no such direction".to_owned()),
        }
        Ok(())
    }

    /// The messages in flight that a direction means.
    fn chosen(&self, what: &[&str]) -> Told<Vec<PacketId>> {
        let (kind, mut ends) = what.split_first().ok_or("expected a kind of message, or `all`")?;
        let kinds: Vec<MessageKind> = message_kinds(kind)?;
        let (mut from, mut to) = (None, None);
        while let [word, name, rest @ ..] = ends {
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

    fn sync(&mut self, node: NodeId) -> Told {
        if !self.stage.is_syncing(node) {
            return Err(format!("{node} does not sync"));
        }
        self.stage.apply(Event::Synced(node));
        Ok(())
    }

    /// Time passes, nothing but deadlines comes, until `node` is woken.
    fn wake(&mut self, node: NodeId) -> Told {
        while let Some((at, due)) = self.stage.next_wake() {
            let woken = matches!(due, Due::Wake(woken) if woken == node);
            self.stage.let_come(at, due);
            if woken {
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
        let messages = message_kinds(kind).unwrap_or_default();
        let records: Vec<RecordKind> =
            RecordKind::ALL.iter().copied().filter(|record| record.name() == kind).collect();
        let mut found = false;
        let stop = |_: &Scribe, step: &Step| {
            found |= match what {
                "sent" => sent(step).any(|kind| messages.contains(&kind)),
                "appended" => appended(step).any(|kind| records.contains(&kind)),
                _ => step.durable.iter().any(|(_, _, record)| records.contains(&record.kind())),
            };
            found
        };
        self.stage.settle_until(stop);
        if found { Ok(()) } else { Err("it never was".to_owned()) }
    }

    /// What each node stores, and what is pinned there.
    fn shown(&self) -> String {
        let mut text = String::new();
        let (world, map) = (&self.stage.world, &self.stage.watcher.map);
        for id in world.nodes().filter(|id| id.role() == Role::Storage) {
            let Some(node) = world.host(id).storage() else {
                writeln!(text, "    {id} is down").expect("a string takes everything");
                continue;
            };
            let files = node.files().iter().map(|(path, file)| {
                let pinned = if node.is_pinned(path) { ", pinned" } else { "" };
                format!("{path} is {}{pinned}", words::file(file))
            });
            let unknown = map.paths.iter().filter(|path| !node.files().contains_key(*path));
            let pinned = unknown.filter(|path| node.is_pinned(path));
            let all: Vec<String> =
                files.chain(pinned.map(|path| format!("{path} is pinned"))).collect();
            let all = if all.is_empty() { "nothing".to_owned() } else { all.join("; ") };
            let epoch = match map.config.membership {
                Membership::Fixed => String::new(),
                Membership::Managed => format!(" in {}", node.epoch()),
            };
            writeln!(text, "    {id}{epoch}: {all}").expect("a string takes everything");
        }
        text
    }

    /// Who takes part, and who owns what.
    fn world_words(&self) -> String {
        let Map { config, .. } = &self.stage.watcher.map;
        let mode = match config.commit {
            CommitMode::Staged => "staged",
            CommitMode::TwoPhase => "two_phase",
        };
        let owners = self.stage.watcher.map.owners(config.first_layout());
        match config.membership {
            Membership::Fixed => format!("Commit is {mode}; {owners}.\n"),
            Membership::Managed => {
                format!("Commit is {mode}; {} has settled, where {owners}.\n", Config::FIRST_EPOCH)
            }
        }
    }
}

/// Writes down every step.
struct Scribe {
    text: String,
    map: Map,
    hides_heartbeats: bool,
    /// The lives that have been given a lease for an epoch.
    leased: BTreeSet<(NodeId, Incarnation, Epoch)>,
    /// What has been said from one to another, as far as it is said again until it is answered.
    said: BTreeSet<(NodeId, NodeId, String)>,
    /// Messages about heartbeats that are news.
    news: BTreeSet<PacketId>,
}

impl seedbed_sim::world::Watcher for Scribe {
    fn watch(&mut self, _world: &World, step: &Step) {
        self.forget_said(step);
        let mut effects = Vec::new();
        for (node, _, record) in &step.durable {
            let record = words::record(record, &self.map);
            let what = record.split(": ").next().unwrap_or_default();
            effects.push(format!("{node} has durable: {what}"));
        }
        for fact in &step.facts {
            if !self.is_hidden(fact) {
                effects.extend(effect(fact, &self.map));
            }
            if let Fact::Appended { record: Record::Announced { view }, .. } = fact {
                effects.push(self.moves(view));
            }
        }
        if effects.is_empty() && self.says_nothing(step) {
            return;
        }
        let text = &mut self.text;
        writeln!(text, "  {:>8}  {}", words::time(step.at), event(step)).expect("it fits");
        for effect in effects {
            writeln!(text, "              {effect}").expect("it fits");
        }
    }
}

impl Scribe {
    fn new(map: Map) -> Scribe {
        let hides_heartbeats = map.config.membership == Membership::Managed;
        let first = |node: &NodeId| (*node, Incarnation(1), Config::FIRST_EPOCH);
        let leased = map.config.members.iter().map(first).collect();
        let (text, said, news) = (String::new(), BTreeSet::new(), BTreeSet::new());
        Scribe { text, map, hides_heartbeats, leased, said, news }
    }

    /// Does the fact go without saying?
    fn is_hidden(&mut self, fact: &Fact) -> bool {
        let Fact::Sent { packet, from, to, message } = fact else { return false };
        if self.is_first(*from, *to, message) {
            self.news.insert(*packet);
        }
        self.hides_heartbeats && is_about_heartbeats(message) && !self.news.contains(packet)
    }

    /// Is it said for the first time, of what is said again with the heartbeats?
    fn is_first(&mut self, from: NodeId, to: NodeId, message: &Message) -> bool {
        match message {
            Message::Alive { incarnation, epoch, .. } => {
                self.leased.insert((to, *incarnation, *epoch))
            }
            Message::Entered { .. }
            | Message::Completed { .. }
            | Message::Departed { .. }
            | Message::Views { .. } => {
                self.said.insert((from, to, words::message(message, &self.map)))
            }
            _ => false,
        }
    }

    /// What was lost, or said to or by an earlier life, is said for the first time again.
    fn forget_said(&mut self, step: &Step) {
        match (&step.event, &step.packet) {
            (Event::Crash { node, .. } | Event::Wipe { node }, _) => {
                self.said.retain(|(from, to, _)| from != node && to != node);
            }
            (Event::Drop(..), Some(packet)) => {
                let words = words::message(&packet.message, &self.map);
                self.said.remove(&(packet.from, packet.to, words));
            }
            _ => {}
        }
    }

    /// Does an event of which nothing comes go without saying?
    fn says_nothing(&self, step: &Step) -> bool {
        let is_news = match &step.event {
            Event::Deliver(packet) | Event::Drop(packet, _) | Event::Duplicate(packet) => {
                let packet_of = step.packet.as_ref().expect("the event is about a message");
                !is_about_heartbeats(&packet_of.message) || self.news.contains(packet)
            }
            Event::Wake(_) => false,
            _ => true,
        };
        self.hides_heartbeats && !is_news
    }

    /// Who owns what in a view.
    fn moves(&self, view: &View) -> String {
        let config = &self.map.config;
        let layout = Layout::new(config, view.clone(), config.first_layout());
        format!("  (in {} {})", view.epoch, self.map.owners(&layout))
    }
}

/// Is it a heartbeat, the answer to one, what goes with them, or a client that wants to hear of
/// views?
fn is_about_heartbeats(message: &Message) -> bool {
    matches!(
        message,
        Message::Heartbeat { .. }
            | Message::Alive { .. }
            | Message::Watch { .. }
            | Message::Entered { .. }
            | Message::Completed { .. }
            | Message::Departed { .. }
            | Message::Views { .. }
    )
}

fn event(step: &Step) -> String {
    let packet = || step.packet.as_ref().expect("the event is about a message");
    let subject = || words::subject(&packet().message);
    match &step.event {
        Event::Deliver(_) => {
            format!("{} receives {} from {}", packet().to, subject(), packet().from)
        }
        Event::Drop(_, loss) => {
            let why = match loss {
                Loss::Network => "the network loses it".to_owned(),
                Loss::Cut => "the link is cut".to_owned(),
                Loss::Down => format!("{} is down", packet().to),
                Loss::Rule => "the scenario says so".to_owned(),
            };
            format!("lost: {} from {} to {}, {why}", subject(), packet().from, packet().to)
        }
        Event::Duplicate(_) => {
            format!("doubled: {} from {} to {}", subject(), packet().from, packet().to)
        }
        Event::Wake(node) => format!("{node} wakes"),
        Event::Synced(node) => format!("{node} has synced"),
        Event::Start { node, .. } => format!("{node} starts"),
        Event::Crash { node, .. } => format!("{node} crashes"),
        Event::Wipe { node } => format!("{node} crashes and loses its disk"),
        Event::Pause(node) => format!("{node} pauses"),
        Event::Resume(node) => format!("{node} goes on"),
        Event::Cut(links) => format!("the links between {} are cut", ends(links)),
        Event::Mend(links) => format!("the links between {} are whole", ends(links)),
        Event::ClockJump { node, by } => format!("the clock of {node} jumps by {by}"),
        Event::ClockDrift { node, ppm } => format!("the clock of {node} gains {ppm} ppm"),
        Event::Request { client, request } => {
            format!("{client} is asked: {}", words::request(request))
        }
        Event::Command(command) => format!("the operator says: {}", words::command(command)),
    }
}

fn ends(links: &[(NodeId, NodeId)]) -> String {
    let ends: BTreeSet<NodeId> = links.iter().flat_map(|(from, to)| [*from, *to]).collect();
    ends.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" and ")
}

fn effect(fact: &Fact, map: &Map) -> Option<String> {
    Some(match fact {
        Fact::Requested { request } => format!("it is request {request}"),
        Fact::Sent { from, to, message, .. } => {
            format!("{from} -> {to}  {}", words::message(message, map))
        }
        Fact::Appended { node, record, forced, .. } => {
            let how = if *forced { "forces" } else { "writes lazily" };
            format!("{node} {how}: {}", words::record(record, map))
        }
        Fact::Checkpointed { node, .. } => format!("{node} has a new checkpoint"),
        Fact::Forgot { node, count, .. } => {
            format!("{node} loses what was not durable, {count} in all")
        }
        Fact::Wiped { node } => format!("{node} has an empty disk"),
        Fact::Started { node, incarnation } => format!("{node} is in life {}", incarnation.0),
        Fact::RefusedToStart { node, reason } => format!("{node} refuses to start: {reason}"),
        Fact::Replied { request, reply } => {
            format!("{} answers {request}: {}", request.client, words::reply(reply))
        }
        Fact::Noticed { client, notice } => format!("{client} {}", words::notice(notice)),
        Fact::Copied { .. } | Fact::SyncBegan { .. } | Fact::Durable { .. } => return None,
    })
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

fn request(words: &[&str]) -> Told<Request> {
    let text = words.join(" ");
    let (text, coordinator) = match text.rsplit_once(" at ") {
        Some((text, name)) => (text.to_owned(), Some(node(name)?)),
        None => (text, None),
    };
    let lock = |path: &&str| Path::new(path).map_err(|error| error.to_string());
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["acquire", path] => Ok(Request::Acquire { path: lock(path)?, wait: true }),
        ["try", path] => Ok(Request::Acquire { path: lock(path)?, wait: false }),
        ["release", path] => Ok(Request::Release { path: lock(path)? }),
        _ => {
            let operations = text.split(',').map(operation).collect::<Told<Vec<_>>>()?;
            Ok(Request::Files { operations: operations.into(), coordinator })
        }
    }
}

fn operation(text: &str) -> Told<Operation> {
    let path = |text: &str| Path::new(text).map_err(|error| error.to_string());
    let (name, action) = match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        ["read", name] => (path(name)?, Action::Read),
        ["create", name, data] => (path(name)?, Action::Create(Contents::from(data))),
        ["write", name, data] => (path(name)?, Action::Write(Contents::from(data), None)),
        ["delete", name] => (path(name)?, Action::Delete(None)),
        ["rename", name, to] => (path(name)?, Action::Rename(path(to)?, None)),
        _ => return Err(format!("no such operation: `{text}`")),
    };
    Ok(Operation { path: name, action, token: None })
}

fn message_kinds(word: &str) -> Told<Vec<MessageKind>> {
    let kinds = MessageKind::ALL.iter().copied();
    let kinds: Vec<MessageKind> =
        kinds.filter(|kind| word == "all" || kind.name() == word).collect();
    if kinds.is_empty() { Err(format!("no kind of message: `{word}`")) } else { Ok(kinds) }
}

fn both_ways(one: NodeId, other: NodeId) -> Arc<[(NodeId, NodeId)]> {
    [(one, other), (other, one)].into()
}

fn node(name: &str) -> Told<NodeId> {
    name.parse().map_err(|error: seedbed::proto::NotANode| error.to_string())
}

fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("expected a number, found `{text}`"))
}

fn span(text: &str) -> Told<Span> {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(ms), _) => Ok(Span::from_millis(number(ms))),
        (None, Some(s)) => Ok(Span::from_secs(number(s))),
        (None, None) => Err(format!("expected `2s` or `20ms`, found `{text}`")),
    }
}

/// Every path that is named, in the order of names.
fn paths_of(directions: &str) -> Vec<Path> {
    let words = directions.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = words.flat_map(|line| line.split([' ', ',']));
    let paths: BTreeSet<Path> = words.filter_map(|word| Path::new(word).ok()).collect();
    paths.into_iter().collect()
}

/// One paragraph, in lines of at most 100 columns.
fn reflow(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is a line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.len() + 1 + word.len() <= 100 {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
