//! A golden play: what its file says, and what comes of that.

mod cluster;
mod direction;
mod parse;
mod request;
mod scribe;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path as FilePath;

use seedbed::machine::Class;
use seedbed::proto::{Config, Membership, Path};
use seedbed_sim::file_service::Stage;
use seedbed_sim::file_service::trace;

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
    let (about, _) = parts(text);
    let mut written = format!("{about}\n");
    let play = played(&[file], text, &mut written)?;
    write!(written, "\nIn the end:\n{}", play.shown()).expect("a string takes everything");
    Ok(written)
}

/// Plays the directions of the last of `files`, and writes them down with what comes of each. The
/// others go on from it.
fn played(files: &[&FilePath], text: &str, written: &mut String) -> Told<Play> {
    let file = files[files.len() - 1];
    let told = |line: &Line<'_>, why: String| {
        format!("{}:{}: `{}`: {why}", file.display(), line.number, line.text)
    };
    let (_, lines) = parts(text);
    let [first, lines @ ..] = &lines[..] else {
        return Err(format!("{}: expected `> cluster ...` or `> after ...`", file.display()));
    };
    if text.starts_with('>') {
        return Err(told(
            first,
            "expected a text first that says what the play is about".to_owned(),
        ));
    }
    let paths = parse::paths(text);
    let (mut play, begins) = begun(files, first.text, paths).map_err(|why| told(first, why))?;
    write!(written, "\n{}\n{begins}", first.text).expect("a string takes everything");
    for line in lines {
        writeln!(written, "\n{}", line.text).expect("a string takes everything");
        if let Some(direction) = line.text.strip_prefix('>') {
            let words: Vec<&str> = direction.split_whitespace().collect();
            play.direct(&words).map_err(|why| told(line, why))?;
            written.push_str(&std::mem::take(&mut play.stage.watcher.text));
        }
    }
    Ok(play)
}

/// The play after its first line, and what is to be known of the cluster then.
fn begun(files: &[&FilePath], first: &str, mut paths: BTreeSet<Path>) -> Told<(Play, String)> {
    let words: Vec<&str> = first.split_whitespace().collect();
    match &words[..] {
        [">", "cluster", options @ ..] => {
            let play = Play::new(cluster::cluster(options)?, paths);
            let cast = format!("    {}\n", play.cast());
            Ok((play, cast))
        }
        [">", "after", name] => {
            let before = files[0].with_file_name(format!("{name}.play"));
            if files.contains(&&*before) {
                return Err("it cannot come after itself".to_owned());
            }
            let text = std::fs::read_to_string(&before)
                .map_err(|error| format!("{}: {error}", before.display()))?;
            let files: Vec<&FilePath> = files.iter().copied().chain([&*before]).collect();
            let Play { mut stage } = played(&files, &text, &mut String::new())?;
            paths.extend(stage.watcher.places.paths().iter().cloned());
            stage.watcher.begin(stage.world.config(), paths);
            let play = Play { stage };
            let shown = play.shown();
            Ok((play, shown))
        }
        _ => Err("expected `> cluster ...` or `> after ...` before everything else".to_owned()),
    }
}

/// What the play is about, and its remarks and directions. Everything else is what came of them.
fn parts(text: &str) -> (&str, Vec<Line<'_>>) {
    let about = text.split("\n>").next().unwrap_or_default().trim();
    let numbered = text.lines().zip(1..).skip(about.lines().count());
    let lines = numbered.map(|(text, number)| Line { number, text: text.trim_end() });
    (about, lines.filter(|line| line.text.starts_with(['>', '#'])).collect())
}

impl Play {
    fn new(cluster: Cluster, paths: BTreeSet<Path>) -> Play {
        let Cluster { config, spare, clients } = cluster;
        let scribe = Scribe::new(&config, paths);
        Play { stage: cluster::started(config, spare, clients, scribe) }
    }

    /// Which nodes own what at first.
    fn cast(&self) -> String {
        let config = self.stage.world.config();
        let mode = parse::mode(config.commit);
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
        for id in world.machines().filter(|id| id.class() == Class::Node) {
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
