//! Faults, milestones and expectations that can never happen.

use super::*;

#[test]
fn milestones_that_no_run_of_the_file_reaches() {
    let managed = "can never happen here: needs `membership = \"managed\"`";
    let cases = [
        (
            "[expect]\nreached = ['view_settled']",
            format!("3: expect.reached[0]: `'view_settled'` {managed}"),
        ),
        (
            "[expect]\nreached = ['decided', { milestone = 'heartbeat_sent', at_least = 2 }]",
            format!("3: expect.reached[1].milestone: `'heartbeat_sent'` {managed}"),
        ),
        (
            "[expect]\nnever = ['node_declared_gone']",
            format!("3: expect.never[0]: `'node_declared_gone'` {managed}"),
        ),
        (
            "[[fault]]\nwhen = { milestone = 'chunk_received' }\ncrash = 'n1'",
            format!("3: fault[0].when.milestone: `'chunk_received'` {managed}"),
        ),
        (
            "[[message]]\nkind = 'pull'\ndrop = true",
            format!("3: message[0].kind: `'pull'` {managed}"),
        ),
        (
            "[cluster]\ncommit = 'two_phase'\n[expect]\nreached = ['all_ready']",
            "5: expect.reached[0]: `'all_ready'` can never happen here: needs \
             `commit = \"staged\"`"
                .to_owned(),
        ),
        (
            "[expect]\nreached = ['paused']",
            "3: expect.reached[0]: `'paused'` can never happen here: needs a fault that pauses a \
             machine"
                .to_owned(),
        ),
    ];
    for (lines, message) in cases {
        let found = wrong(lines);
        assert!(found.starts_with(&message), "of\n{lines}\n{found}\n{message}");
    }
    let of_checkpoints = wrong("[expect]\nreached = ['settled_durable']");
    let why = "unknown milestone `settled_durable`";
    assert!(of_checkpoints.contains(why), "{of_checkpoints}");
}

#[test]
fn milestones_that_need_another_request() {
    let bank =
        |lines: &str| wrong_text(&format!("title = 't'\n{lines}\n[workload]\nkind = 'bank'"));
    let locks = bank("[expect]\nreached = ['lock_granted']");
    assert!(locks.contains("needs a request that acquires a lock"), "{locks}");
    let renames = bank("[[message]]\nkind = 'fetched'\ndrop = true");
    assert!(renames.contains("needs a request that renames a file"), "{renames}");
    let counter = bank("[expect]\nviolates = 'no_increment_is_lost'");
    assert_eq!(
        counter,
        "3: expect.violates: `'no_increment_is_lost'` can never be violated here: needs a workload \
         of kind `locked_counter` or `files`"
    );
}

#[test]
fn violations_that_no_run_of_the_file_shows() {
    let violates = |name: &str| format!("[expect]\nviolates = '{name}'");
    let never = |name: &str, why: &str| {
        format!("3: expect.violates: `'{name}'` can never be violated here: needs {why}")
    };
    let managed = "`membership = \"managed\"`";
    for name in ["one_epoch_is_served_at_once", "no_copies_elsewhere_at_the_end"] {
        assert_eq!(wrong(&violates(name)), never(name, managed));
    }
    let without_locks =
        "title = 't'\n[[script]]\nclient = 'c1'\nat = '1s'\nwrite = '/a'\ndata = 'x'\n";
    for name in ["one_holder_per_lock", "effects_under_a_token_are_requested_by_its_holder"] {
        let found = wrong_text(&format!("{without_locks}{}", violates(name)));
        assert!(found.ends_with("needs a request that acquires a lock"), "{found}");
    }
    assert_eq!(
        wrong("[phases]\nprobes = false\n[expect]\nviolates = 'probes_are_answered'"),
        "5: expect.violates: `'probes_are_answered'` can never be violated here: needs \
         `probes = true` in `[phases]`"
    );
    let release = "title = 't'\n[[script]]\nclient = 'c1'\nat = '1s'\nrelease = '/a'\n";
    let possible = [
        format!("{release}{}", violates("lock_refusals_state_a_true_reason")),
        around(&violates("one_holder_per_lock")),
        around(&violates("probes_are_answered")),
        around(&format!(
            "[cluster]\nmembership = 'managed'\n{}",
            violates("one_epoch_is_served_at_once")
        )),
    ];
    for text in possible {
        let read = Scenario::parse("x.toml", &text);
        assert!(read.is_ok(), "{text}\n{read:?}");
    }
}

#[test]
fn faults_that_are_there_are_enough() {
    let possible = [
        "[[fault]]\nat = '1s'\npause = 'n1'\n[expect]\nreached = ['paused', 'resumed']",
        "[chaos]\nkinds = ['bit_rot']\n[expect]\nreached = ['crashed', 'refused_to_start']",
        "[[fault]]\nat = '1s'\nrolling_restart = true\n[expect]\nreached = ['restarted']",
    ];
    for lines in possible {
        assert!(Scenario::parse("x.toml", &around(lines)).is_ok(), "{lines}");
    }
}

#[test]
fn cells_that_are_unknown_or_that_no_run_of_the_file_sees() {
    let crash = "[[fault]]\nat = '1s'\ncrash = 'n1'\n";
    let covered = |cells: &str| wrong(&format!("{crash}[expect]\ncovered = [{cells}]"));
    assert_eq!(
        covered("'crash/idle', 'crash/participant_in_dout'"),
        "6: expect.covered[1]: unknown cell `crash/participant_in_dout`, expected one that \
         `seedbed cells` lists; did you mean `crash/participant_in_doubt`?"
    );
    assert_eq!(
        covered("'crash/idle', 'crash/idle'"),
        "6: expect.covered[1]: `'crash/idle'` is there twice"
    );
    let never = |cell: &str, why: &str| {
        let found = covered(&format!("'{cell}'"));
        let begins = format!("6: expect.covered[0]: `'{cell}'` can never happen here: {why}");
        assert!(found.starts_with(&begins), "{found}\n{begins}");
    };
    never("pause/idle", "needs a fault of kind `pause`");
    never("crash/client_asking", "no fault of kind `crash` strikes such a machine");
    never("crash/joiner", "needs `membership = \"managed\"`");
    never("crash+wipe", "needs a fault of kind `wipe`");
    never("doubled/prepare", "needs a network or a fault that doubles messages");
    never("lost/pull", "needs `membership = \"managed\"`");
    never("torn/grant", "needs a fault that tears a part of such a log");
    never("refused/path_too_long", "needs a request that can be refused for that");
    let possible = "'crash/source', 'crash+crash', 'lost/pull', 'torn/voted', 'refused/queue_full'";
    let managed = "[cluster]\nmembership = 'managed'\n";
    let text = around(&format!("{managed}{crash}[expect]\ncovered = [{possible}]"));
    assert!(Scenario::parse("x.toml", &text).is_ok());
    let bank = |more: &str| {
        let workload = format!("[workload]\nkind = 'bank'\noperations = 9\npaths = 3\n{more}");
        let crash = "[[fault]]\nat = '1s'\ncrash = 'c1'\n";
        let expect = "[expect]\ncovered = ['crash/client_waiting']";
        let text = format!("title = 't'\nabout = 't'\n{workload}{crash}{expect}");
        Scenario::parse("x.toml", &text).is_ok()
    };
    assert_eq!((bank(""), bank("beyond_limits = 0.1\n")), (false, true), "of a lock it may ask");
}

#[test]
fn expectations_that_make_no_sense() {
    let expect = |line: &str| wrong(&format!("[expect]\n{line}"));
    assert_eq!(
        expect("reached = [{ milestone = 'decided', at_least = 0 }]"),
        "3: expect.reached[0].at_least: expected a whole number, at least 1, found `0`"
    );
    assert_eq!(
        expect("reached = [{ milestone = 'decided' }]"),
        "3: expect.reached[0]: expected `at_least`, `at_most` or both"
    );
    assert_eq!(
        expect("reached = [{ milestone = 'decided', at_least = 3, at_most = 2 }]"),
        "3: expect.reached[0]: `at_most` is below `at_least`"
    );
    assert_eq!(
        expect("reached = ['decided', { milestone = 'decided', at_least = 2 }]"),
        "3: expect.reached[1]: `decided` is there twice"
    );
    assert_eq!(
        expect("stored = [{ path = '/a' }]"),
        "3: expect.stored[0]: expected exactly one of `contents` or `absent`"
    );
    assert_eq!(
        expect("stored = [{ path = '/a', absent = true }, { path = '/a', contents = 'x' }]"),
        "3: expect.stored[1].path: `'/a'` is there twice"
    );
    assert_eq!(
        expect("unknown = 5"),
        "3: expect.unknown: expected a probability, 0 to 1 and not finer than 1e-9, found `5`"
    );
    assert_eq!(
        expect("violates = 'participants_agree'\nunknown = 0.1"),
        "4: expect.unknown: does not go with `violates`"
    );
    let passes = Scenario::parse("x.toml", &around("[expect]\nverdict = 'pass'\nunknown = 0.1"));
    assert!(passes.is_ok(), "{passes:?}");
    assert_eq!(
        expect("blocks = 'decided'"),
        "3: expect.blocks: nothing blocks for good where every machine restarts: expected a crash \
         with `restart = \"never\"`, a `wipe` without an `accept_loss`, or two clients that acquire two \
         locks"
    );
    let script = "title = 't'\n[[script]]\nclient = 'c1'\nat = '1s'\nwrite = '/one'\ndata = 'x'\n\
                  [expect]\nstored = [{ path = '/onr', contents = 'x' }]";
    assert_eq!(
        wrong_text(script),
        "8: expect.stored[0].path: no request writes to `'/onr'`; did you mean `/one`?"
    );
}
