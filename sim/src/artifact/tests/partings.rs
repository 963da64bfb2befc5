//! Where a replay and what was recorded part.

use super::*;

/// The artifact with other steps, and what a replay says of it.
fn parting(change: impl FnOnce(&mut Artifact)) -> Parting {
    let mut artifact = read(&written(u64::MAX));
    change(&mut artifact);
    match replayed(&artifact, u64::MAX).1 {
        Some(Difference::Steps(parting)) => parting,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_step_with_another_digest_is_where_they_part() {
    let parting = parting(|artifact| artifact.steps[6].digest = Some(Hex(1)));
    assert_eq!((parting.same, parting.differs), (6, 7));
    assert!(parting.is_of_what_followed(), "{parting:?}");
    assert!(parting.followed[0].starts_with("     7 "), "{:?}", parting.followed);
}

#[test]
fn another_event_is_told_beside_what_was_recorded() {
    let parting = parting(|artifact| {
        let step = &mut artifact.steps[6];
        (step.digest, step.event) = (Some(Hex(1)), Some("crashes".to_owned()));
    });
    assert!(parting.recorded.ends_with(" crashes") && !parting.is_of_what_followed());
}

#[test]
fn where_steps_were_not_kept_it_is_said_between_which_they_part() {
    let parting = parting(|artifact| {
        artifact.steps.retain(|step| step.step.is_multiple_of(5));
        artifact.steps[1].digest = Some(Hex(1));
    });
    assert_eq!((parting.same, parting.differs), (5, 10));
}

#[test]
fn steps_that_are_thinned_out_are_the_same_if_the_rest_is() {
    let mut artifact = read(&written(u64::MAX));
    let steps = artifact.header.ending.steps;
    artifact.steps.retain(|step| step.step.is_multiple_of(5) || step.step == steps);
    assert_eq!(replayed(&artifact, u64::MAX).1, None);
}

#[test]
fn a_run_that_goes_on_parts_where_the_recorded_one_has_ended() {
    let parting = parting(|artifact| artifact.steps.truncate(9));
    assert_eq!((parting.same, parting.differs), (9, 10));
    assert!(parting.recorded.starts_with("the run has ended: unexpected: "), "{parting:?}");
}

#[test]
fn a_run_that_ends_earlier_parts_where_it_ends() {
    let mut steps = 0;
    let parting = parting(|artifact| {
        steps = artifact.header.ending.steps;
        let more = RecordedStep { step: steps + 1, ..artifact.steps[0].clone() };
        artifact.steps.push(more);
    });
    assert_eq!((parting.same, parting.differs), (steps, steps + 1));
    assert!(parting.now.starts_with("the run has ended: unexpected: "), "{parting:?}");
}

#[test]
fn a_panic_that_is_new_or_gone_is_where_they_part() {
    let (healthy, panicked) = (read(&written(u64::MAX)), read(&written(5)));
    for (artifact, panics_at) in [(&healthy, 5), (&panicked, u64::MAX)] {
        let Some(Difference::Steps(parting)) = replayed(artifact, panics_at).1 else {
            panic!("they part");
        };
        assert_eq!((parting.same, parting.differs), (4, 5));
        let (with, without) = match panics_at {
            5 => (&parting.now, &parting.recorded),
            _ => (&parting.recorded, &parting.now),
        };
        assert_eq!(*with, format!("{without}; in this step the run has panicked"));
    }
    assert_eq!(replayed(&panicked, 4).1.map(differs), Some(4));
    assert_eq!(replayed(&panicked, 6).1.map(differs), Some(5));
}

fn differs(difference: Difference) -> u64 {
    match difference {
        Difference::Steps(parting) => parting.differs,
        Difference::Verdict => panic!("the steps differ"),
    }
}

#[test]
fn another_verdict_after_the_same_steps_is_a_difference() {
    let mut artifact = read(&written(u64::MAX));
    artifact.header.ending.verdict = "blocked".to_owned();
    assert_eq!(replayed(&artifact, u64::MAX).1, Some(Difference::Verdict));
    artifact.header.ending.verdict = "unexpected".to_owned();
    artifact.header.ending.why = Some("in other words".to_owned());
    assert_eq!(replayed(&artifact, u64::MAX).1, None);
}
