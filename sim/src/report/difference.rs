//! What a defect does in a step, in words.

use std::sync::Arc;

use super::act::Act;
use super::rows::Teller;
use crate::subject::{self, Subjects};
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::world::Step;

/// How two steps differ that stand in one place of two runs.
#[derive(Debug)]
pub(super) struct Difference {
    /// Their event, where it is the same.
    pub event: Option<String>,
    /// What is so with the defects only, and what without them only.
    pub only: [Option<String>; 2],
}

/// The most steps that are told of those until a run without the defects sends something.
const STEPS_UNTIL: usize = 4;

/// When the run without the defects sends what the defect sends in the step of `act`, and the last
/// of what led to that.
pub(super) fn later<S: UnderTest>(
    config: &Arc<S::Config>,
    act: &Act<S>,
    named: &Subjects<S::Subject>,
) -> Option<String> {
    let known = S::known(config, named);
    let teller = Teller::of(known.as_ref().map_or(Detail::Brief, Detail::Report));
    let last = act.later.last()?;
    let about = subject::of_step(last);
    let told = act.later.iter().skip(act.later.len().saturating_sub(STEPS_UNTIL));
    let after: Vec<String> = told.map(|step| teller.told_to_it(step, &about)).collect();
    Some(format!("the run without it sends that at {}, after: {}", last.at, after.join(", then ")))
}

/// What a defect does in `with`, the step of `act`, to a reader that knows what `named` names.
pub(super) fn difference<S: UnderTest>(
    config: &Arc<S::Config>,
    with: &Step<S>,
    act: &Act<S>,
    named: &Subjects<S::Subject>,
) -> Difference {
    let known = S::known(config, named);
    let detail = known.as_ref().map_or(Detail::Brief, Detail::Report);
    let said = |step: &Step<S>, detail| Teller::of(detail).everything(step);
    let Some(without) = &act.without else {
        let only = [said(with, detail).join("; "), "the run is over".to_owned()];
        return Difference { event: None, only: only.map(Some) };
    };
    let mut both = [with, without].map(|step| said(step, detail));
    let event = both[0][0].clone();
    if both[0] == both[1] {
        both = [with, without].map(|step| said(step, Detail::Whole));
    }
    if both[0] == both[1] {
        return Difference { event: Some(event), only: only(&act.states, "afterwards it holds ") };
    }
    if with.at != without.at {
        let [of_with, of_without] = both.map(|words| words.join("; "));
        let only = match with.at < without.at {
            true => [format!("{}, {of_with}", with.at), format!("nothing at {}", with.at)],
            false => {
                [format!("nothing at {}", without.at), format!("{}, {of_without}", without.at)]
            }
        };
        return Difference { event: None, only: only.map(Some) };
    }
    if both[0][0] != both[1][0] {
        return Difference { event: None, only: both.map(|words| Some(words.join("; "))) };
    }
    Difference { event: Some(event), only: only(&both, "") }
}

/// What stands in one of two lists and not in the other, as often as it does; where both say the
/// same in another order, all of it.
fn only(both: &[Vec<String>; 2], head: &str) -> [Option<String>; 2] {
    let only = |these: &[String], those: &[String]| {
        let mut left: Vec<&String> = those.iter().collect();
        let is_only = |it: &&String| match left.iter().position(|other| other == it) {
            Some(place) => {
                left.remove(place);
                false
            }
            None => true,
        };
        let only: Vec<&str> = these.iter().filter(is_only).map(String::as_str).collect();
        only.join("; ")
    };
    let [these, those] = both;
    let mut found = [only(these, those), only(those, these)];
    if found.iter().all(String::is_empty) {
        found = [these.join("; "), those.join("; ")];
    }
    found.map(|text| (!text.is_empty()).then(|| format!("{head}{text}")))
}
