//! The left part of a chart: one lifeline for each machine, and what is drawn onto it.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::NodeId;

use super::history::History;
use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Step};

/// The least distance of two machines' lifelines.
const APART: usize = 5;

/// How short of the receiver's lifeline a lost message ends.
const SHORT: usize = 3;

/// How wide the columns in front of the lifelines are.
pub(super) const HEAD: usize = 27;

/// Which machines are down or paused.
#[derive(Debug, Default)]
pub(super) struct Lives {
    down: BTreeSet<NodeId>,
    paused: BTreeSet<NodeId>,
}

impl Lives {
    /// Applies the steps from `*next` up to and without `place`, so that the row of `place` can be
    /// drawn; `*next` is `place` then.
    pub fn pass<S: UnderTest>(&mut self, history: &History<S>, next: &mut usize, place: usize) {
        for step in *next..place {
            self.take(history.at(step));
        }
        *next = place;
    }

    pub fn take<S: UnderTest>(&mut self, step: &Step<S>) {
        if let Some(node) = step.event.takes_down() {
            self.down.insert(node);
            self.paused.remove(&node);
        }
        match &step.event {
            Event::Pause(node) => {
                self.paused.insert(*node);
            }
            Event::Resume(node) => {
                self.paused.remove(node);
            }
            Event::Start { node, .. } => {
                let refuses = |fact: &Fact<S>| matches!(fact, Fact::RefusedToStart { .. });
                if !step.facts.iter().any(refuses) {
                    self.down.remove(node);
                }
            }
            _ => {} // a lifeline shows only whether its machine is up, paused or down
        }
    }
}

/// Which machine's lifeline stands where.
#[derive(Debug)]
pub(super) struct Columns {
    places: BTreeMap<NodeId, usize>,
    width: usize,
}

impl Columns {
    pub fn of(nodes: BTreeSet<NodeId>) -> Columns {
        let (mut places, mut width) = (BTreeMap::new(), 0);
        for node in nodes {
            places.insert(node, width);
            width += APART.max(node.to_string().len() + 1);
        }
        Columns { places, width }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn head(&self) -> String {
        let mut names = String::new();
        for (node, place) in &self.places {
            names = format!("{names:<place$}{node}");
        }
        format!("{:>6} {:>6} {:>11}  {names}", "left", "step", "time")
    }

    /// The lifelines.
    pub fn cells(&self, lives: &Lives) -> Vec<u8> {
        let mut cells = vec![b' '; self.width()];
        for (node, place) in &self.places {
            cells[*place] = match () {
                () if lives.down.contains(node) => b':',
                () if lives.paused.contains(node) => b'=',
                () => b'|',
            };
        }
        cells
    }

    /// Draws what happened onto the lifelines.
    pub fn draw<S: UnderTest>(&self, step: &Step<S>, cells: &mut [u8]) {
        let at = |node: &NodeId| self.places.get(node).copied();
        if let Some(place) = step.place().as_ref().and_then(at) {
            let ends = step.event.takes_down().is_some();
            cells[place] = if ends { b'X' } else { b'o' };
        }
        if let Event::Cut(links) = &step.event {
            let inside = links.iter().filter_map(|(a, b)| at(a).zip(at(b)));
            for (a, b) in inside {
                cells[a] = b'/';
                cells[b] = b'/';
            }
        }
        let ends = step.packet.as_ref().and_then(|packet| at(&packet.from).zip(at(&packet.to)));
        if let Some((from, to)) = ends.filter(|(from, to)| from != to) {
            arrow(cells, from, to, matches!(step.event, Event::Drop(..)));
        }
    }
}

/// An arrow that ends before `to`, or if it is lost, between the two.
fn arrow(cells: &mut [u8], from: usize, to: usize, is_lost: bool) {
    let (head, tip) = match (from < to, is_lost) {
        (true, false) => (to - 1, b'>'),
        (false, false) => (to + 1, b'<'),
        // Short of where it would have arrived, behind any lifeline in between.
        (true, true) => (to - SHORT, b'x'),
        (false, true) => (to + SHORT, b'x'),
    };
    let line = if from < head { from + 1..head } else { head + 1..from };
    cells[line].fill(b'-');
    cells[head] = tip;
}

/// A line of a chart.
pub(super) fn join(head: &str, cells: &[u8], text: &str) -> String {
    let cells = String::from_utf8_lossy(cells);
    format!("{head}{cells} {text}").trim_end().to_owned()
}
