//! What comes of a violation that is a danger only.

use super::super::harm::harm;
use super::*;

fn watched(name: &str) -> (Scenario, Watched<FileService>) {
    let file = format!("{}/../scenarios/negative/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::load(std::path::Path::new(&file)).unwrap();
    let watched = Watched::of(&scenario, scenario.seeds.start);
    (scenario, watched)
}

#[test]
fn a_promise_that_is_not_durable_does_harm_with_a_crash() {
    let (_, watched) = watched("vote_not_forced");
    let harm = watched.harm.expect("n2 has forgotten its vote");
    assert_eq!(harm.with, "n2 crashes right then");
    let told = (harm.violation.breach.earlier.is, harm.violation.breach.now.is);
    let committed = "n3.1/1, the last commit to /d, leaves it as \"1\" at v1";
    assert_eq!(told, (committed.to_owned(), "n2 starts with /d as no file yet".to_owned()));
}

#[test]
fn a_fact_that_is_no_absence_is_harm_itself() {
    let (_, watched) = watched("abort_while_in_doubt");
    assert!(watched.run.verdict.violation().is_some() && watched.harm.is_none());
}

#[test]
fn a_run_that_fails_without_the_defect_too_shows_no_harm_of_it() {
    let (scenario, watched) = watched("vote_not_forced");
    let violation = watched.run.verdict.violation().unwrap();
    let found = |scenario: &Scenario| harm(scenario, 0, &watched.history, violation).is_some();
    assert!(found(&scenario));
    let mut with_both = scenario;
    with_both.without_defects = with_both.config.clone();
    assert!(!found(&with_both), "it is there whether the file says it or not");
}
