//! What `run` can show beside the explanation.

use super::{BUSY, Files};

/// A file in which much goes on.
fn busy() -> Files {
    let files = Files::new();
    files.write("busy.toml", BUSY);
    files
}

#[test]
fn a_defect_can_be_switched_on_and_compared() {
    let files = busy();
    let defect = ["run", "busy.toml", "--seed", "3", "--defect", "vote_not_forced"];
    let said = files.run(&defect);
    assert_eq!(said.status, 1, "{said:?}");
    for told in [
        "violation: vote_is_durable_before_it_leaves",
        "  defect    vote_not_forced: ",
        "Where the defect acts: step ",
        "seedbed run busy.toml --seed 3 --defect vote_not_forced",
    ] {
        assert!(said.out.contains(told), "{told}\n{}", said.out);
    }
    let compared = files.run(&[&defect[..], &["--compare"]].concat());
    assert!(compared.out.starts_with("  with it   "), "{}", compared.out);
    assert!(compared.out.contains("\nfrom step "), "{}", compared.out);
    let nothing = files.run(&["run", "busy.toml", "--seed", "3", "--compare"]);
    nothing.refuses("--compare: no defect is on");
    files.run(&["run", "busy.toml", "--defect", "vote_not_force"]).refuses("vote_not_forced");
}

#[test]
fn a_run_that_fails_without_a_defect_is_compared_with_the_nearest_that_passes() {
    let file = "../scenarios/commit/all_participants_in_doubt_wait.toml";
    let files = Files::new();
    files.write("waits.toml", std::fs::read(file).unwrap());
    let compared = files.run(&["run", "waits.toml", "--seed", "0", "--compare"]);
    assert!(compared.out.contains("with the [[fault]] (crash)"), "{compared:?}");
    let said = files.run(&["run", "waits.toml", "--seed", "0", "--json"]).json();
    assert_eq!(said["explained"]["left_out"], "the [[fault]] (crash)");
    assert_eq!(said["explained"]["acts"][0]["is_parting"], true);
    assert_eq!(said["explained"]["waits"].as_array().unwrap().len(), 2);
}

/// What a file expects of the answers is about its own run.
#[test]
fn an_unexpected_answer_is_blamed_on_no_fault() {
    let text = "title = 't'\n[cluster]\n[[script]]\nclient = 'c1'\nat = '1s'\ncreate = '/a'\n\
                data = 'x'\nanswer = { refused = 'exists' }\n[[fault]]\nat = '5s'\npause = 'n3'\n\
                for = '1s'\n";
    let files = Files::new();
    files.write("wrong.toml", text);
    let said = files.run(&["run", "wrong.toml", "--seed", "0", "--json"]).json();
    assert_eq!(said["verdict"], "unexpected");
    assert!(said["explained"]["left_out"].is_null(), "{said}");
    files.run(&["run", "wrong.toml", "--compare"]).refuses("no defect is on, and the run breaks");
}

#[test]
fn everything_is_told_where_it_is_asked_for() {
    let files = busy();
    let run = ["run", "busy.toml", "--seed", "3", "--defect", "vote_not_forced"];
    let short = files.run(&run).out;
    let full = files.run(&[&run[..], &["--full"]].concat()).out;
    assert!(short.lines().count() <= 66 && full.lines().count() > short.lines().count());
    assert!(full.contains(" in full"), "{full}");
}

#[test]
fn a_run_that_passes_can_be_drawn() {
    let files = busy();
    let plain = files.run(&["run", "busy.toml", "--seed", "3"]).out;
    assert!(!plain.contains("The run: "), "{plain}");
    let drawn = files.run(&["run", "busy.toml", "--seed", "3", "--chart"]);
    assert_eq!(drawn.status, 0, "{drawn:?}");
    assert!(drawn.out.contains("The run: "), "{}", drawn.out);
    assert!(drawn.out.contains("  left   step        time  "), "{}", drawn.out);
}

#[test]
fn the_state_after_a_step_is_shown() {
    let files = busy();
    let at = |more: &[&str]| files.run(&[&["run", "busy.toml", "--seed", "3"], more].concat());
    let said = at(&["--at", "120", "--show", "n1,c1"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.starts_with("After step 120 ("), "{}", said.out);
    let of = |name: &str| said.out.contains(&format!("\n{name} is "));
    assert!(of("n1") && of("c1") && !of("n2"), "{}", said.out);
    at(&["--at", "99999999"]).refuses("--at 99999999: the run has ");
    at(&["--at", "5", "--show", "n77"]).refuses("--show n77: the scenario has no such machine");
    at(&["--at", "5", "--show", "x"]).refuses("invalid value 'x'");
    at(&["--show", "n1"]).refuses("--at");
}

#[test]
fn json_says_what_the_report_knows() {
    let files = busy();
    let run = ["run", "busy.toml", "--seed", "3", "--json"];
    let passed = files.run(&run).json();
    assert!(passed.get("explained").is_none(), "{passed}");
    let failed = files.run(&[&run[..], &["--defect", "vote_not_forced"]].concat()).json();
    let explained = &failed["explained"];
    assert_eq!(explained["facts"].as_array().unwrap().len(), 2, "{explained}");
    assert_eq!(explained["facts"][1]["step"], failed["step"]);
    let steps = explained["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["is_act"] == true), "{explained}");
    assert!(explained["acts"][0]["without"].to_string().contains("forced"), "{explained}");
}
