//! What is listed is shown: each invariant fails somewhere, and each defect has its file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::mutation;
use crate::which_cases::scenario_files;
use seedbed::proto::{Config, Defect, Defects, Settings};
use seedbed_sim::file_service::InvariantName;
use seedbed_sim::file_service::Milestone;
use seedbed_sim::file_service::Scenario;
use seedbed_sim::file_service::Verdict;
use seedbed_sim::run;
use seedbed_sim::scenario::{Expect, Expected};

#[test]
fn every_invariant_is_broken_by_a_file_or_by_a_mutation() {
    let all = || InvariantName::all().map(|invariant| invariant.name());
    let mut broken = BTreeSet::new();
    for scenario in negative() {
        match &scenario.expect.verdict {
            Expected::Violates(name) => broken.insert(name.name().to_owned()),
            other => panic!("{}: it violates nothing: {other:?}", scenario.file),
        };
    }
    for mutation in mutation::all() {
        let name = mutation.violates;
        assert!(all().any(|known| known == name.as_str()), "no invariant is called {name}");
        broken.insert(name);
    }
    let unseen: Vec<&str> = all().filter(|name| !broken.contains(*name)).collect();
    assert_eq!(unseen, [""; 0], "no file and no mutation shows these fail");
}

#[test]
fn every_negative_file_has_an_explanation_beside_it() {
    for Scenario { file, .. } in negative() {
        let kept = Path::new(&file).with_extension("explained");
        assert!(kept.is_file(), "{}: `UPDATE_EXPECT=1 cargo test` fills it", kept.display());
    }
}

#[test]
fn every_defect_has_a_file_with_it_and_no_other() {
    let mut files: BTreeMap<String, Scenario> = negative()
        .into_iter()
        .map(|scenario| {
            let name = Path::new(&scenario.file).file_stem().expect("a file has a name");
            (name.to_string_lossy().into_owned(), scenario)
        })
        .collect();
    for &defect in Defect::ALL {
        let scenario = files.remove(defect.name());
        let scenario = scenario.unwrap_or_else(|| panic!("{defect}: no scenarios/negative file"));
        assert_eq!(scenario.config.defects, Defects::NONE.with(defect), "{}", scenario.file);
    }
    // Another file may show a defect in another way; without one it would have nothing to show.
    for (name, scenario) in files {
        assert!(!scenario.config.defects.is_empty(), "{name}: no defect");
    }
}

#[test]
fn without_its_defect_every_negative_file_passes() {
    for scenario in negative() {
        let scenario = healthy(&scenario);
        for seed in scenario.seeds.start..scenario.seeds.start + scenario.seeds.count {
            let report = run::run(&scenario, seed, &mut ());
            assert_eq!(report.verdict, Verdict::Pass, "{}, seed {seed}", scenario.file);
        }
    }
}

/// The scenario without defects, which then expects nothing but to pass.
fn healthy(scenario: &Scenario) -> Scenario {
    let settings = Settings { defects: Defects::NONE, ..Settings::clone(&scenario.config) };
    let config: Arc<Config> = Config::new(settings).expect("settings that were checked");
    let expect = Expect::only(Expected::Pass);
    Scenario { config, expect, ..scenario.clone() }
}

#[test]
fn there_are_as_many_scenarios_as_were_promised() {
    assert!(scenario_files("scenarios").len() >= 32);
    assert!(scenario_files("scenarios/negative").len() >= 20);
}

#[test]
fn every_milestone_has_a_name_of_its_own() {
    let (mut names, mut places) = (BTreeSet::new(), BTreeSet::new());
    for milestone in Milestone::all() {
        assert!(names.insert(milestone.name()), "{milestone} is there twice");
        assert!(!milestone.summary().is_empty(), "{milestone} is not explained");
        assert!(places.insert(milestone.index()), "{milestone} has the place of another");
        assert!(milestone.index() < Milestone::PLACES, "{milestone} has no place");
    }
}

fn negative() -> Vec<Scenario> {
    let files = scenario_files("scenarios/negative");
    files.iter().map(|file| Scenario::load(file).unwrap_or_else(|e| panic!("{e}"))).collect()
}
