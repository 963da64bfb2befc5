//! What an owner remembers of requests.

use std::collections::BTreeMap;

use crate::machine::{Incarnation, NodeId, RequestId};
use crate::proto::{Answer, Handed, Refusal};

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::proto) enum Answered {
    /// It took effect, with this answer.
    Done(Answer),
    /// This owner has promised never to vote for it.
    Declined(Refusal),
}

/// What clients have been, or would be, told of their requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Answers {
    answers: BTreeMap<RequestId, Answered>,
    /// By client: its newest life, and the lowest request number of that life that it waits for.
    lowest: BTreeMap<NodeId, (Incarnation, u32)>,
}

impl Answers {
    /// Remembers `answered`, unless its client does not wait for it.
    pub fn insert(&mut self, request: RequestId, answered: Answered) {
        if !self.is_forgotten(request) {
            self.answers.insert(request, answered);
        }
    }

    /// Remembers `answered` unless something is known of the request already.
    pub fn insert_if_new(&mut self, request: RequestId, answered: Answered) {
        if !self.answers.contains_key(&request) {
            self.insert(request, answered);
        }
    }

    /// Everything known of requests, for a new owner.
    pub fn hand_over(&self) -> impl Iterator<Item = Handed> + '_ {
        let marks = self.marks().map(|(client, life, low)| Handed::Forgotten(client, life, low));
        let answers = self.iter().map(|(request, answered)| match answered {
            Answered::Done(answer) => Handed::Done(*request, answer.clone()),
            Answered::Declined(refusal) => Handed::Declined(*request, *refusal),
        });
        marks.chain(answers)
    }

    /// What is known of `request`; one that its client does not wait for is refused for good.
    pub fn get(&self, request: RequestId) -> Option<Answered> {
        match self.is_forgotten(request) {
            true => Some(Answered::Declined(Refusal::Forgotten)),
            false => self.answers.get(&request).cloned(),
        }
    }

    /// Learns that the client of `request`, in that life, waits for no number below `lowest`.
    pub fn forget_below(&mut self, client: NodeId, incarnation: Incarnation, lowest: u32) {
        let known = self.lowest.entry(client).or_default();
        if (incarnation, lowest) <= *known {
            return;
        }
        *known = (incarnation, lowest);
        let first = RequestId { client, incarnation: Incarnation(0), number: 0 };
        let end = RequestId { client, incarnation, number: lowest };
        while let Some((&old, _)) = self.answers.range(first..end).next() {
            self.answers.remove(&old);
        }
    }

    /// All answers, for a checkpoint.
    pub fn iter(&self) -> impl Iterator<Item = (&RequestId, &Answered)> {
        self.answers.iter()
    }

    /// The requests whose answers are remembered.
    pub fn requests(&self) -> impl Iterator<Item = RequestId> + '_ {
        self.answers.keys().copied()
    }

    /// All marks, for a checkpoint.
    pub fn marks(&self) -> impl Iterator<Item = (NodeId, Incarnation, u32)> {
        self.lowest.iter().map(|(&client, &(incarnation, lowest))| (client, incarnation, lowest))
    }

    fn is_forgotten(&self, request: RequestId) -> bool {
        self.lowest
            .get(&request.client)
            .is_some_and(|&mark| (request.incarnation, request.number) < mark)
    }
}
