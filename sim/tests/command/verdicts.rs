//! How runs end other than with a pass or a violation, as a shell sees it.

use super::{BUSY, Files};

/// Three users of a network that loses every message.
pub const LOST: &str = "title = 'nothing arrives'\n[cluster]\nclients = 3\n[network]\nloss = 1\n\
    [workload]\nkind = 'files'\noperations = 30\n";

#[test]
fn a_run_in_which_nothing_gets_done_has_starved() {
    let files = Files::new();
    files.write("lost.toml", LOST);
    let said = files.run(&["run", "lost.toml"]);
    assert_eq!(said.status, 1, "{said:?}");
    let head = "starved: 0 done, 0 refused, 3 unknown; some_request_is_done_or_refused \
                is broken, and no other invariant is\n";
    assert!(said.out.starts_with(head), "{}", said.out);
    for what in ["  earlier ", "  now ", "such requests on files ended so", "  rule "] {
        assert!(said.out.contains(what), "{what}: {}", said.out);
    }
    assert!(said.out.ends_with("seedbed run lost.toml --seed 0\n"), "{}", said.out);
    let sweep = files.run(&["sweep", "lost.toml", "--seeds", "0..2"]);
    assert_eq!(sweep.status, 1);
    assert!(
        sweep.out.contains("seed 1: starved: some_request_is_done_or_refused at step"),
        "{}",
        sweep.out
    );
    assert!(sweep.out.contains("2 of 2 runs end otherwise; 0 done, 0 refused, 6 unknown"));
    files.write(
        "expected.toml",
        format!("{LOST}[expect]\nviolates = 'some_request_is_done_or_refused'\n"),
    );
    let object = &files.run(&["run", "expected.toml", "--json"]).objects()[0];
    assert_eq!((&object["verdict"], &object["unknown"]), (&"starved".into(), &3.into()));
    assert!(
        object["why"]
            .as_str()
            .unwrap()
            .starts_with("starved: some_request_is_done_or_refused at step")
    );
    assert_eq!(files.run(&["run", "expected.toml"]).status, 0);
}

#[test]
fn a_run_that_does_not_end_spins_and_is_told_so_at_once() {
    let files = Files::new();
    files.write("lease.toml", format!("{BUSY}[timing]\nlock_lease = '1us'\n")).write(
        "retry.toml",
        format!("{BUSY}[timing]\nretry_delay = '1us'\nattempt_timeout = '1us'\n"),
    );
    for (file, kind) in [("lease.toml", "`keep_alive` received"), ("retry.toml", "timer `attempt`")]
    {
        let said = files.run(&["run", file]);
        assert_eq!(said.status, 1, "{said:?}");
        assert!(said.out.starts_with("spinning: "), "{}", said.out);
        assert!(said.out.contains("more than 60,000 events in the second from "), "{}", said.out);
        assert!(said.out.contains(kind), "{kind}: {}", said.out);
        assert!(said.out.ends_with(&format!("seedbed run {file} --seed 3\n")), "{}", said.out);
        let sweep = files.run(&["sweep", file, "--seeds", "0..1", "--json"]);
        let object = &sweep.objects()[0];
        assert_eq!((sweep.status, &object["verdict"]), (1, &"spinning".into()));
        assert!(object["why"].as_str().unwrap().starts_with("spinning: more than"), "{object}");
    }
}

pub const SCRIPTED: &str = "title = 'a file is made twice'\n\
    [[script]]\nclient = 'c1'\nat = '1s'\ncreate = '/a'\ndata = 'x'\nanswer = 'done'\n\
    [[script]]\nclient = 'c1'\nat = '2s'\ncreate = '/a'\ndata = 'y'\n\
    answer = { refused = 'exists' }\n\
    [[script]]\nclient = 'c1'\nat = '3s'\nread = '/a'\nanswer = { contents = 'x' }\n\
    [seeds]\nstart = 0\ncount = 3\n\
    [expect]\nstored = [{ path = '/a', contents = 'x' }, { path = '/b', absent = true }]\n\
    reached = [{ milestone = 'request_done', at_least = 2 }]\n";

#[test]
fn what_a_file_expects_of_requests_and_files_is_held() {
    let files = Files::new();
    files.write("good.toml", SCRIPTED);
    let said = files.run(&["run", "good.toml"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("`request_done` 2 times of 2"), "{}", said.out);
    let cases = [
        (
            "answer = 'done'",
            "answer = 'unknown'",
            "script number 1, of c1 at 1s",
            "unknown",
            "its answer is done",
        ),
        ("'exists'", "'fenced'", "script number 2, of c1 at 2s", "`fenced`", "a file is there"),
        (
            "contents = 'x' }\n",
            "contents = 'y' }\n",
            "script number 3",
            "\"y\" found",
            "\"x\" found",
        ),
        (
            "contents = 'x' },",
            "contents = 'z' },",
            "/a at the end",
            "\"z\" at every",
            "stores \"x\"",
        ),
        (
            "'/a', contents = 'x'",
            "'/a', absent = true",
            "/a at the end",
            "no file at every owner",
            "stores \"x\"",
        ),
    ];
    for (right, wrong, of, expected, found) in cases {
        let text = SCRIPTED.replace(right, wrong);
        assert_ne!(text, SCRIPTED, "{right}");
        let said = files.write("wrong.toml", text).run(&["run", "wrong.toml"]);
        assert_eq!(said.status, 1, "{wrong}: {said:?}");
        assert!(said.out.starts_with(&format!("unexpected: {of}")), "{}", said.out);
        assert!(said.out.contains(expected) && said.out.contains(found), "{}", said.out);
        let object = &files.run(&["run", "wrong.toml", "--json"]).objects()[0];
        assert_eq!(object["verdict"], "unexpected");
        let why = object["why"].as_str().unwrap();
        assert!(why.starts_with(&format!("unexpected: {of}")) && why.contains(found), "{why}");
    }
    let never_written = SCRIPTED.replace("'/b', absent = true", "'/b', contents = ''");
    files.write("never.toml", never_written);
    files.run(&["run", "never.toml"]).refuses("stored[1].path: no request writes to `'/b'`");
    files.write("often.toml", SCRIPTED.replace("at_least = 2", "at_least = 3"));
    let said = files.run(&["sweep", "often.toml"]);
    assert_eq!(said.status, 1, "{said:?}");
    let near =
        "no seed reached `request_done` 3 times; nearest: at most `request_done` 2 of 3 times";
    assert!(said.out.contains(&format!("vacuous: {near}, with seed 0")), "{}", said.out);
    let said = files.run(&["sweep", "often.toml", "--json"]);
    let near = &said.objects().pop().unwrap()["nearest"];
    assert_eq!((&near["milestone"], &near["times"]), (&"request_done".into(), &2.into()));
    assert_eq!((&near["wanted"], &near["seed"]), (&3.into(), &0.into()));
    let crashed = format!("{BUSY}[expect]\nreached = ['record_torn']\n");
    let crashed = crashed.replace("operations = 30", "operations = 1").replace("'crash', ", "");
    let crash = "[[fault]]\nat = '4s'\ncrash = 'c1'\n";
    files.write("torn.toml", crashed.replace("[phases]", &format!("{crash}[phases]")));
    let said = files.run(&["sweep", "torn.toml", "--seeds", "5..7"]);
    let near = "no seed reached `record_torn`; nearest: of what comes before, `crashed` once";
    assert!(said.out.contains(&format!("vacuous: {near}, with seed 5")), "{said:?}");
}

#[test]
fn a_file_says_which_share_of_its_requests_may_be_unknown() {
    let files = Files::new();
    let text = "title = 'cut off'\n[timing]\nrequest_timeout = '1s'\n[cluster]\nclients = 2\n\
        [[fault]]\nat = '5s'\nisolate = 'c1'\n[workload]\nkind = 'files'\noperations = 30\n\
        think = ['300ms', '400ms']\n";
    files
        .write("silent.toml", text)
        .write("little.toml", format!("{text}[expect]\nunknown = 0.06\n"))
        .write("enough.toml", format!("{text}[expect]\nunknown = 0.6\n"));
    let sweep = |file: &str, seeds: &str| files.run(&["sweep", file, "--seeds", seeds]);
    for (file, share) in [("silent.toml", "0.05"), ("little.toml", "0.06")] {
        let said = sweep(file, "0..10");
        assert_eq!(said.status, 1, "{said:?}");
        let why = format!("are unknown: more than the share of {share}, most of all with seed ");
        let (_, named) = said.out.split_once(&why).unwrap_or_else(|| panic!("{}", said.out));
        let seed: String = named.chars().take_while(char::is_ascii_digit).collect();
        assert!(named.contains(&format!("\n  seedbed run {file} --seed {seed}\n")), "{named}");
        assert!(said.out.starts_with(&format!("{file}: falls short: ")), "{}", said.out);
        assert_eq!(sweep(file, "0..2").status, 0, "too few requests to judge");
    }
    assert_eq!(sweep("enough.toml", "0..10").status, 0);
    let said = files.run(&["sweep", "silent.toml", "--seeds", "0..10", "--json"]);
    let file = &said.objects()[10];
    assert_eq!(file["verdict"], "falls_short");
    assert!(file["reason"].as_str().unwrap().contains("requests are unknown"), "{file}");
}
