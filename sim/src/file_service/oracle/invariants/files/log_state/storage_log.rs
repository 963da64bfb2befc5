//! What a log says of an owner: its admission, its claims, its files, what it knows of requests.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    Admission, Answer, Arcs, Decided, Epoch, File, Handed, Path, Record, Refusal,
};

use super::difference::{Lowest, differs, forgets_otherwise};
use crate::file_service::oracle::Evidence;
use crate::file_service::trace;

/// What a log says of an owner.
#[derive(Clone, Debug, Default)]
pub(super) struct StorageLog {
    admission: Option<Admission>,
    epoch: Epoch,
    given_up: Epoch,
    claims: BTreeMap<Epoch, Arcs>,
    pub(super) files: BTreeMap<Path, File>,
    answers: BTreeMap<RequestId, Answered>,
    lowest: BTreeMap<NodeId, Lowest>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answered {
    Done(Answer),
    Refused(Refusal),
}

impl StorageLog {
    pub(super) fn take_standing(&mut self, record: &Record) {
        match record {
            Record::Born { admission } => self.admission = Some(*admission),
            Record::Entered { epoch, complete } => {
                self.epoch = *epoch;
                self.claims.insert(*epoch, complete.clone());
            }
            Record::Complete { epoch, arcs } | Record::Reset { epoch, arcs } => {
                let claim = self.claims.entry(*epoch).or_default();
                *claim = claim.union(arcs);
            }
            Record::GaveUp { epoch, .. } => {
                self.given_up = *epoch;
                self.claims.retain(|of, _| of >= epoch);
            }
            _ => unreachable!("the log passes on what is of its part"),
        }
    }

    pub(super) fn take_answer(&mut self, record: &Record) {
        match record {
            Record::Applied { request, answer, .. }
            | Record::Decided(Decided { request, answer, .. })
            | Record::Answered { request, answer } => {
                self.answer(*request, Answered::Done(answer.clone()));
            }
            Record::Declined { request, refusal } => {
                self.answer(*request, Answered::Refused(*refusal));
            }
            _ => unreachable!("the log passes on what is of its part"),
        }
    }

    pub(super) fn take_handed(&mut self, handed: &Handed) {
        match handed {
            Handed::Done(request, answer) => {
                self.answer(*request, Answered::Done(answer.clone()));
            }
            Handed::Declined(request, _) if self.answers.contains_key(request) => {}
            Handed::Declined(request, refusal) => {
                self.answer(*request, Answered::Refused(*refusal));
            }
            Handed::Forgotten(client, life, lowest) => self.forget_below(*client, (*life, *lowest)),
        }
    }

    pub(super) fn store(&mut self, changes: &[(Path, File)]) {
        self.files.extend(changes.iter().cloned());
    }

    pub(super) fn forget_below(&mut self, client: NodeId, lowest: Lowest) {
        let known = self.lowest.entry(client).or_default();
        if lowest <= *known {
            return;
        }
        *known = lowest;
        self.answers.retain(|of, _| of.client != client || (of.incarnation, of.number) >= lowest);
    }

    fn answer(&mut self, request: RequestId, answered: Answered) {
        if !self.is_forgotten(request) {
            self.answers.insert(request, answered);
        }
    }

    fn is_forgotten(&self, request: RequestId) -> bool {
        let lowest = self.lowest.get(&request.client);
        lowest.is_some_and(|lowest| (request.incarnation, request.number) < *lowest)
    }

    /// What `is`, which a checkpoint begins, says otherwise.
    pub(super) fn difference(
        &self,
        is: &StorageLog,
        told: &BTreeMap<NodeId, Lowest>,
    ) -> Option<Evidence> {
        self.standing_differs(is)
            .or_else(|| {
                let path = differs(&self.files, &is.files)?;
                let [has, had] = [is, self].map(|log| in_words(log.files.get(path)));
                let is = format!("has {path} as {has}, and the log had it as {had}");
                Some(Evidence::at(0, is).about(path))
            })
            .or_else(|| forgets_otherwise(&self.lowest, &is.lowest, told))
            .or_else(|| self.answers_differ(is))
    }

    fn standing_differs(&self, is: &StorageLog) -> Option<Evidence> {
        let number = |log: &StorageLog| (log.admission, log.epoch, log.given_up);
        if number(self) != number(is) {
            return Some(Evidence::at(0, "has another number or is in another epoch"));
        }
        let epoch = differs(&self.claims, &is.claims)?;
        Some(Evidence::at(0, format!("claims otherwise in {epoch}")).about(*epoch))
    }

    /// What the checkpoint says is not waited for it need not know.
    fn answers_differ(&self, is: &StorageLog) -> Option<Evidence> {
        let mut left = self.answers.iter().filter(|(request, _)| !is.is_forgotten(**request));
        let lost = left.find(|(request, answered)| is.answers.get(request) != Some(answered));
        if let Some((request, answered)) = lost {
            let what = match answered {
                Answered::Done(_) => "the answer to",
                Answered::Refused(_) => "the refusal of",
            };
            return Some(
                Evidence::at(0, format!("has forgotten {what} {request}")).about(*request),
            );
        }
        let request = is.answers.keys().find(|request| !self.answers.contains_key(request))?;
        Some(Evidence::at(0, format!("has an answer to {request}")).about(*request))
    }
}

/// What is known of a file.
fn in_words(file: Option<&File>) -> String {
    file.map_or_else(|| "nothing".to_owned(), trace::file)
}
