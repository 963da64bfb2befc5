//! Where a defect acts.

use super::super::parting::parting;
use super::*;
use crate::name::Name as _;
use crate::report::facts::Facts;

fn scenario(defect: &str, rest: &str) -> Scenario {
    let text = format!(
        "title = 'x'\n[cluster]\nnodes = 3\nclients = 2\nreplicas = 1\n\
         defects = ['{defect}']\n{rest}"
    );
    Scenario::parse("a file.toml", &text).unwrap()
}

/// c1 claims /a, then writes it; its owner restarts in between.
fn restarts(defect: &str) -> Scenario {
    scenario(
        defect,
        "[[script]]\nclient = 'c1'\nat = '1s'\nacquire = '/a'\n\
         [[fault]]\nat = '2s'\ncrash = 'n3'\nrestart_after = '500ms'\n\
         [[script]]\nclient = 'c2'\nat = '4s'\nwrite = '/a'\ndata = '1'\n",
    )
}

fn shown(scenario: &Scenario, layout: Layout) -> String {
    let watched = Watched::of(scenario, 0);
    let lines = super::super::explain(scenario, &watched, layout);
    lines.iter().map(|line| format!("{}\n", line.text)).collect()
}

#[test]
fn a_defect_acts_where_the_same_machine_would_do_something_else() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/negative/vote_not_forced.toml");
    let scenario = Scenario::load(std::path::Path::new(file)).unwrap();
    let watched = Watched::of(&scenario, scenario.seeds.start);
    let [act] = &watched.acts[..] else { panic!("{:?}", watched.acts.len()) };
    let step = watched.history.step(act.step).unwrap();
    let forced = |step: &Step| {
        step.facts.iter().any(|fact| matches!(fact, Fact::Appended { forced: true, .. }))
    };
    assert!(!forced(step) && forced(act.without.as_ref().unwrap()));
    let shown = shown(&scenario, Layout::default());
    assert!(shown.contains("Where the defect acts: step"), "{shown}");
    assert!(shown.contains("! a defect acts"), "{shown}");
}

#[test]
fn an_act_is_told_with_what_its_machine_held_and_what_it_should_have_waited_for() {
    let file = "/../scenarios/negative/refusal_told_too_early.toml";
    let file = format!("{}{file}", env!("CARGO_MANIFEST_DIR"));
    let scenario = Scenario::load(std::path::Path::new(&file)).unwrap();
    let watched = Watched::of(&scenario, scenario.seeds.start);
    let [act] = &watched.acts[..] else { panic!("{} acts", watched.acts.len()) };
    let places: Vec<Option<NodeId>> = act.later.iter().map(Step::place).collect();
    let way = [3, 1, 1, 3].map(|node| Some(n(node)));
    assert_eq!(places, way, "n3 forces the refusal, then n1 does, then n3 hears of it");
    let shown = shown(&scenario, Layout::default());
    for line in [
        "  before    n3: /a is pinned for n3.1/1; stored /a v1 \"first\"",
        "  later     the run without it sends that at 2.037228s",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn a_defect_that_acts_in_memory_only_is_told_by_what_the_machine_holds() {
    let scenario = restarts("fence_kept_in_memory");
    let mut history = History::default();
    crate::run::run(&scenario, 0, &mut history);
    let parting =
        parting(&scenario, &scenario.mended(), 0, &history).expect("the owner has lost its fence");
    let start = history.steps().rfind(|step| matches!(step.event, Event::Start { .. }));
    assert_eq!(parting.step, start.unwrap().index);
    let [with, without] = &parting.states;
    assert!(without.iter().any(|line| line.contains("stored /a v0 no file fenced t1")));
    assert!(with.iter().any(|line| line == "stored /a v0 no file"), "{with:?}");
}

#[test]
fn a_run_that_a_defect_leaves_alone_parts_nowhere() {
    let scenario = restarts("token_restarts");
    let mut history = History::default();
    crate::run::run(&scenario, 0, &mut history);
    assert!(parting(&scenario, &scenario.mended(), 0, &history).is_none());
    let watched = Watched::of(&scenario, 0);
    assert!(watched.acts.is_empty());
    let why = compare(&scenario, &watched, Layout::default()).unwrap_err();
    assert!(why.contains("the same without the defect"), "{why}");
    let why = compare(&scenario.mended(), &watched, Layout::default()).unwrap_err();
    assert!(why.contains("no defect is on"), "{why}");
}

#[test]
fn two_runs_stand_side_by_side_from_where_they_part() {
    let scenario = restarts("fence_kept_in_memory");
    let watched = Watched::of(&scenario, 0);
    let lines = compare(&scenario, &watched, Layout::default()).unwrap();
    let at = lines.iter().position(|line| line.text.starts_with("from step ")).unwrap();
    assert!(lines[at].text.ends_with("| without"));
    assert!(lines[at + 1].text.contains("n3 starts"), "{}", lines[at + 1].text);
    let told = lines[..at].iter().map(|line| line.text.trim()).collect::<Vec<_>>().join("\n");
    assert!(
        told.contains("without   afterwards it holds stored /a v0 no file fenced t1"),
        "{told}"
    );
    assert!(lines.iter().all(|line| line.text.chars().count() <= Layout::WIDTH));
}

#[test]
fn the_settings_are_those_that_the_seed_has_drawn() {
    let text = "title = 'x'\n[cluster]\nnodes = 3\nclients = 2\nreplicas = 3\n\
                defects = ['vote_not_forced']\n\
                [workload]\nkind = 'files'\noperations = 40\n[swarm]\nnodes = [7, 7]\n";
    let scenario = Scenario::parse("a file.toml", text).unwrap();
    let shown = shown(&scenario, Layout::default());
    assert!(
        shown.contains("settings  7 storage nodes at first, each file on 3 of them"),
        "{shown}"
    );
}

#[test]
fn a_difference_is_said_even_where_it_is_of_count_or_order() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/negative");
    for file in std::fs::read_dir(file).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|end| end == "toml") {
            let scenario = Scenario::load(&file).unwrap();
            let watched = Watched::of(&scenario, scenario.seeds.start);
            for act in explained(&scenario, &watched).iter().flat_map(|it| &it.acts) {
                let said = act.with.is_some() || act.without.is_some();
                assert!(said && act.with != act.without, "{}, step {}", file.display(), act.step);
            }
        }
    }
}

#[test]
fn where_a_story_has_no_steps_nothing_is_tried() {
    let scenario = restarts("fence_kept_in_memory");
    let mut history = History::default();
    crate::run::run(&scenario, 0, &mut history);
    let none =
        compose(&Facts::of_breach(&violation(400_000, 400_001, txn(1)).breach), &history, &[]);
    assert!(acts::acts(&scenario, 0, &history, &none).is_empty());
}

#[test]
fn the_width_of_the_terminal_is_kept_within_bounds() {
    let widths = [(20, 80), (100, 100), (500, 160)];
    for (columns, width) in widths {
        assert_eq!(Layout::of_terminal(columns).width, width);
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/negative/token_restarts.toml");
    let scenario = Scenario::load(std::path::Path::new(file)).unwrap();
    for columns in [80, 100, 160] {
        let layout = Layout::of_terminal(columns);
        let replay_line = "seedbed run";
        for line in shown(&scenario, layout).lines().filter(|it| !it.starts_with(replay_line)) {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
        let full = shown(&scenario, Layout { is_full: true, ..layout });
        assert!(full.contains(" in full"), "{full}");
    }
}

#[test]
fn every_invariant_says_what_its_breach_leads_to() {
    for invariant in FileInvariant::ALL {
        let why = InvariantName::System(*invariant).why();
        assert!(why.len() > 20 && !why.ends_with('.'), "{}: {why}", invariant.name());
    }
}
