//! The tables of `docs/semantics.md`, cell by cell and in their order.

use std::collections::BTreeMap;

use seedbed::proto::{Action, Contents, Limits, Operation, Outcome, Path, Refusal, Token, Version};

use super::program::{Effect, Stored, execute, refusal_on};
use crate::file_service::oracle::tests::{
    changed, claim, create, delete, found, operation, path, read, rename, with_token, write,
};

const LIMITS: Limits =
    Limits { path_bytes: 8, contents_bytes: 4, operations: 3, nodes: 1, queue: 1 };

// The states of the tables, all of them behind the fence 5.
const NEVER: Stored = Stored { version: Version(0), contents: None, fence: Token(5) };
const DELETED: Stored = Stored { version: Version(2), contents: None, fence: Token(5) };

fn file() -> Stored {
    stored(1, Some("x"), 5)
}

fn stored(version: u64, contents: Option<&str>, fence: u64) -> Stored {
    let contents = contents.map(Contents::from);
    Stored { version: Version(version), contents, fence: Token(fence) }
}

type Result = std::result::Result<Effect, Vec<Refusal>>;

/// Executes with these paths in these states.
fn run(states: &[(&str, Stored)], operations: &[Operation]) -> Result {
    let states: BTreeMap<Path, Stored> =
        states.iter().map(|(at, stored)| (path(at), stored.clone())).collect();
    execute(|path| states.get(path).cloned().unwrap_or_default(), operations, &LIMITS)
}

/// Executes one operation on `/a` in that state, under that token.
fn one(state: &Stored, token: u64, operation: Operation) -> Result {
    run(&[("/a", state.clone())], &[with_token(operation, token)])
}

fn gives(outcome: Outcome, after: Stored) -> Result {
    Ok(Effect { answer: vec![outcome], changes: [(path("/a"), after)].into() })
}

fn refused(refusal: Refusal) -> Result {
    Err(vec![refusal])
}

fn fenced() -> Result {
    refused(Refusal::Fenced(Token(5)))
}

fn write_if(version: u64) -> Operation {
    operation("/a", Action::Write("y".into(), Some(Version(version))))
}

fn delete_if(version: u64) -> Operation {
    operation("/a", Action::Delete(Some(Version(version))))
}

#[test]
fn read_rows() {
    let reads = |outcome| Ok(Effect { answer: vec![outcome], changes: BTreeMap::new() });
    assert_eq!(one(&file(), 0, read("/a")), reads(found(1, Some("x"))));
    assert_eq!(one(&NEVER, 0, read("/a")), reads(found(0, None)));
    assert_eq!(one(&DELETED, 0, read("/a")), reads(found(2, None)));
}

#[test]
fn create_rows() {
    for state in [NEVER, DELETED, file()] {
        assert_eq!(one(&state, 4, create("/a", "y")), fenced());
        let without = run(&[("/a", state)], &[create("/a", "y")]);
        assert_eq!(without, fenced(), "no token is token 0");
    }
    assert_eq!(one(&file(), 5, create("/a", "y")), refused(Refusal::Exists));
    assert_eq!(one(&NEVER, 5, create("/a", "y")), gives(changed(1), stored(1, Some("y"), 5)));
    assert_eq!(one(&DELETED, 6, create("/a", "y")), gives(changed(3), stored(3, Some("y"), 5)));
}

#[test]
fn write_rows() {
    for state in [NEVER, DELETED, file()] {
        assert_eq!(one(&state, 4, write("/a", "y")), fenced());
        assert_eq!(one(&state, 4, write_if(9)), fenced(), "the fence is judged first");
        let is = Refusal::VersionIs(state.version);
        assert_eq!(one(&state, 5, write_if(9)), refused(is));
        let version = state.version.0;
        let after = gives(changed(version + 1), stored(version + 1, Some("y"), 5));
        assert_eq!(one(&state, 5, write("/a", "y")), after);
        assert_eq!(one(&state, 5, write_if(version)), after);
    }
}

#[test]
fn delete_rows() {
    for state in [NEVER, DELETED, file()] {
        assert_eq!(one(&state, 4, delete("/a")), fenced());
        assert_eq!(one(&state, 4, delete_if(9)), fenced());
        let is = Refusal::VersionIs(state.version);
        assert_eq!(one(&state, 5, delete_if(9)), refused(is), "the condition is judged next");
    }
    for state in [NEVER, DELETED] {
        let condition = delete_if(state.version.0);
        assert_eq!(one(&state, 5, delete("/a")), refused(Refusal::NotFound));
        assert_eq!(one(&state, 5, condition), refused(Refusal::NotFound));
    }
    let after = gives(changed(2), stored(2, None, 5));
    assert_eq!(one(&file(), 5, delete("/a")), after);
    assert_eq!(one(&file(), 5, delete_if(1)), after);
}

#[test]
fn claim_rows() {
    for state in [NEVER, DELETED, file()] {
        assert_eq!(one(&state, 4, claim("/a", 4)), fenced());
        for token in [5, 6] {
            let after = Stored { fence: Token(token), ..state.clone() };
            let claimed = one(&state, token, claim("/a", token));
            assert_eq!(claimed, gives(changed(state.version.0), after));
        }
    }
}

/// Renames `/a` to `/b`, with these tokens.
fn moved(states: [Stored; 2], tokens: [u64; 2]) -> Result {
    let [source, target] = states;
    let action = Action::Rename(path("/b"), Some(Token(tokens[1])));
    let rename = with_token(operation("/a", action), tokens[0]);
    run(&[("/a", source), ("/b", target)], &[rename])
}

#[test]
fn rename_rows() {
    for source in [NEVER, DELETED, file()] {
        assert_eq!(moved([source, NEVER], [4, 5]), fenced());
    }
    for source in [NEVER, DELETED] {
        assert_eq!(moved([source, NEVER], [5, 5]), refused(Refusal::NotFound));
    }
    for target in [NEVER, DELETED, file()] {
        assert_eq!(moved([file(), target], [5, 4]), fenced());
    }
    assert_eq!(moved([file(), file()], [5, 5]), refused(Refusal::Exists));
    for target in [NEVER, DELETED] {
        let version = target.version.0 + 1;
        let (source, after) = (stored(2, None, 5), stored(version, Some("x"), 5));
        let changes = [(path("/a"), source), (path("/b"), after)].into();
        let effect = Effect { answer: vec![changed(version)], changes };
        assert_eq!(moved([file(), target], [5, 6]), Ok(effect));
    }
    let both = Err(vec![Refusal::NotFound, Refusal::Exists]);
    assert_eq!(moved([NEVER, file()], [5, 5]), both, "either may be named");
}

#[test]
fn several_operations_are_all_or_nothing() {
    let operations = [write("/b", "y"), create("/a", "y")];
    let file = stored(1, Some("x"), 0);
    assert_eq!(run(&[("/a", file)], &operations), refused(Refusal::Exists));
}

#[test]
fn each_operation_sees_those_before_it() {
    let file = [("/a", stored(1, Some("x"), 0))];
    let effect = run(&file, &[delete("/a"), create("/a", "y"), read("/a")]).expect("right");
    assert_eq!(effect.answer, [changed(2), changed(3), found(3, Some("y"))]);
    assert_eq!(effect.changes, [(path("/a"), stored(3, Some("y"), 0))].into());
    let twice = [create("/b", "y"), create("/b", "z")];
    assert_eq!(run(&file, &twice), refused(Refusal::Exists));
    let below = [claim("/a", 5), with_token(write("/a", "y"), 4)];
    assert_eq!(run(&file, &below), fenced());
    let again = [write("/a", "y"), operation("/a", Action::Write("z".into(), Some(Version(1))))];
    assert_eq!(run(&file, &again), refused(Refusal::VersionIs(Version(2))));
}

#[test]
fn the_first_refusal_on_each_path_is_a_reason() {
    let operations = [create("/a", "y"), delete("/b"), delete("/a")];
    let refused = run(&[("/a", stored(1, Some("x"), 0))], &operations);
    assert_eq!(refused, Err(vec![Refusal::Exists, Refusal::NotFound]));
    let on = |at: &str, state: Stored| refusal_on(&path(at), &state, &operations);
    assert_eq!(on("/a", stored(1, Some("x"), 0)), Some(Refusal::Exists));
    assert_eq!(on("/a", stored(0, None, 0)), None);
    assert_eq!(on("/b", stored(0, None, 0)), Some(Refusal::NotFound));
    assert_eq!(on("/b", stored(1, Some("x"), 0)), None);
}

#[test]
fn the_source_of_a_rename_is_used_once_and_its_target_as_often_as_one_likes() {
    let file = [("/a", stored(1, Some("x"), 0))];
    for other in [read("/a"), create("/a", "y"), rename("/a", "/c"), rename("/c", "/a")] {
        let malformed = refused(Refusal::Malformed);
        assert_eq!(run(&file, &[rename("/a", "/b"), other.clone()]), malformed);
        assert_eq!(run(&file, &[other, rename("/a", "/b")]), malformed);
    }
    let effect = run(&file, &[write("/b", "y"), delete("/b"), rename("/a", "/b")]);
    let effect = effect.expect("right");
    assert_eq!(effect.answer, [changed(1), changed(2), changed(3)]);
    assert_eq!(effect.changes[&path("/b")], stored(3, Some("x"), 0));
    let effect = run(&file, &[rename("/a", "/b"), read("/b"), write("/b", "z")]).expect("right");
    assert_eq!(effect.answer, [changed(1), found(1, Some("x")), changed(2)]);
}

#[test]
fn limits_rows() {
    let refusal = |operations: &[Operation]| run(&[], operations).err().map(|all| all[0]);
    let (long, wide) = ("/12345678", "12345");
    let (count, too_long) = (Refusal::BadOperationCount, Refusal::PathTooLong);
    for (operations, reason) in [
        (&[][..], count),
        (&[read(long), read("/a"), read("/a"), read("/a")], count),
        (&[read("/a"), read(long)], too_long),
        (&[create(long, wide)], too_long),
        (&[create("/a", wide), read(long)], Refusal::ContentsTooLong),
        (&[write("/a", wide)], Refusal::ContentsTooLong),
        (&[rename("/a", long)], too_long),
        (&[rename("/a", "/a")], Refusal::Malformed),
        (&[rename("/a", "/b"), read("/a")], Refusal::Malformed),
        (&[operation("/a", Action::Claim)], Refusal::Malformed),
        (&[operation("/a", Action::Place("x".into()))], Refusal::Malformed),
        (&[operation("/a", Action::Remove(Version(0)))], Refusal::Malformed),
    ] {
        assert_eq!(refusal(operations), Some(reason), "{operations:?}");
    }
    assert_eq!(refusal(&[write("/1234567", "1234"), read("/a"), read("/b")]), None);
}
