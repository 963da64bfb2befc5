//! What each client got, beside its equals.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;

use crate::text::Thousands;

/// What a client got done in one run, and what its equals did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The client.
    pub client: NodeId,
    /// Requests that it got done.
    pub done: u64,
    /// Median of the requests that the other clients got done, the lower one of two.
    pub median: u64,
}

impl Share {
    /// The share of each of `clients`, which are equals, with what each got done. A client without
    /// an equal has none.
    pub fn of_equals(clients: &[(NodeId, u64)]) -> Vec<Share> {
        let share = |&(client, done): &(NodeId, u64)| {
            let others = clients.iter().filter(|(other, _)| *other != client);
            let mut others: Vec<u64> = others.map(|(_, done)| *done).collect();
            others.sort_unstable();
            let median = *others.get(others.len().checked_sub(1)? / 2)?;
            Some(Share { client, done, median })
        };
        clients.iter().filter_map(share).collect()
    }
}

/// The shares of all runs of a file.
#[derive(Clone, Debug, Default)]
pub struct Shares(BTreeMap<NodeId, Sum>);

/// What a client got done in all runs, and what its equals did.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    done: u64,
    median: u64,
    /// By how much the client fell behind its equals in the run in which it did most, and the seed
    /// of that run.
    worst: Option<(u64, u64)>,
}

impl Shares {
    /// A client is treated unfairly if it gets less than this part of what its equals get. Of the
    /// clients in the committed files the one that gets least has 0.93 of it; one whose clock is a
    /// day ahead of the others got one part in thirty.
    const PART: u64 = 8;

    /// Requests that the equals must have got done: what is less may be chance.
    const LEAST: u64 = 100;

    /// Takes in the shares of the run of `seed`.
    pub fn add(&mut self, seed: u64, shares: &[Share]) {
        for share in shares {
            let sum = self.0.entry(share.client).or_default();
            sum.done += share.done;
            sum.median += share.median;
            let behind = share.median.saturating_sub(share.done);
            if sum.worst.is_none_or(|(most, _)| behind > most) {
                sum.worst = Some((behind, seed));
            }
        }
    }

    /// The client that gets least beside its equals, with what it and what they got done.
    pub fn least(&self) -> Option<(NodeId, u64, u64)> {
        let judged = self.0.iter().filter(|(_, sum)| sum.median >= Shares::LEAST);
        let all = judged.map(|(client, sum)| (*client, sum.done, sum.median));
        all.min_by(|(_, a, of_a), (_, b, of_b)| {
            (u128::from(*a) * u128::from(*of_b)).cmp(&(u128::from(*b) * u128::from(*of_a)))
        })
    }

    /// That a client is treated unfairly, in words, and the seed with which it fell furthest
    /// behind.
    pub fn unfair(&self) -> Option<(String, u64)> {
        let (client, done, median) = self.least()?;
        let (_, seed) = self.0.get(&client)?.worst?;
        let (part, is_unfair) = (Shares::PART, done.saturating_mul(Shares::PART) < median);
        let (done, median) = (Thousands(done), Thousands(median));
        is_unfair.then(|| {
            let equals = format!("its equals {median}: below 1/{part}");
            (format!("{client} got {done} requests done and {equals}"), seed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn c(number: u16) -> NodeId {
        NodeId::client(number)
    }

    #[test]
    fn a_client_that_gets_a_small_part_of_what_its_equals_get_is_named() {
        let mut shares = Shares::default();
        let run = Share::of_equals(&[(c(1), 4), (c(2), 40), (c(3), 50), (c(4), 60)]);
        assert_eq!(run[0], Share { client: c(1), done: 4, median: 50 });
        shares.add(7, &run);
        assert_eq!(shares.unfair(), None, "too few requests to judge");
        shares.add(8, &Share::of_equals(&[(c(1), 3), (c(2), 40), (c(3), 50), (c(4), 60)]));
        shares.add(9, &run);
        let said = "c1 got 11 requests done and its equals 150: below 1/8";
        assert_eq!(shares.unfair(), Some((said.to_owned(), 8)));
        shares.add(10, &Share::of_equals(&[(c(1), 21), (c(2), 20)]));
        assert_eq!((shares.unfair(), shares.least()), (None, Some((c(1), 32, 170))));
    }

    #[test]
    fn a_client_without_equals_is_not_judged() {
        assert!(Share::of_equals(&[(c(1), 0)]).is_empty());
        assert_eq!(Shares::default().least(), None);
    }
}
