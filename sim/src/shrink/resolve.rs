//! A run as a scenario without drawn parts: what `[swarm]`, `[workload]` and `[chaos]` have drawn
//! is written out as settings, scripts and faults.
//!
//! What is drawn for one purpose does not depend on what is drawn for another, so messages, syncs
//! and crashes of the run with the same seed are what they were. A file cannot say everything: not
//! what is asked after the safety phase, nor that a message is lost at another moment than when it
//! is sent. Up to the first of these the two runs are the same, but for what happens in one moment:
//! a script may ask before another step of that moment where a user has asked after it.

use std::collections::BTreeSet;

use seedbed::machine::{Span, Time};
use toml::Table;

use super::draft::{Draft, way};
use super::rules;
use crate::draw::swarm;
use crate::fault::Fault;
use crate::scenario::{Scenario, ScenarioErrors, written};
use crate::simulation::{DrawnFault, Recording};
use crate::under_test::UnderTest;

/// The run of `scenario` that `recording` is of, written out, and what else to try: what a file
/// cannot say may be what it takes, so requests or faults stay drawn. What a `[swarm]` draws for
/// those stays with them.
pub(super) fn written_out<S: UnderTest>(
    drawn: &Draft,
    scenario: &Scenario<S>,
    recording: &Recording<S>,
    seed: u64,
) -> Vec<Draft> {
    let mut settings = drawn.clone();
    write_settings(&mut settings, scenario, seed);
    let mut with_faults = settings.clone();
    write_faults(&mut with_faults, recording);
    let mut with_requests = settings;
    write_requests(&mut with_requests, recording);
    let mut with_both = with_requests.clone();
    write_faults(&mut with_both, recording);
    match scenario.swarm {
        None => vec![with_both, with_requests, with_faults],
        Some(_) => vec![with_both],
    }
}

/// The same document with a safety phase so long that all faults strike in it: an operator may act
/// after it, and no file says so.
pub(super) fn with_time_for_faults<S: UnderTest>(
    drawn: &Draft,
    scenario: &Scenario<S>,
    recording: &Recording<S>,
) -> Draft {
    let mut longer = drawn.clone();
    let last = recording.faults.iter().map(|fault| fault.at.since(Time::ZERO)).max();
    if let Some(last) = last.filter(|last| *last >= scenario.phases.safety) {
        longer.set("phases.safety", written::duration(last + Span::from_secs(1)));
    }
    longer
}

/// Writes the drawn values of `[swarm]` into the tables whose keys they take the place of.
pub(super) fn write_settings<S: UnderTest>(draft: &mut Draft, scenario: &Scenario<S>, seed: u64) {
    if scenario.swarm.is_none() {
        return;
    }
    for (key, value) in swarm::drawn_keys(scenario, seed) {
        draft.set(&key, value);
    }
    let drawn = swarm::for_seed(scenario, seed);
    draft.set("network.latency", written::range(drawn.network.latency));
    draft.set("network.spike_latency", written::range(drawn.network.spike_latency));
    draft.set("disk.sync", written::range(drawn.disk.sync));
    let bound = S::drift_max_ppm(&drawn.config);
    let clocks = drawn.clocks.iter().map(|clock| {
        written::keys([
            ("node", written::name(clock.node)),
            ("offset", written::duration(clock.offset)),
            ("drift_ppm", i64::from(clock.drift_ppm).into()),
            ("beyond_bound", (clock.drift_ppm.unsigned_abs() > bound).into()),
        ])
    });
    draft.remove("clock");
    draft.add("clock", clocks.collect());
    draft.remove("swarm");
}

/// Writes what users have asked as scripts, in place of `[workload]`. Gives when the first request
/// was asked that no script says, if there is one.
pub(super) fn write_requests<S: UnderTest>(
    draft: &mut Draft,
    recording: &Recording<S>,
) -> Option<Time> {
    draft.remove("workload");
    let mut left_out = Vec::new();
    let mut scripts = Vec::new();
    for (at, client, request) in &recording.requests {
        let mut script = written::keys([
            ("client", written::name(*client)),
            ("at", written::duration(at.since(Time::ZERO))),
        ]);
        match S::written_request(request) {
            Some(keys) => {
                script.extend(keys);
                scripts.push((*at, script));
            }
            None => left_out.push(*at),
        }
    }
    left_out.extend(add_all::<S>(draft, "script", scripts));
    left_out.into_iter().min()
}

/// Writes the drawn faults that have struck, in place of `[chaos]`. Gives when the first fault has
/// struck that the file cannot say, or not as it was, if there is one.
pub(super) fn write_faults<S: UnderTest>(
    draft: &mut Draft,
    recording: &Recording<S>,
) -> Option<Time> {
    draft.remove("chaos");
    let mut left_out = Vec::new();
    let mut faults = Vec::new();
    for DrawnFault { at, moment, fault } in &recording.faults {
        // It is as if the messages that it has lost had been lost when they were sent.
        if matches!(fault, Fault::Drop(_)) {
            continue;
        }
        let mut keys = match moment {
            None => written::keys([("at", written::duration(at.since(Time::ZERO)))]),
            Some((milestone, nth)) => {
                let when = written::keys([
                    ("milestone", milestone.name().as_ref().into()),
                    ("nth", i64::try_from(*nth).unwrap_or(i64::MAX).into()),
                ]);
                written::keys([("when", when.into())])
            }
        };
        match written::fault(fault) {
            Some(fault) => {
                keys.extend(fault);
                faults.push((*at, keys));
            }
            None => left_out.push(*at),
        }
    }
    left_out.extend(add_all::<S>(draft, "fault", faults));
    draft.add("message", rules::for_dropped(recording));
    left_out.extend(recording.dropped.iter().map(|place| recording.messages[*place].at));
    left_out.into_iter().min()
}

/// Adds the tables that the file may say beside all others, and gives the times of those that it
/// may not.
fn add_all<S: UnderTest>(
    draft: &mut Draft,
    name: &str,
    mut tables: Vec<(Time, Table)>,
) -> Vec<Time> {
    let own = draft.count(&way(&[name]));
    let mut left_out = Vec::new();
    while !tables.is_empty() {
        let mut with_all = draft.clone();
        with_all.add(name, tables.iter().map(|(_, table)| table.clone()).collect());
        let refused = match Scenario::<S>::parse("", &with_all.text()) {
            Ok(_) => {
                *draft = with_all;
                return left_out;
            }
            Err(errors) => refused_items(&errors, name),
        };
        let is_refused = |place: usize| refused.contains(&(own + place));
        let (out, said): (Vec<_>, Vec<_>) =
            tables.into_iter().enumerate().partition(|(place, _)| is_refused(*place));
        // What is wrong elsewhere does not get right by leaving these out.
        let (out, said) = if out.is_empty() { (said, out) } else { (out, said) };
        left_out.extend(out.into_iter().map(|(_, (at, _))| at));
        tables = said.into_iter().map(|(_, table)| table).collect();
    }
    left_out
}

/// The places of the items of the list `name` of which an error is told: `fault[7].crash`.
fn refused_items(errors: &ScenarioErrors, name: &str) -> BTreeSet<usize> {
    let keys = errors.told().iter().filter_map(|error| error.key.as_deref());
    let item =
        |key: &str| key.strip_prefix(name)?.strip_prefix('[')?.split(']').next()?.parse().ok();
    keys.filter_map(item).collect()
}
