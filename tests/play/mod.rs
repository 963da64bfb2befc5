//! A golden play: what its file says, and what comes of that.

mod cluster;
mod direction;
mod request;
mod scribe;
mod words;

use std::fmt::Write as _;
use std::path::Path as FilePath;

use seedbed::proto::{Config, Membership, Role};
use seedbed_sim::trace::{self, Places};
use seedbed_sim::world::Stage;

use cluster::Cluster;
use scribe::Scribe;

/// What is told of a line that makes no sense.
type Told<T = ()> = Result<T, String>;

/// A line of a play that a reader has written.
struct Line<'a> {
    number: usize,
    text: &'a str,
}

/// A play under way.
struct Play {
    stage: Stage<Scribe>,
}

/// Plays the directions of a file and gives the whole file, as it has to be.
///
/// # Errors
/// If a direction makes no sense, with the file and the line.
pub fn written(file: &FilePath, text: &str) -> Told<String> {
    let told = |line: &Line<'_>, why: String| {
        format!("{}:{}: `{}`: {why}", file.display(), line.number, line.text)
    };
    let (about, lines) = parts(text);
    let mut lines = lines.iter();
    let Some(first) = lines.next() else {
        return Err(format!("{}: expected `> cluster ...`", file.display()));
    };
    let mut play = Play::new(first.text, text).map_err(|why| told(first, why))?;
    let mut written = format!("{about}\n\n{}\n    {}\n", first.text, play.cast());
    for line in lines {
        writeln!(written, "\n{}", line.text).expect("a string takes everything");
        if let Some(direction) = line.text.strip_prefix('>') {
            let words: Vec<&str> = direction.split_whitespace().collect();
            play.direct(&words).map_err(|why| told(line, why))?;
            written.push_str(&std::mem::take(&mut play.stage.watcher.text));
        }
    }
    written.push_str("\nIn the end:\n");
    written.push_str(&play.shown());
    Ok(written)
}

/// What the play is about, and its remarks and directions. Everything else is what came of them.
fn parts(text: &str) -> (&str, Vec<Line<'_>>) {
    let about = text.split("\n>").next().unwrap_or_default().trim();
    let numbered = text.lines().zip(1..).skip(about.lines().count());
    let lines = numbered.map(|(text, number)| Line { number, text: text.trim_end() });
    (about, lines.filter(|line| line.text.starts_with(['>', '#'])).collect())
}

impl Play {
    fn new(cluster: &str, text: &str) -> Told<Play> {
        let words: Vec<&str> = cluster.split_whitespace().collect();
        let [">", "cluster", options @ ..] = words.as_slice() else {
            return Err("expected `> cluster ...` before everything else".to_owned());
        };
        let Cluster { config, spare, clients } = cluster::cluster(options)?;
        let (_, lines) = parts(text);
        let places = Places::new(config.clone(), words::paths(lines.iter().map(|l| l.text)));
        let scribe = Scribe::new(&config, places);
        Ok(Play { stage: cluster::started(config, spare, clients, scribe) })
    }

    /// Who owns what at first.
    fn cast(&self) -> String {
        let config = self.stage.world.config();
        let mode = words::mode(config.commit);
        let owners = self.stage.watcher.places.owners(config.first_layout());
        match config.membership {
            Membership::Fixed => format!("Commit is {mode}; {owners}."),
            Membership::Managed => {
                format!("Commit is {mode}; {} has settled, where {owners}.", Config::FIRST_EPOCH)
            }
        }
    }

    /// What each storage node stores, and what is pinned there.
    fn shown(&self) -> String {
        let world = &self.stage.world;
        let mut text = String::new();
        for id in world.nodes().filter(|id| id.role() == Role::Storage) {
            let Some(node) = world.host(id).storage() else {
                writeln!(text, "    {id} is down").expect("a string takes everything");
                continue;
            };
            let files = node.files().iter().map(|(path, file)| {
                let pinned = if node.is_pinned(path) { ", pinned" } else { "" };
                format!("{path} {}{pinned}", trace::file(file))
            });
            let paths = self.stage.watcher.places.paths().iter();
            let unknown = paths.filter(|path| !node.files().contains_key(*path));
            let pinned = unknown.filter(|path| node.is_pinned(path));
            let all: Vec<String> =
                files.chain(pinned.map(|path| format!("{path} is pinned"))).collect();
            let all = if all.is_empty() { "nothing".to_owned() } else { all.join("; ") };
            let epoch = match world.config().membership {
                Membership::Fixed => String::new(),
                Membership::Managed => format!(" in {}", node.epoch()),
            };
            writeln!(text, "    {id}{epoch}: {all}").expect("a string takes everything");
        }
        text
    }
}
