//! Single words of a play: numbers, times, names.

use std::collections::BTreeSet;
use std::str::FromStr;

use seedbed::machine::{NodeId, Span, Time};
use seedbed::proto::{CommitMode, Path};

use seedbed_sim::text::nearest;

use super::Told;

pub fn node(name: &str) -> Told<NodeId> {
    name.parse().map_err(|error: seedbed::machine::NotANode| error.to_string())
}

pub fn path(name: &str) -> Told<Path> {
    Path::new(name).map_err(|error| error.to_string())
}

pub fn number<N: FromStr>(text: &str) -> Told<N> {
    text.parse().map_err(|_| format!("expected a number, found `{text}`"))
}

/// `2s`, `20ms`.
pub fn span(text: &str) -> Told<Span> {
    match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(ms), _) => Ok(Span::from_millis(number(ms)?)),
        (None, Some(s)) => Ok(Span::from_secs(number(s)?)),
        (None, None) => Err(format!("expected `2s` or `20ms`, found `{text}`")),
    }
}

/// A moment in milliseconds, which is as fine as a play is.
pub fn time(at: Time) -> String {
    let ms = at.as_nanos() / 1_000_000;
    format!("{}.{:03}s", ms / 1000, ms % 1000)
}

pub fn mode(commit: CommitMode) -> &'static str {
    match commit {
        CommitMode::Staged => "staged",
        CommitMode::TwoPhase => "two_phase",
    }
}

/// Every path that directions name.
pub fn paths(text: &str) -> BTreeSet<Path> {
    let lines = text.lines().filter(|line| line.starts_with('>'));
    let words = lines.flat_map(|line| line.split([' ', ',']));
    words.filter_map(|word| Path::new(word).ok()).collect()
}

/// What is told of a name that nothing has, with the known one that it resembles, if any does.
pub fn unknown<'a>(what: &str, found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(found, known) {
        Some(nearest) => format!("no {what} is called `{found}`; did you mean `{nearest}`?"),
        None => format!("no {what} is called `{found}`"),
    }
}
