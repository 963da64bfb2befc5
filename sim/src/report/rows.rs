//! What a chart says of each step; steps that say the same are one row.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::NodeId;

use super::history::History;
use super::journeys::Journeys;
use super::story::Story;
use crate::subject::{self, Standing, Subject, Subjects};
use crate::trace::{self, Detail};
use crate::under_test::UnderTest;
use crate::world::{Fact, Step};

/// A row of a chart.
#[derive(Debug)]
pub(super) struct Row {
    /// Where the step stands; of several that say the same, the first.
    pub place: usize,
    /// Its rank: the lowest are drawn where there is no room for all.
    pub rank: usize,
    /// What it says.
    pub words: Vec<String>,
    /// Where all steps stand that say the same.
    pub places: Vec<usize>,
    /// The number of the last of them.
    pub last: u64,
}

impl Row {
    /// The words, and how often they hold.
    pub fn text(&self) -> String {
        let text = self.words.join("; ");
        match self.places.len() {
            1 => text,
            times => format!("{text} ({times} times, last in step {})", self.last),
        }
    }
}

/// The rows for the steps of `story`, in order. Steps that say the same are told once, with their
/// count, unless each is wanted.
pub(super) fn rows<S: UnderTest>(
    config: &Arc<S::Config>,
    history: &History<S>,
    story: &Story<S>,
    is_each_wanted: bool,
) -> Vec<Row> {
    let journeys = Journeys::of(history);
    let known = S::known(config, &story.named);
    let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
    let teller = Teller { journeys, detail };
    let mut rows: Vec<Row> = Vec::new();
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for &(place, rank) in &story.steps {
        let step = history.at(place);
        let mut words = teller.words(step, wanted(place, story));
        if words.len() == 1 && story.facts.contains(&place) {
            // The fact may be that something is missing: then this is what there is.
            words = teller.everything(step);
        }
        let is_special = story.facts.contains(&place) || story.of_defect.contains(&place);
        let said = without_counts(&words.join("; "));
        let same = told.get(&said).filter(|_| !is_special && !is_each_wanted);
        if let Some(row) = same.map(|row| &mut rows[*row]) {
            (row.last, row.rank) = (step.index, row.rank.min(rank));
            row.places.push(place);
            continue;
        }
        if !is_special {
            told.insert(said, rows.len());
        }
        rows.push(Row { place, rank, words, places: vec![place], last: step.index });
    }
    rows
}

/// Which facts of a step are told.
struct Wanted<'a, S: UnderTest> {
    /// Those that are about these; all, if nothing stands here.
    about: Option<&'a Subjects<S::Subject>>,
    /// Those too that tell little: heartbeats, and records that help to forget.
    little: bool,
}

impl<S: UnderTest> Clone for Wanted<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: UnderTest> Copy for Wanted<'_, S> {}

impl<'a, S: UnderTest> Wanted<'a, S> {
    const ALL: Wanted<'a, S> = Wanted { about: None, little: true };
    const MOST: Wanted<'a, S> = Wanted { about: None, little: false };

    fn about(subjects: &'a Subjects<S::Subject>, little: bool) -> Wanted<'a, S> {
        Wanted { about: Some(subjects), little }
    }

    fn is_it(self, about: &Subjects<S::Subject>) -> bool {
        self.about.is_none_or(|subjects| about.meet(subjects))
    }

    fn is_told(self, fact: &Fact<S>) -> bool {
        match fact {
            Fact::SyncBegan { .. } => false,
            Fact::Appended { record, .. } if S::is_bookkeeping(record) && !self.little => false,
            Fact::Sent { message, .. } if S::is_a_heartbeat(message) && self.about.is_none() => {
                self.little
            }
            Fact::Appended { .. } => {
                let about = subject::of_fact(fact);
                self.is_it(&about) || about.iter().any(is_undertaking)
            }
            fact => says_of_machine(fact) || self.is_it(&subject::of_fact(fact)),
        }
    }
}

fn wanted<S: UnderTest>(place: usize, story: &Story<S>) -> Wanted<'_, S> {
    match () {
        () if story.acts.contains(&place) => Wanted::ALL,
        () if story.of_defect.contains(&place) => Wanted::MOST,
        () if story.facts.contains(&place) => Wanted::about(&story.named, true),
        () if story.origins.contains(&place) => Wanted::about(&story.named, false),
        () => Wanted::about(&story.wider, false),
    }
}

/// Says what happens in steps.
pub(super) struct Teller<'a, S: UnderTest> {
    journeys: Journeys,
    detail: Detail<'a, S>,
}

impl<'a, S: UnderTest> Teller<'a, S> {
    /// One that says nothing of the ways of messages.
    pub fn of(detail: Detail<'a, S>) -> Teller<'a, S> {
        Teller { journeys: Journeys::none(), detail }
    }

    /// What happened in the step, but for what tells little.
    #[cfg(feature = "madsim")]
    pub fn most(&self, step: &Step<S>) -> Vec<String> {
        self.words(step, Wanted::MOST)
    }

    /// All that happened in the step.
    pub fn everything(&self, step: &Step<S>) -> Vec<String> {
        self.words(step, Wanted::ALL)
    }

    /// What the machine of the step is told in it: its event, and what has become durable that is
    /// about these.
    pub fn told_to_it(&self, step: &Step<S>, about: &Subjects<S::Subject>) -> String {
        self.begins(step, Wanted::about(about, false)).join("; ")
    }

    /// What happened in the step, and what it changed.
    fn words(&self, step: &Step<S>, wanted: Wanted<'_, S>) -> Vec<String> {
        let mut words = self.begins(step, wanted);
        words.extend(self.changes(step, wanted));
        words
    }

    /// What happened in the step.
    fn begins(&self, step: &Step<S>, wanted: Wanted<'_, S>) -> Vec<String> {
        let mut event = trace::event(step, self.detail);
        if let Some(unusual) = self.journeys.on_arrival(step) {
            event = format!("{event} ({unusual})");
        }
        let mut words = vec![match step.place() {
            Some(node) => format!("{node} {event}"),
            None => event,
        }];
        let of_node = step.place().is_some();
        for (node, position, record) in &step.durable {
            let is_told = wanted.little || !S::is_bookkeeping(record);
            if is_told && wanted.is_it(&subject::of_record::<S>(*node, record)) {
                let durable = trace::durable::<S>(*position, record);
                words.push(if of_node { durable } else { format!("{node} {durable}") });
            }
        }
        words
    }

    /// The facts of the step; the same message to several machines is said once.
    fn changes(&self, step: &Step<S>, wanted: Wanted<'_, S>) -> Vec<String> {
        let mut changes: Vec<(Vec<NodeId>, String)> = Vec::new();
        for fact in step.facts.iter().filter(|fact| wanted.is_told(fact)) {
            let Fact::Sent { packet, to, message, .. } = fact else {
                changes.extend(trace::fact(fact, self.detail).map(|(_, what)| (Vec::new(), what)));
                continue;
            };
            let said = S::message_in_words(message, self.detail);
            let said = match self.journeys.on_sending(*packet, step.at) {
                Some(late) => format!("{said} ({late})"),
                None => said,
            };
            match changes.last_mut() {
                Some((receivers, last)) if !receivers.is_empty() && *last == said => {
                    receivers.push(*to);
                }
                Some(_) | None => changes.push((vec![*to], said)),
            }
        }
        let spelled = |(receivers, what): (Vec<NodeId>, String)| match &receivers[..] {
            [] => what,
            several => {
                let names: String = several.iter().map(|node| format!("{node} ")).collect();
                format!("-> {names}{what}")
            }
        };
        changes.into_iter().map(spelled).collect()
    }
}

/// Does it happen without a request? Records about that are told wherever they come up.
fn is_undertaking<T: Subject>(subject: &T) -> bool {
    subject.standing() == Standing::Undertaking
}

fn says_of_machine<S: UnderTest>(fact: &Fact<S>) -> bool {
    match fact {
        Fact::Wiped { .. } | Fact::ToldOfDisk { .. } => true,
        Fact::Forgot { .. } | Fact::Started { .. } | Fact::RefusedToStart { .. } => true,
        Fact::Requested { .. } | Fact::Sent { .. } | Fact::Copied { .. } => false,
        Fact::Appended { .. } | Fact::SyncBegan { .. } | Fact::Durable { .. } => false,
        Fact::Checkpointed { .. } | Fact::Replied { .. } | Fact::Noticed { .. } => false,
    }
}

/// The text without what only counts: positions in a log, and numbers of attempts.
fn without_counts(text: &str) -> String {
    let is_number = |word: &str| {
        let word = word.trim_matches(|c: char| "(),;".contains(c));
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (mut kept, mut before) = (Vec::new(), "");
    for word in text.split(' ') {
        let is_position = word.strip_prefix('#').is_some_and(is_number);
        let is_attempt = before.ends_with("attempt") && is_number(word);
        if !is_position && !is_attempt {
            kept.push(word);
        }
        before = word;
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_counts_makes_no_difference() {
        let said = without_counts("n1 log #8 voted n3.1/2; attempt at request #39 (attempt 7)");
        assert_eq!(said, "n1 log voted n3.1/2; attempt at request (attempt");
        for number in ["v1", "Added { total: 1 }", "log #1 of 1"] {
            let other = number.replace('1', "2");
            let is_position = number.starts_with("log");
            assert_ne!(without_counts(number), without_counts(&other), "{is_position}");
        }
    }
}
