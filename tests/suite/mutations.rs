//! Each invariant that no scenario file breaks is broken by a mistake made in a healthy run.

use crate::mutation;

#[test]
fn without_a_mistake_a_run_breaks_nothing() {
    for mutation in mutation::all() {
        assert_eq!(mutation.unaltered(), Ok(()), "{}: {}", mutation.violates, mutation.mistake);
    }
}

#[test]
fn each_mistake_breaks_the_invariant_that_it_is_listed_under() {
    let mut unlike: Vec<String> = Vec::new();
    for mutation in mutation::all() {
        let (name, mistake) = (&mutation.violates, &mutation.mistake);
        match mutation.altered() {
            Err(violation) if violation.invariant.name() == *name => {}
            Err(violation) => unlike.push(format!("{name}: {mistake}: {violation:#?}")),
            Ok(()) => unlike.push(format!("{name}: no invariant sees that {mistake}")),
        }
    }
    assert!(unlike.is_empty(), "{}", unlike.join("\n"));
}
