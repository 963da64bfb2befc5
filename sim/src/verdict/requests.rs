//! Outcomes of users' requests.

use std::fmt;
use std::ops::AddAssign;

use crate::outcome::Outcome;
use crate::text::Thousands;

/// Users' requests by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Requests that were asked.
    pub asked: u64,
    /// Requests answered as done.
    pub done: u64,
    /// Requests answered refused.
    pub refused: u64,
    /// Requests answered unknown.
    pub unknown: u64,
}

impl RequestCounts {
    /// One more request, with the answer that it got, if it got one.
    pub fn add(&mut self, answered: Option<Outcome>) {
        self.asked += 1;
        match answered {
            Some(Outcome::Done) => self.done += 1,
            Some(Outcome::Refused) => self.refused += 1,
            Some(Outcome::Unknown) => self.unknown += 1,
            None => {}
        }
    }

    /// Requests without an answer: the run ended before, or their client crashed.
    pub fn unanswered(&self) -> u64 {
        self.asked - self.done - self.refused - self.unknown
    }
}

impl AddAssign for RequestCounts {
    fn add_assign(&mut self, other: RequestCounts) {
        let RequestCounts { asked, done, refused, unknown } = other;
        self.asked += asked;
        self.done += done;
        self.refused += refused;
        self.unknown += unknown;
    }
}

impl fmt::Display for RequestCounts {
    /// `157 done, 29 refused, 0 unknown`, and how many are unanswered where some are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [done, refused, unknown] = [self.done, self.refused, self.unknown].map(Thousands);
        write!(f, "{done} done, {refused} refused, {unknown} unknown")?;
        match self.unanswered() {
            0 => Ok(()),
            open => write!(f, ", {} unanswered", Thousands(open)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_counted_once_and_those_without_an_answer_are_said() {
        let mut counts = RequestCounts::default();
        let answers = [Outcome::Done, Outcome::Done, Outcome::Refused, Outcome::Unknown];
        answers.into_iter().for_each(|answer| counts.add(Some(answer)));
        assert_eq!(counts.to_string(), "2 done, 1 refused, 1 unknown");
        counts.add(None);
        let mut twice = counts;
        twice += counts;
        assert_eq!(twice.to_string(), "4 done, 2 refused, 2 unknown, 2 unanswered");
    }
}
