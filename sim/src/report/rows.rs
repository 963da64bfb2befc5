//! What a chart says of each step; steps that say the same are one row.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::NodeId;

use super::act::Act;
use super::heartbeats::is_background;
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
    /// How much would be missed without it: the lower the more.
    pub missed: usize,
    /// What it says.
    pub words: Vec<String>,
    /// How many steps say the same.
    pub times: usize,
    /// The number of the last of them.
    pub last: u64,
}

impl Row {
    /// The words, and how often they hold.
    pub fn text(&self) -> String {
        let text = self.words.join("; ");
        match self.times {
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
    for &(place, missed) in &story.steps {
        let step = history.at(place);
        let words = teller.words(step, &wanted(place, story));
        let is_special = story.facts.contains(&place) || story.of_defect.contains(&place);
        let said = without_counts(&words.join("; "));
        let same = told.get(&said).filter(|_| !is_special && !is_each_wanted);
        if let Some(row) = same.map(|row| &mut rows[*row]) {
            (row.times, row.last, row.missed) = (row.times + 1, step.index, row.missed.min(missed));
            continue;
        }
        if !is_special {
            told.insert(said, rows.len());
        }
        rows.push(Row { place, missed, words, times: 1, last: step.index });
    }
    rows
}

/// Which facts of a step are told.
enum Wanted<'a, S: UnderTest> {
    /// What is about these.
    About(&'a Subjects<S::Subject>),
    /// Everything that is not background.
    All,
}

impl<S: UnderTest> Wanted<'_, S> {
    fn is_it(&self, about: &Subjects<S::Subject>) -> bool {
        match self {
            Wanted::About(subjects) => about.meet(subjects),
            Wanted::All => true,
        }
    }
}

fn wanted<S: UnderTest>(place: usize, story: &Story<S>) -> Wanted<'_, S> {
    match () {
        () if story.of_defect.contains(&place) => Wanted::All,
        () if story.facts.contains(&place) => Wanted::About(&story.named),
        () if story.origins.contains(&place) => Wanted::About(&story.named),
        () => Wanted::About(&story.wider),
    }
}

/// Says what happens in steps.
pub(super) struct Teller<'a, S: UnderTest> {
    journeys: Journeys,
    detail: Detail<'a, S>,
}

impl<'a, S: UnderTest> Teller<'a, S> {
    /// One that says nothing of the ways of messages.
    #[cfg(feature = "madsim")]
    pub fn plain(known: Option<&'a S::Known>) -> Teller<'a, S> {
        let detail = known.map_or(Detail::Brief, Detail::Report);
        Teller { journeys: Journeys::none(), detail }
    }

    /// All that happened in the step.
    pub fn everything(&self, step: &Step<S>) -> Vec<String> {
        self.words(step, &Wanted::All)
    }

    /// What happened in the step, and what it changed.
    fn words(&self, step: &Step<S>, wanted: &Wanted<'_, S>) -> Vec<String> {
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
            let is_told = !S::is_bookkeeping(record);
            if is_told && wanted.is_it(&subject::of_record::<S>(*node, record)) {
                let durable = trace::durable::<S>(*position, record);
                words.push(if of_node { durable } else { format!("{node} {durable}") });
            }
        }
        words.extend(self.changes(step, wanted));
        words
    }

    /// The facts of the step; the same message to several machines is said once.
    fn changes(&self, step: &Step<S>, wanted: &Wanted<'_, S>) -> Vec<String> {
        let mut changes: Vec<(Vec<NodeId>, String)> = Vec::new();
        let is_told = |fact: &&Fact<S>| match fact {
            Fact::SyncBegan { .. } => false,
            Fact::Appended { record, .. } if S::is_bookkeeping(record) => false,
            Fact::Sent { message, .. } if matches!(wanted, Wanted::All) => {
                is_background(step) || !S::is_a_heartbeat(message)
            }
            Fact::Appended { .. } => {
                let about = subject::of_fact(fact);
                wanted.is_it(&about) || about.iter().any(is_undertaking)
            }
            fact => says_of_machine(fact) || wanted.is_it(&subject::of_fact(fact)),
        };
        for fact in step.facts.iter().filter(is_told) {
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

/// How two steps differ that stand in one place of two runs.
#[derive(Debug)]
pub(super) struct Difference {
    /// Their event, where it is the same.
    pub event: Option<String>,
    /// What is so with the defects only, and what without them only.
    pub only: [String; 2],
}

/// What a defect does in `with`, the step of `act`, to a reader that knows what `named` names.
pub(super) fn difference<S: UnderTest>(
    config: &Arc<S::Config>,
    with: &Step<S>,
    act: &Act<S>,
    named: &Subjects<S::Subject>,
) -> Difference {
    let known = S::known(config, named);
    let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
    let said =
        |step: &Step<S>, detail| Teller { journeys: Journeys::none(), detail }.everything(step);
    let Some(without) = &act.without else {
        let only = [said(with, detail).join("; "), "the run is over".to_owned()];
        return Difference { event: None, only };
    };
    let mut both = [with, without].map(|step| said(step, detail));
    let event = both[0][0].clone();
    if both[0] == both[1] {
        both = [with, without].map(|step| said(step, Detail::Whole));
    }
    if both[0] == both[1] {
        return Difference { event: Some(event), only: only(&act.states, "the machine holds ") };
    }
    if with.at != without.at {
        let [of_with, of_without] = both.map(|words| words.join("; "));
        let only = match with.at < without.at {
            true => [format!("{}, {of_with}", with.at), format!("nothing at {}", with.at)],
            false => {
                [format!("nothing at {}", without.at), format!("{}, {of_without}", without.at)]
            }
        };
        return Difference { event: None, only };
    }
    if both[0][0] != both[1][0] {
        return Difference { event: None, only: both.map(|words| words.join("; ")) };
    }
    Difference { event: Some(event), only: only(&both, "") }
}

/// What stands in one of two lists and not in the other.
fn only([these, those]: &[Vec<String>; 2], head: &str) -> [String; 2] {
    let only = |these: &[String], those: &[String]| {
        let only = these.iter().filter(|it| !those.contains(it)).map(String::as_str);
        match &only.collect::<Vec<_>>()[..] {
            [] => "(not that)".to_owned(),
            some => format!("{head}{}", some.join("; ")),
        }
    };
    [only(these, those), only(those, these)]
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

/// The text without what only counts: positions in a log, numbers of attempts. A number that is
/// part of a name stays.
fn without_counts(text: &str) -> String {
    let is_count = |word: &&str| {
        let word = word.trim_matches(|c: char| "#(),;".contains(c));
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
    };
    text.split(' ').filter(|word| !is_count(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_counts_makes_no_difference() {
        let said = without_counts("n1 log #8 voted n3.1/2; attempt at request #39 (attempt 7)");
        assert_eq!(said, "n1 log voted n3.1/2; attempt at request (attempt");
        assert_ne!(without_counts("n1 <- c1 Ended v1"), without_counts("n1 <- c1 Ended v2"));
    }
}
