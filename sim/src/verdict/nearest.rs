//! How near the runs of a file came to what none of them showed.

use std::fmt;

use crate::milestone::Milestone;
use crate::text::Thousands;
use crate::under_test::UnderTest;

/// The most that one run had of something, and the first seed that had so much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Most {
    /// How often.
    pub times: u64,
    /// The seed; 0 where no run had any.
    pub seed: u64,
}

impl Most {
    /// Takes in a run.
    pub fn add(&mut self, times: u64, seed: u64) {
        if times > self.times {
            *self = Most { times, seed };
        }
    }
}

/// How near the runs of a file came to what none of them showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nearest<S: UnderTest> {
    /// What came up: what was wanted itself, or the last that comes before it in its story.
    pub milestone: Milestone<S>,
    /// In the run that had most of it.
    pub most: Most,
    /// How often it was wanted, if it is what was wanted.
    pub wanted: Option<u64>,
}

impl<S: UnderTest> Nearest<S> {
    /// The nearest to `wanted` occurrences of `milestone`, of which some run had `most`. Where none
    /// had any, the last that some run reached of those before it; `None` if none was.
    pub fn to(
        milestone: Milestone<S>,
        wanted: u64,
        most: Most,
        of: impl Fn(Milestone<S>) -> Most,
    ) -> Option<Nearest<S>> {
        if most.times > 0 {
            return Some(Nearest { milestone, most, wanted: Some(wanted) });
        }
        let before = std::iter::successors(milestone.follows(), |before| before.follows());
        let mut reached = before.map(|before| (before, of(before)));
        let (milestone, most) = reached.find(|(_, most)| most.times > 0)?;
        Some(Nearest { milestone, most, wanted: None })
    }
}

impl<S: UnderTest> fmt::Display for Nearest<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Nearest { milestone, most: Most { times, seed }, wanted } = self;
        let often = match (times, wanted) {
            (times, Some(wanted)) => {
                format!("{} of {} times", Thousands(*times), Thousands(*wanted))
            }
            (1, None) => "once".to_owned(),
            (times, None) => format!("{} times", Thousands(*times)),
        };
        let what = if wanted.is_some() { "at most" } else { "of what comes before," };
        write!(f, "{what} `{milestone}` {often}, with seed {seed}")
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use crate::file_service::Milestone;

    fn counted(counts: &[(Milestone, u64)]) -> impl Fn(Milestone) -> Most {
        move |milestone| {
            let times = counts.iter().find(|(it, _)| *it == milestone).map_or(0, |(_, n)| *n);
            Most { times, seed: 7 }
        }
    }

    #[test]
    fn the_nearest_is_the_milestone_itself_or_the_last_before_it() {
        let near = |counts: &[(Milestone, u64)]| {
            let of = counted(counts);
            let most = of(Milestone::DECIDED);
            Nearest::to(Milestone::DECIDED, 3_000, most, of).map(|near| near.to_string())
        };
        let some = near(&[(Milestone::DECIDED, 1_200), (Milestone::ALL_VOTED, 5)]).unwrap();
        assert_eq!(some, "at most `decided` 1,200 of 3,000 times, with seed 7");
        let before = near(&[(Milestone::TRANSACTION_BEGUN, 5), (Milestone::ALL_READY, 2)]).unwrap();
        assert_eq!(before, "of what comes before, `all_ready` 2 times, with seed 7");
        assert_eq!(near(&[(Milestone::CRASHED, 5)]), None);
    }

    #[test]
    fn the_first_seed_with_most_is_kept() {
        let mut most = Most::default();
        [(0, 1), (2, 5), (2, 6), (1, 7)].into_iter().for_each(|(n, seed)| most.add(n, seed));
        assert_eq!(most, Most { times: 2, seed: 5 });
    }
}
