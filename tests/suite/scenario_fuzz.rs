//! A scenario file in which something was changed is refused, or it runs; nothing panics.
//!
//! The files that are there have their numbers, times and words exchanged for others of the same
//! form, from all files, or for extreme ones. Whatever is still a scenario then is run for a while.
//! (`sim/src/scenario/tests/any_bytes.rs` has the bytes that are none.)

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::which_cases::{is_whole, scenario_files};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seedbed_sim::draw::swarm;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Simulation;

/// Changes that are tried: a sample, and all of them where `SEEDBED_TEST_WHOLE` is set.
const SAMPLE: u32 = 500;
const WHOLE: u32 = 3_000;
/// Steps that each run may take.
const STEPS: u64 = 3_000;
/// More machines than this cost memory and show nothing else.
const MACHINES: usize = 200;

/// What is exchanged: words of which form, which of them, for which other.
type Exchange = (Form, usize, usize);

#[test]
fn a_file_with_other_numbers_and_words_is_refused_or_runs_without_a_panic() {
    let files = files();
    let words: Vec<Vec<String>> = FORMS.iter().map(|form| words_of(&files, *form)).collect();
    let cases = if is_whole() { WHOLE } else { SAMPLE };
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    });
    // A name seldom goes where another was.
    let forms = prop_oneof![4 => Just(Form::Number), 4 => Just(Form::Time), 1 => Just(Form::Name)];
    let changes = (
        0..files.len(),
        prop::collection::vec((forms, any::<usize>(), any::<usize>()), 1..4),
        any::<u64>(),
    );
    let ran = Cell::new(0);
    let result = runner.run(&changes, |(file, exchanges, seed)| {
        let text = exchange(&files[file], &exchanges, &words);
        let Ok(scenario) = Scenario::parse("changed.toml", &text) else { return Ok(()) };
        if swarm::for_seed(&scenario, seed).cast.machines().count() > MACHINES {
            return Ok(());
        }
        ran.set(ran.get() + 1);
        let ended = catch_unwind(AssertUnwindSafe(|| run_for_a_while(&scenario, seed)));
        prop_assert!(ended.is_ok(), "seed {} of\n{}", seed, text);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let ran = ran.get();
    assert!(ran > cases / 4, "only {ran} of {cases} were still scenarios");
}

/// As `run` does it, but without the runtime and not to the end.
fn run_for_a_while(scenario: &Scenario, seed: u64) {
    let scenario = swarm::for_seed(scenario, seed);
    let mut simulation = Simulation::new(&scenario, seed);
    while simulation.next_at().is_some() {
        if simulation.world().steps() > STEPS {
            return;
        }
        simulation.advance(&mut ());
    }
    simulation.finish();
}

/// What a word of a file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Number,
    Time,
    Name,
}

const FORMS: [Form; 3] = [Form::Number, Form::Time, Form::Name];

impl Form {
    fn of(word: &str) -> Form {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        match unit {
            "" => Form::Number,
            _ if unit == word => Form::Name,
            _ => Form::Time,
        }
    }

    /// Words that no file has and that are worth a try.
    fn extremes(self) -> &'static [&'static str] {
        match self {
            Form::Number => &["0", "1", "0.5", "1.0", "65535", "4294967295", "9223372036854775807"],
            Form::Time => &["0s", "1ns", "1us", "24h", "1h", "29999ms", "30s"],
            Form::Name => &["true", "false", "never", "control", "n1", "n3", "c1", "coordinator"],
        }
    }
}

fn words_of(files: &[String], form: Form) -> Vec<String> {
    let mut words: BTreeSet<String> = form.extremes().iter().map(|word| (*word).into()).collect();
    for file in files {
        let all = words_in(file).into_iter().map(|place| &file[place]);
        words.extend(all.filter(|word| Form::of(word) == form).map(str::to_owned));
    }
    words.into_iter().collect()
}

/// Where the words of a file stand, but for those of its comments, its title and what it is about.
fn words_in(text: &str) -> Vec<Range<usize>> {
    let begins = text.find("\nseeds").unwrap_or(0);
    let mut words = Vec::new();
    let mut start = None;
    let mut is_comment = false;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < begins) {
        let is_inside = c.is_ascii_alphanumeric() || c == '_' || c == '.';
        is_comment = c == '#' || (is_comment && c != '\n');
        match (is_inside && !is_comment, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    words
}

fn exchange(text: &str, exchanges: &[Exchange], words: &[Vec<String>]) -> String {
    let mut text = text.to_owned();
    for (form, place, other) in exchanges {
        let mut places = words_in(&text);
        places.retain(|place| Form::of(&text[place.clone()]) == *form);
        if !places.is_empty() {
            let words = &words[*form as usize];
            text.replace_range(
                places.swap_remove(place % places.len()),
                &words[other % words.len()],
            );
        }
    }
    text
}

/// What stands in every scenario file, in the order of names.
fn files() -> Vec<String> {
    let files = scenario_files("scenarios");
    files.iter().map(|file| std::fs::read_to_string(file).expect("a text")).collect()
}
