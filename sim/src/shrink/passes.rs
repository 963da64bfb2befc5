//! What is tried to make a scenario smaller.

use std::collections::BTreeSet;
use std::iter;

use seedbed::machine::{Span, Time};
use toml::Value;

use super::Shrinking;
use super::draft::{Draft, Place, way};
use super::rules;
use crate::quantity::{SpanRange, parse_span};
use crate::quiet_panics::quietly;
use crate::run;
use crate::scenario::{Scenario, written};
use crate::under_test::UnderTest;
use crate::verdict::Effect;

/// Lists of a file, in the order in which items of them are taken away.
const LISTS: [&str; 5] = ["fault", "script", "message", "sync", "clock"];

/// What the file says about itself.
const KEPT: [&str; 4] = ["title", "about", "seeds", "expect"];

/// Other times of messages that are tried, in milliseconds: steps come in another order then.
const OTHER_LATENCIES: [u64; 9] = [1, 2, 3, 8, 10, 15, 20, 30, 50];
/// Other times of syncs, in microseconds.
const OTHER_SYNCS: [u64; 5] = [100, 300, 1_000, 3_000, 8_000];

/// How often the messages and syncs are halved of which rules are tried, those that came last.
const HALVINGS: u32 = 6;

/// How long a message takes where that does not matter.
const LATENCY: Span = Span::from_millis(5);
/// How long a sync takes where that does not matter.
const SYNC: Span = Span::from_millis(1);

impl<S: UnderTest> Shrinking<S> {
    /// Makes the scenario as small as it gets, with so many runs at most.
    pub fn shrink(&mut self, most_runs: u64) {
        self.most_runs = most_runs;
        loop {
            let before = self.best.clone();
            self.have_less();
            self.drop_keys();
            self.thin_out_inside();
            self.renumber_machines();
            self.simplify_values();
            if self.best == before || self.is_over() {
                return;
            }
        }
    }

    /// Takes away what begins: faults, scripts and rules. What is left is not yet simpler.
    fn have_less(&mut self) {
        loop {
            let before = self.best.clone();
            self.end_early();
            self.be_simply_constant();
            LISTS.iter().for_each(|list| self.thin_out_coarsely(&way(&[list])));
            self.be_constant();
            for list in LISTS {
                self.thin_out(&way(&[list]));
                self.drop_idle();
            }
            self.strike_at_times();
            if self.best == before || self.is_over() {
                return;
            }
        }
    }

    /// A run that fails in the safety phase: nothing begins after the failure, and the phase ends
    /// soon after it. Not at once: what is changed may move the failure, and behind that phase a
    /// file says little.
    pub(super) fn end_early(&mut self) {
        const SECOND: u64 = 1_000_000_000;
        let end = Span::from_nanos(((self.report.sim_ns + SECOND / 2) / SECOND + 1) * SECOND);
        if end < self.safety() {
            let mut shorter = self.best.without_later(end);
            shorter.set("phases.safety", written::duration(end));
            self.accepts(shorter);
        }
    }

    /// How long the safety phase of the best scenario is.
    fn safety(&self) -> Span {
        let scenario = Scenario::<S>::parse(&self.name, &self.best.text());
        scenario.map_or(Span::ZERO, |scenario| scenario.phases.safety)
    }

    /// Takes items out of the list at `way`: halves of it first, then smaller parts, from its end.
    fn thin_out(&mut self, way: &[Place]) {
        self.thin_out_down_to(1, way);
    }

    /// The same with halves and quarters only.
    fn thin_out_coarsely(&mut self, way: &[Place]) {
        self.thin_out_down_to((self.best.count(way) / 4).max(1), way);
    }

    fn thin_out_down_to(&mut self, least: usize, way: &[Place]) {
        let mut size = self.best.count(way);
        while size >= least {
            let ends = iter::successors(Some(self.best.count(way)), |end| end.checked_sub(size));
            let parts = ends.filter(|end| *end > 0).map(|end| end.saturating_sub(size)..end);
            let parts: Vec<_> = parts.collect();
            self.at_each(&parts, |best, part| [best.without_items(way, part.clone())]);
            size /= 2;
        }
    }

    /// Takes items out of lists inside of others: operations of a transaction, machines of a group.
    fn thin_out_inside(&mut self) {
        for way in self.best.ways() {
            if way.len() > 1 && may_change(&way) {
                self.thin_out(&way);
            }
        }
    }

    /// Takes keys out of tables, whole tables first.
    fn drop_keys(&mut self) {
        self.at_each(&self.best.ways(), |best, way| {
            let may_go = may_change(way) && !takes_the_place_of_a_draw(way);
            let is_there = may_go && best.get(way).is_some();
            is_there.then(|| best.without_key(way)).filter(|fewer| fewer != best)
        });
    }

    /// Machines get the lowest numbers, so that fewer of them do.
    fn renumber_machines(&mut self) {
        for letter in ['n', 'c'] {
            let numbered: Vec<_> = (1..).zip(self.best.numbers(letter)).collect();
            self.at_each(&numbered, |best, (number, old)| {
                let renamed =
                    || best.renamed(&format!("{letter}{old}"), &format!("{letter}{number}"));
                (number != old).then(renamed)
            });
        }
    }

    /// Puts simpler values in place of others: round times, small numbers.
    fn simplify_values(&mut self) {
        self.at_each(&self.best.ways(), |best, way| {
            let value = best.get(way).filter(|_| may_change(way));
            let simpler = value.map_or_else(Vec::new, simpler);
            simpler.into_iter().map(|value| best.with(way, value)).collect::<Vec<_>>()
        });
    }

    /// The times that messages and syncs take: least and most of both; `None` if each message takes
    /// the same, and each sync.
    fn drawn_times(&self) -> Option<[SpanRange; 2]> {
        let scenario = Scenario::<S>::parse(&self.name, &self.best.text()).ok()?;
        let (latency, sync) = (scenario.network.latency, scenario.disk.sync);
        let is_constant = constant(&self.best, latency.min, sync.min) == self.best;
        (!is_constant).then_some([latency, sync])
    }

    fn is_constant(&self) -> bool {
        self.drawn_times().is_none()
    }

    /// Messages and syncs take the same time each, if the run ends in the same way then.
    fn be_simply_constant(&mut self) {
        let Some([latency, sync]) = self.drawn_times() else { return };
        if self.not_constant.as_ref() == Some(&self.best) {
            return;
        }
        let same = [
            (LATENCY, SYNC),
            (latency.min, sync.min),
            (latency.max, sync.max),
            (LATENCY, sync.max),
            (latency.max, SYNC),
        ];
        let others = OTHER_LATENCIES.iter().flat_map(|latency| {
            OTHER_SYNCS.iter().map(|sync| (Span::from_millis(*latency), Span::from_micros(*sync)))
        });
        let all = same.into_iter().chain(others);
        let all: Vec<_> = all.map(|(latency, sync)| constant(&self.best, latency, sync)).collect();
        if !self.first_of(all) {
            self.not_constant = Some(self.best.clone());
        }
    }

    /// Messages and syncs take the same time each. Where that changes how the run ends, those that
    /// took another time get a rule each.
    fn be_constant(&mut self) {
        self.be_simply_constant();
        if self.is_constant() || self.is_over() {
            return;
        }
        let Ok(scenario) = Scenario::<S>::parse(&self.name, &self.best.text()) else { return };
        let (_, recording) = quietly(|| run::recorded(&scenario, self.seed)).0;
        self.runs += 1;
        let messages = rules::for_messages(&recording, LATENCY, self.safety());
        let syncs = rules::for_syncs(&recording, SYNC);
        // The rules take the place of faults that make links worse.
        let worse = ["delay", "loss", "duplicate"];
        let is_worse = |item: &Value| worse.iter().any(|key| item.get(key).is_some());
        let without = self.best.keeping(|list, _, item| list != "fault" || !is_worse(item));
        // Rules for what came last may be enough.
        let shares = (0..=HALVINGS).rev().map(|halvings| {
            let mut with_rules = constant(&without, LATENCY, SYNC);
            for (list, rules) in [("message", &messages), ("sync", &syncs)] {
                with_rules.add(list, rules[rules.len() - (rules.len() >> halvings)..].to_vec());
            }
            with_rules
        });
        let shares: Vec<_> = shares.collect();
        if self.first_of(shares) {
            self.drop_idle();
            self.drop_kinds();
        }
    }

    /// Takes away what has not come up: rules that no message was under, scripts and faults that
    /// have not begun.
    fn drop_idle(&mut self) {
        let Ok(scenario) = Scenario::<S>::parse(&self.name, &self.best.text()) else { return };
        let fired = Effect::all(&scenario).zip(&self.report.fired);
        let idle: BTreeSet<Effect> =
            fired.filter(|(_, fired)| !fired.has_fired).map(|(effect, _)| effect).collect();
        let fewer = self.best.keeping(|list, at, _| {
            !idle.contains(&match list {
                "fault" => Effect::Strikes(at),
                "message" => Effect::Applies(at),
                "sync" => Effect::Syncs(at),
                _ => Effect::Begins(at),
            })
        });
        if fewer != self.best {
            self.accepts(fewer);
        }
    }

    /// Takes away the rules for all messages of a kind.
    fn drop_kinds(&mut self) {
        let rules = self.best.get(&way(&["message"])).and_then(Value::as_array);
        let named = rules.into_iter().flatten().filter_map(|rule| rule.get("kind"));
        let mut kinds: Vec<Value> = Vec::new();
        for kind in named {
            if !kinds.contains(kind) {
                kinds.push(kind.clone());
            }
        }
        self.at_each(&kinds, |best, kind| {
            let fewer =
                best.keeping(|list, _, item| list != "message" || item.get("kind") != Some(kind));
            (fewer != *best).then_some(fewer)
        });
    }

    /// Faults that wait for a milestone strike at about that time. What else leads to the milestone
    /// may go then.
    pub(super) fn strike_at_times(&mut self) {
        let all = 0..self.best.count(&way(&["fault"]));
        let waits = |number: &usize| self.best.striking_at(*number, Value::from("")).is_some();
        let waiting: Vec<_> = all.filter(waits).collect();
        if waiting.is_empty() || self.is_over() {
            return;
        }
        let Ok(scenario) = Scenario::<S>::parse(&self.name, &self.best.text()) else { return };
        let (_, recording) = quietly(|| run::recorded(&scenario, self.seed)).0;
        self.runs += 1;
        let once = |number: usize| {
            let mut times = recording.scripted.iter().filter(|(struck, _)| *struck == number);
            times.next().filter(|_| times.next().is_none()).map(|(_, at)| (number, *at))
        };
        let struck: Vec<_> = waiting.into_iter().filter_map(once).collect();
        self.at_each(&struck, |best, (number, at)| {
            let times = about(at.since(Time::ZERO));
            times.into_iter().filter_map(|at| best.striking_at(*number, at)).collect::<Vec<_>>()
        });
    }
}

/// The same document in which each message takes this latency and each sync so long, but for rules
/// and faults.
pub(super) fn constant(draft: &Draft, latency: Span, sync: Span) -> Draft {
    let mut draft = draft.clone();
    for key in ["loss", "duplication", "spike", "spike_latency", "link"] {
        draft = draft.without_key(&way(&["network", key]));
    }
    draft.set("network.latency", vec![written::duration(latency); 2].into());
    draft.set("disk.sync", vec![written::duration(sync); 2].into());
    draft
}

/// May the value at `way` go or become simpler? What the file says about itself may not, nor may
/// the defects: with others it is about something else. Nor may the times that are the same for
/// each message and sync.
fn may_change(way: &[Place]) -> bool {
    let is_kept = matches!(&way[0], Place::Key(key) if KEPT.contains(&key.as_str()));
    let fixed = [["cluster", "defects"], ["network", "latency"], ["disk", "sync"]];
    let is_fixed = |keys: [&str; 2]| {
        let fixed = self::way(&keys);
        fixed.starts_with(way) || way.starts_with(&fixed)
    };
    !is_kept && !fixed.into_iter().any(is_fixed)
}

/// Is what stands at `way` drawn where the file does not say it?
pub(super) fn takes_the_place_of_a_draw(way: &[Place]) -> bool {
    match way {
        [Place::Key(table)] => ["network", "disk"].contains(&table.as_str()),
        [Place::Key(table), Place::Item(_), Place::Key(key)] => {
            table == "fault" && ["keeps", "torn", "record", "bit"].contains(&key.as_str())
        }
        _ => false,
    }
}

/// Simpler values than this one, the simplest first.
fn simpler(value: &Value) -> Vec<Value> {
    match value {
        Value::Integer(number) if *number > 1 => {
            let mut all = vec![1, number / 2, number - 1];
            all.dedup();
            all.into_iter().filter(|less| less < number).map(Value::from).collect()
        }
        Value::Float(share) if *share < 1.0 => vec![1.0.into()],
        Value::String(text) => parse_span(text).map_or(Vec::new(), |span| rounded(span, &ROUND)),
        Value::Array(ends) if is_range(ends) => {
            ends.iter().map(|end| vec![end.clone(); 2].into()).collect()
        }
        _ => Vec::new(), // nothing is simpler than a name
    }
}

/// Are these the two ends of a range of durations, from which is drawn?
fn is_range(ends: &[Value]) -> bool {
    let is_span = |end: &Value| end.as_str().is_some_and(|end| parse_span(end).is_ok());
    ends.len() == 2 && ends[0] != ends[1] && ends.iter().all(is_span)
}

/// What times are rounded to, in nanoseconds.
const ROUND: [u64; 6] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 1_000];
/// Those of them that are no exact time.
const ABOUT: [u64; 4] = [ROUND[0], ROUND[1], ROUND[2], ROUND[3]];

/// About this duration, that in the fewest digits first.
fn about(span: Span) -> Vec<Value> {
    let exact = ABOUT.iter().any(|unit| span.as_nanos().is_multiple_of(*unit));
    let exact = exact.then(|| written::duration(span));
    rounded(span, &ABOUT).into_iter().chain(exact).collect()
}

/// Nearly the same duration in fewer digits, the fewest first.
fn rounded(span: Span, units: &[u64]) -> Vec<Value> {
    let nearest = |unit: u64| (span.as_nanos() + unit / 2) / unit * unit;
    let mut all: Vec<u64> = units.iter().copied().map(nearest).collect();
    all.dedup();
    let all = all.into_iter().filter(|nanos| *nanos > 0 && *nanos != span.as_nanos());
    all.map(|nanos| written::duration(Span::from_nanos(nanos))).collect()
}
