//! What users ask for.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::proto::Limits;

use super::*;
use crate::file_service::refusal::Reason;
use crate::under_test::User as _;

fn scenario(lines: &str) -> Scenario {
    let text = format!("title = 't'\n[cluster]\nclients = 2\n[workload]\n{lines}");
    Scenario::parse("x.toml", &text).unwrap_or_else(|errors| panic!("{errors}"))
}

fn users(scenario: &Scenario, seed: u64) -> Vec<User> {
    let workload = scenario.workload.as_ref().expect("a workload");
    let places = scenario
        .cast
        .clients()
        .flat_map(|client| (0..workload.at_once).map(move |place| (client, place)));
    places.map(|of| User::new(workload, scenario, Seed(seed), of)).collect()
}

/// What a user asks for while every lock is granted and every other request refused.
fn asked(mut user: User) -> Vec<Request> {
    let mut all = Vec::new();
    let mut next = user.begin();
    while let Some((_, request)) = next {
        let reply = match request {
            Request::Acquire { .. } => Reply::Acquired(seedbed::proto::Token(1)),
            Request::Files { .. } => Reply::Refused(Refusal::Exists),
            Request::Release { .. } => Reply::Released,
        };
        all.push(request);
        next = user.on_reply(&reply);
    }
    all
}

/// The limit that a request is refused for by every machine, if it is beyond one.
fn refused(request: &Request, limits: &Limits) -> Option<Reason> {
    let is_long = |path: &Path| path.as_str().len() > limits.path_bytes;
    match request {
        Request::Acquire { path, .. } => is_long(path).then_some(Reason::PathTooLong),
        Request::Release { .. } => None,
        Request::Files { operations, .. } => {
            let is_bad = operations.is_empty() || operations.len() > limits.operations;
            let reason = |operation: &Operation| match &operation.action {
                _ if is_long(&operation.path) => Some(Reason::PathTooLong),
                Action::Rename(to, _) if is_long(to) => Some(Reason::PathTooLong),
                Action::Create(contents) | Action::Write(contents, _) => {
                    let is_long = contents.as_bytes().len() > limits.contents_bytes;
                    is_long.then_some(Reason::ContentsTooLong)
                }
                _ => None, // it is within the limits
            };
            let of_count = is_bad.then_some(Reason::BadOperationCount);
            of_count.or_else(|| operations.iter().find_map(reason))
        }
    }
}

#[test]
fn all_users_together_make_the_operations_of_the_workload() {
    for (at_once, operations) in [(1, 7), (3, 7), (3, 4), (4, 64)] {
        let scenario =
            scenario(&format!("kind = 'bank'\nat_once = {at_once}\noperations = {operations}"));
        let users = users(&scenario, 1);
        let left: Vec<u32> = users.iter().map(|user| user.left).collect();
        assert_eq!((left.len(), left.iter().sum::<u32>()), (2 * at_once, operations));
        assert!(left.iter().max().unwrap() - left.iter().min().unwrap() <= 1, "{left:?}");
        assert_eq!(users.iter().filter(|user| user.opens_accounts).count(), 1);
    }
}

#[test]
fn the_first_user_of_a_client_draws_what_it_draws_alone_and_no_other_draws_the_same() {
    let of = |at_once: u32| {
        // As many operations for each user.
        let operations = 2 * at_once * 20;
        let lines = format!("kind = 'bank'\nat_once = {at_once}\noperations = {operations}");
        users(&scenario(&lines), 3).into_iter().map(asked).collect::<Vec<_>>()
    };
    let (alone, together) = (of(1), of(3));
    assert_eq!([&alone[0], &alone[1]], [&together[0], &together[3]]);
    for (place, user) in together.iter().enumerate() {
        assert!(!together[..place].contains(user), "user number {place}");
    }
}

#[test]
fn no_two_users_of_a_client_count_under_one_lock() {
    for (kind, paths) in [("locked_counter", 5), ("files", 5)] {
        let lines = format!("kind = '{kind}'\nat_once = 3\npaths = {paths}");
        let scenario = scenario(&lines);
        let mut of_client: BTreeMap<Path, usize> = BTreeMap::new();
        for user in &users(&scenario, 1)[..3] {
            for path in &user.counters {
                *of_client.entry(path.clone()).or_default() += 1;
            }
        }
        let all = scenario.workload.as_ref().and_then(Workload::counter_paths).unwrap();
        let once = all.into_iter().map(|path| (path, 1)).collect();
        assert_eq!(of_client, once, "{kind}");
    }
}

#[test]
fn users_go_beyond_each_limit_as_often_as_they_should() {
    for kind in ["files", "locked_counter", "bank"] {
        let lines = format!("kind = '{kind}'\nbeyond_limits = 0.5\noperations = 4000");
        let limits = "\n[limits]\npath_bytes = 20\ncontents_bytes = 64\noperations = 8";
        let scenario = scenario(&format!("{lines}{limits}"));
        let user = users(&scenario, 5).remove(0);
        let all: Vec<_> =
            asked(user).iter().map(|request| refused(request, &scenario.config.limits)).collect();
        let reasons: BTreeSet<Reason> = all.iter().flatten().copied().collect();
        let expected = [Reason::PathTooLong, Reason::ContentsTooLong, Reason::BadOperationCount];
        assert_eq!(reasons, expected.into(), "{kind}");
        let beyond = all.iter().flatten().count();
        // A round of a counter is several requests.
        let range = if kind == "locked_counter" { 300..900 } else { 700..1300 };
        assert!(range.contains(&beyond), "{kind}: {beyond} of {}", all.len());
    }
}

#[test]
fn requests_beyond_no_limit_are_the_same_with_others_beside_them() {
    let of = |share: &str| {
        let lines = format!("kind = 'bank'\nbeyond_limits = {share}\noperations = 200");
        let scenario = scenario(&lines);
        let all = asked(users(&scenario, 7).remove(0));
        let limits = scenario.config.limits.clone();
        all.into_iter().filter(move |request| refused(request, &limits).is_none()).collect()
    };
    let (without, with): (Vec<Request>, Vec<Request>) = (of("0"), of("0.3"));
    assert!(with.len() < without.len());
    assert_eq!(with, without[..with.len()]);
}

#[test]
fn a_node_is_named_as_often_as_the_file_says() {
    for (kind, named, range) in [
        ("files", "0", 0..1),
        ("files", "0.125", 80..400),
        ("bank", "0", 0..1),
        ("bank", "0.5", 700..1300),
        ("locked_counter", "1", 600..1000),
    ] {
        let lines = format!("kind = '{kind}'\nnamed = {named}\noperations = 4000");
        let scenario = scenario(&lines);
        let named = asked(users(&scenario, 9).remove(0))
            .into_iter()
            .filter(|request| matches!(request, Request::Files { coordinator: Some(_), .. }));
        let found = named.count();
        assert!(range.contains(&found), "{kind}: {found}");
    }
}
