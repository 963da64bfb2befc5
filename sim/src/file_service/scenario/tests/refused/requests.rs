//! Workloads and scripts that make no sense.

use super::*;

/// As [`assert_wrong`], of files without another workload.
fn assert_wrong_alone(cases: &[(&str, &str)]) {
    for (lines, message) in cases {
        assert_eq!(wrong_text(&format!("title = 't'\n{lines}")), *message, "of\n{lines}");
    }
}

#[test]
fn workloads_that_make_no_sense() {
    let workload = |lines| wrong_text(&format!("title = 't'\n[workload]\n{lines}"));
    assert_eq!(
        workload(""),
        "2: workload.kind: missing, expected `files`, `locked_counter` or `bank`"
    );
    assert_eq!(
        workload("kind = 'file'"),
        "3: workload.kind: unknown kind `file`, expected `files`, `locked_counter` or `bank`; \
         did you mean `files`?"
    );
    assert_eq!(
        workload("kind = 'bank'\nread_fraction = 0.5"),
        "4: workload.read_fraction: does not go with kind `bank`"
    );
    assert_eq!(
        workload("kind = 'bank'\npaths = 1"),
        "4: workload.paths: expected a whole number, 2 to 1000000, found `1`"
    );
}

#[test]
fn users_and_requests_beyond_limits_that_make_no_sense() {
    assert_wrong_alone(&[
        (
            "[workload]\nkind = 'files'\nat_once = 0",
            "4: workload.at_once: expected a whole number, 1 to 100, found `0`",
        ),
        (
            "[workload]\nkind = 'locked_counter'\npaths = 2\nat_once = 3",
            "5: workload.at_once: 3 users of a client need as many counters, and there are 2 \
             (`paths`): a lock is its client's, so two users of one client may not share a counter",
        ),
        (
            "[workload]\nkind = 'bank'\nbeyond_limits = 2",
            "4: workload.beyond_limits: expected a probability, 0 to 1 and not finer than 1e-9, \
             found `2`",
        ),
        (
            "[workload]\nkind = 'bank'\nnamd = 0.5",
            "4: workload.namd: unknown key; did you mean `named`?",
        ),
    ]);
}

#[test]
fn limits_that_make_no_sense() {
    assert_wrong(&[
        ("[limits]\nqueu = 1", "3: limits.queu: unknown key; did you mean `queue`?"),
        (
            "[limits]\nqueue = 0",
            "3: limits.queue: expected a whole number, 1 to 1000000, found `0`",
        ),
        (
            "[limits]\npath_bytes = 5000",
            "3: limits.path_bytes: expected a whole number, 1 to 4096, found `5000`",
        ),
        (
            "[limits]\ncontents_bytes = 63",
            "3: limits.contents_bytes: expected a whole number, 64 to 16777216, found `63`",
        ),
        (
            "[limits]\noperations = 256",
            "3: limits.operations: expected a whole number, 1 to 255, found `256`",
        ),
    ]);
}

#[test]
fn workloads_beyond_the_limits_by_their_nature() {
    assert_wrong_alone(&[
        (
            "[limits]\npath_bytes = 8\n[workload]\nkind = 'locked_counter'",
            "3: limits.path_bytes: expected at least 9, as the workload asks for, found `8`",
        ),
        (
            "[limits]\noperations = 3\n[workload]\nkind = 'files'",
            "3: limits.operations: expected at least 4, as the workload asks for, found `3`",
        ),
        (
            "[workload]\nkind = 'bank'\npaths = 17",
            "4: workload.paths: the workload asks for 17, expected at most 16 \
             (`limits.operations`)",
        ),
        (
            "[workload]\nkind = 'bank'\n[swarm]\npaths = [2, 17]",
            "5: swarm.paths: the workload asks for 17, expected at most 16 (`limits.operations`)",
        ),
        (
            "[limits]\ncontents_bytes = 64\n[workload]\nkind = 'files'\ncontents_bytes = 65",
            "6: workload.contents_bytes: expected a whole number, 0 to 64, found `65`",
        ),
    ]);
}

#[test]
fn scripts_that_make_no_sense() {
    let script = |lines| wrong(&format!("[[script]]\nclient = 'c1'\nat = '1s'\n{lines}"));
    let forms = "expected exactly one of `read`, `create`, `write`, `delete`, `rename`, \
                 `transaction`, `acquire`, `release` or `steps`, found";
    assert_eq!(script(""), format!("2: script[0]: {forms} none"));
    assert_eq!(
        script("read = '/a'\nwrite = '/a'"),
        format!("2: script[0]: {forms} `read` and `write`")
    );
    assert_eq!(script("read = '/a'\ndata = 'x'"), "6: script[0].data: does not go with `read`");
    assert_eq!(
        script("acquire = '/a'\ncoordinator = 'n1'"),
        "6: script[0].coordinator: does not go with `acquire`"
    );
    assert_eq!(
        script("write = '/a'\ndata = 'x'\ncoordinator = 'c1'"),
        "7: script[0].coordinator: expected a node, found `'c1'`"
    );
    assert_eq!(script("write = '/a'"), "2: script[0].data: missing, expected the contents");
    assert_eq!(
        script("read = 'a'"),
        "5: script[0].read: expected a path: it starts with `/` and has no control characters, \
         found `'a'`"
    );
    assert_eq!(
        script("transaction = [{ acquire = '/a' }]"),
        "5: script[0].transaction[0].acquire: unknown key, expected `read`, `create`, `data`, \
         `write`, `if_version`, `delete`, `rename` or `to`"
    );
    assert_wrong(&[
        (
            "[[script]]\nclient = 'n1'\nat = '1s'\nread = '/a'",
            "3: script[0].client: expected a client, found `'n1'`",
        ),
        (
            "[[script]]\nclient = 'c1'\nat = '30s'\nread = '/a'",
            "4: script[0].at: expected a time before the end of the safety phase (30s), \
             found `'30s'`",
        ),
    ]);
}

#[test]
fn steps_and_rounds_that_make_no_sense() {
    let script = |lines| wrong(&format!("[[script]]\nclient = 'c1'\nat = '1s'\n{lines}"));
    assert_eq!(script("steps = []"), "5: script[0].steps: expected steps, found none");
    assert_eq!(
        script("steps = [{ read = '/a' }]\nanswer = 'done'"),
        "6: script[0].answer: does not go with `steps`"
    );
    assert_eq!(
        script("steps = [{ acquire = '/a' }, { relese = '/a' }]"),
        "5: script[0].steps[1].relese: unknown key; did you mean `release`?"
    );
    assert_eq!(
        script("steps = [{ transaction = [{ raed = '/a' }] }]"),
        "5: script[0].steps[0].transaction[0].raed: unknown key; did you mean `read`?"
    );
    assert_eq!(
        script("steps = [{ read = '/a', answer = { refsed = 'held' } }]"),
        "5: script[0].steps[0].answer.refsed: unknown key; did you mean `refused`?"
    );
    assert_eq!(
        script("read = '/a'\nowner = 'c1'"),
        "6: script[0].owner: expected a node, found `'c1'`"
    );
    assert_eq!(script("read = '/a'\nevery = '1s'"), "6: script[0].every: needs `repeat`");
    assert_eq!(
        script("read = '/a'\nrepeat = 2\nevery = '1s'\npause = '1s'"),
        "7: script[0].every: does not go with `pause`"
    );
    assert_eq!(
        script("read = '/a'\nrepeat = 0"),
        "6: script[0].repeat: expected a whole number, 1 to 100000, found `0`"
    );
    assert_eq!(
        wrong("[[script]]\nwhen = { milestone = 'decided' }\nclient = 'coordinator'\nread = '/a'"),
        "4: script[0].client: expected a client, found `'coordinator'`"
    );
    assert_eq!(
        wrong(
            "[[script]]\nname = 'x'\nclient = 'c1'\nat = '1s'\nread = '/a'\n\
             [[script]]\nname = 'x'\nclient = 'c1'\nat = '2s'\nread = '/a'"
        ),
        "8: script[1].name: another script has this name"
    );
}

#[test]
fn answers_that_no_request_gets() {
    let script = |lines| wrong(&format!("[[script]]\nclient = 'c1'\nat = '1s'\n{lines}"));
    assert_eq!(
        script("read = '/a'\nanswer = 'don'"),
        "6: script[0].answer: unknown answer `don`, expected `done`, `refused` or `unknown`; \
         did you mean `done`?"
    );
    assert_eq!(
        script("read = '/a'\nanswer = 3"),
        "6: script[0].answer: expected `\"done\"`, `\"refused\"`, `\"unknown\"` or a table, found `3`"
    );
    assert_eq!(
        script("read = '/a'\nanswer = { refused = 'exists' }"),
        "6: script[0].answer.refused: this request is never refused with `exists`, only with \
         `path_too_long`"
    );
    assert_eq!(
        script("acquire = '/a'\nanswer = { refused = 'held' }"),
        "6: script[0].answer.refused: this request is never refused with `held`, only with \
         `fenced`, `queue_full`, `path_too_long` or `disk_full`"
    );
    assert_eq!(
        script("release = '/a'\nanswer = { contents = 'x' }"),
        "6: script[0].answer.contents: goes with `read` alone; what the reads of a transaction find \
         is `reads`"
    );
    assert_eq!(
        script("read = '/a'\nanswer = { contents = 'x', absent = true }"),
        "6: script[0].answer: expected exactly one of `refused`, `contents`, `absent` or `reads`"
    );
    assert_eq!(
        script(
            "transaction = [{ read = '/a' }, { delete = '/a' }]\nanswer = { reads = ['x', false] }"
        ),
        "6: script[0].answer.reads: expected 1 of them, one for each read of the request, \
         found 2"
    );
    assert_eq!(
        script("acquire = '/a'\nanswer = { reads = [] }"),
        "6: script[0].answer.reads: this request reads nothing"
    );
    assert_eq!(
        script("read = '/a'\nanswer = { reads = [true] }"),
        "6: script[0].answer.reads[0]: expected contents, or `false` for no file, found `true`"
    );
    let misspelt = script("create = '/a'\ndata = ''\nanswer = { refused = 'exist' }");
    assert!(misspelt.ends_with("; did you mean `exists`?"), "{misspelt}");
}
