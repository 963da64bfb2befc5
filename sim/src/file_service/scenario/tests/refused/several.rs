//! All that is wrong with a file is said at once, and nothing that only follows from it.

use super::*;

fn all_wrong(text: &str) -> Vec<String> {
    let errors = Scenario::parse("x.toml", text).expect_err(text);
    errors.lines().map(|line| line.strip_prefix("x.toml:").expect("the file").to_owned()).collect()
}

#[test]
fn every_error_is_told_in_the_order_of_lines() {
    let text = "title = 't'\n[phases]\nsafty = '1s'\nliveness = 3\n[workload]\nkind = 'filse'\n\
        paths = 0\n[cluster]\nhash = 'x'\nnods = 3\n[[fault]]\nat = 'x'\npause = 'n1'\nfor = 1\n\
        [[fault]]\ncrush = 'n1'\n[network]\nloss = 2\nlatency = ['x', 'y']";
    assert_eq!(
        all_wrong(text),
        [
            "3: phases.safty: unknown key; did you mean `safety`?",
            "4: phases.liveness: expected a duration such as \"250ms\", found `3`",
            "6: workload.kind: unknown kind `filse`, expected `files`, `locked_counter` or `bank`; \
             did you mean `files`?",
            "7: workload.paths: expected a whole number, 1 to 1000000, found `0`",
            "9: cluster.hash: unknown hash `x`, expected `sha1` or `md5`",
            "10: cluster.nods: unknown key; did you mean `nodes`?",
            "12: fault[0].at: expected a duration such as \"250ms\", found `'x'`: \
             unknown unit `x` (ns, us, ms, s, m, h)",
            "14: fault[0].for: expected a duration such as \"250ms\", found `1`",
            "16: fault[1].crush: unknown key; did you mean `crash`?",
            "18: network.loss: expected a probability, 0 to 1 and not finer than 1e-9, found `2`",
            "19: network.latency[0]: expected a duration such as \"250ms\", found `'x'`: \
             unknown unit `x` (ns, us, ms, s, m, h)",
            "19: network.latency[1]: expected a duration such as \"250ms\", found `'y'`: \
             unknown unit `y` (ns, us, ms, s, m, h)",
        ]
    );
}

#[test]
fn no_error_follows_from_another() {
    // Which machines there are, how long the safety phase is, and what membership is, is not known.
    let cases = [
        ("cluster.nods = 5\n[[fault]]\nat = '1s'\ncrash = 'n5'", 1),
        ("cluster = 5\n[[fault]]\nat = '1s'\ncrash = 'n5'", 1),
        ("phases.safety = 5\n[[fault]]\nat = '1h'\ncrash = 'n1'", 1),
        ("cluster.membership = 5\n[[fault]]\nat = '1s'\nleave = 'n1'", 1),
        ("timing.drift_max_ppm = ''\n[[clock]]\nnode = 'n1'\ndrift_ppm = 501", 1),
        ("timing.request_timeout = 5\nphases.liveness = '1s'", 1),
        ("[[fault]]\nwhen = { milestone = 'x' }\ncrash = 'holder'", 1),
        ("[[fault]]\nat = '1s'\nwipes = 'n1'\n[expect]\nblocks = 'decided'", 1),
        ("[[script]]\nclient = 'c1'\nat = '1s'\nwrite = '/a'\ndatum = ''\nanswer = 'done'", 1),
        ("[[fault]]\nat = 5\ncrash = 'n5'", 2),
        ("[chaos]\nkinds = ['crash', 'crush']\nbudget = { wipes = 1 }", 2),
    ];
    for (lines, count) in cases {
        let wrong = all_wrong(&around(lines));
        assert_eq!(wrong.len(), count, "{wrong:#?} of\n{lines}");
    }
}

#[test]
fn what_is_impossible_is_told_of_every_place() {
    let lines = "[expect]\nreached = ['view_active', 'decided', 'crashed']\nnever = ['resumed']";
    let wrong = all_wrong(&around(lines));
    let keys = wrong.iter().map(|line| line.split(": ").nth(1).unwrap());
    assert!(keys.eq(["expect.reached[0]", "expect.reached[2]", "expect.never[0]"]), "{wrong:#?}");
}

#[test]
fn twenty_are_told_and_of_the_others_how_many_there_are() {
    let lines = |count| (0..count).map(|i| format!("qqqq{i} = 1\n")).collect::<String>();
    let wrong = |count| all_wrong(&format!("title = 't'\n{}", lines(count)));
    assert_eq!(wrong(20).len(), 20);
    let all = wrong(21);
    assert_eq!((all.len(), &*all[20]), (21, " 1 more error"));
    let all = wrong(1_500);
    assert_eq!((all.len(), &*all[20]), (21, " 1,480 more errors"));
}
