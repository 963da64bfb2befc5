//! What the log of the control node says: of locks, and of views and admissions.

use std::collections::{BTreeMap, BTreeSet};

use seedbed::machine::{Incarnation, NodeId, RequestId, Span};
use seedbed::proto::{
    Admission, Config, Epoch, Lost, Member, Path, Record, Refusal, Results, Token, TxnId, View,
    Wanted,
};

use super::difference::{Lowest, differs, forgets_otherwise};
use crate::file_service::oracle::Evidence;

/// What a log says of locks.
#[derive(Clone, Debug, Default)]
pub(super) struct LockLog {
    locks: BTreeMap<Path, Lock>,
    last_token: Token,
    over: BTreeMap<RequestId, Over>,
    lowest: BTreeMap<NodeId, Lowest>,
}

/// How a request for a lock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Over {
    /// It has held the lock.
    Held,
    /// It was refused, because the lock was held or the queue full.
    Refused,
    /// It was refused for this reason.
    Declined(Refusal),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Lock {
    holder: Option<(RequestId, Token)>,
    queue: Vec<RequestId>,
}

impl LockLog {
    pub(super) fn take(&mut self, record: &Record) {
        match record {
            Record::Queued { path, request } => {
                self.locks.entry(path.clone()).or_default().queue.push(*request);
            }
            Record::Granted { path, request, token } => {
                let lock = self.locks.entry(path.clone()).or_default();
                lock.queue.retain(|waiting| waiting != request);
                lock.holder = Some((*request, *token));
                self.last_token = self.last_token.max(*token);
            }
            Record::Left { path, request } => self.take_left(path, *request),
            Record::LockOver { request, refused: true } => self.end(*request, Over::Refused),
            Record::LockOver { request, refused: false } => self.end(*request, Over::Held),
            Record::Declined { request, refusal } => self.end(*request, Over::Declined(*refusal)),
            Record::LastToken { token } => self.last_token = self.last_token.max(*token),
            _ => unreachable!("the log passes on what is of its part"),
        }
    }

    /// A request leaves the queue with nothing, or the lock, or never got there.
    fn take_left(&mut self, path: &Path, request: RequestId) {
        let lock = self.locks.entry(path.clone()).or_default();
        let place = lock.queue.iter().position(|waiting| *waiting == request);
        let has_held = lock.holder.take_if(|(holder, _)| *holder == request).is_some();
        match place {
            Some(place) => _ = lock.queue.remove(place),
            None => self.end(request, if has_held { Over::Held } else { Over::Refused }),
        }
        if self.locks.get(path) == Some(&Lock::default()) {
            self.locks.remove(path);
        }
    }

    fn end(&mut self, request: RequestId, how: Over) {
        self.forget_below(request.client, (request.incarnation, 0));
        if !self.is_forgotten(request) {
            self.over.insert(request, how);
        }
    }

    pub(super) fn forget_below(&mut self, client: NodeId, lowest: Lowest) {
        let known = self.lowest.entry(client).or_default();
        if lowest <= *known {
            return;
        }
        *known = lowest;
        self.over.retain(|of, _| of.client != client || (of.incarnation, of.number) >= lowest);
    }

    fn is_forgotten(&self, request: RequestId) -> bool {
        let lowest = self.lowest.get(&request.client);
        lowest.is_some_and(|lowest| (request.incarnation, request.number) < *lowest)
    }

    /// What `is`, which a checkpoint begins, says otherwise.
    pub(super) fn difference(
        &self,
        is: &LockLog,
        told: &BTreeMap<NodeId, Lowest>,
    ) -> Option<Evidence> {
        if self.last_token != is.last_token {
            let is = format!("does not know that {} was granted last", self.last_token);
            return Some(Evidence::at(0, is));
        }
        if let Some(path) = differs(&self.locks, &is.locks) {
            let is = format!("has another holder or queue of {path}");
            return Some(Evidence::at(0, is).about(path));
        }
        let lowest = forgets_otherwise(&self.lowest, &is.lowest, told);
        lowest.or_else(|| {
            let left = self.over.iter().filter(|(request, _)| !is.is_forgotten(**request));
            let left: BTreeMap<RequestId, Over> = left.map(|(of, how)| (*of, *how)).collect();
            let request = differs(&left, &is.over)?;
            let is = format!("does not say the same of how {request} ended");
            Some(Evidence::at(0, is).about(*request))
        })
    }
}

/// What a log says of views and admissions.
#[derive(Clone, Debug, Default)]
pub(super) struct ViewLog {
    admissions: BTreeMap<NodeId, (Admission, Incarnation)>,
    reports: BTreeMap<Member, (Epoch, BTreeMap<TxnId, Results>)>,
    lost: BTreeMap<Member, Lost>,
    wanted: Option<Wanted>,
    views: BTreeMap<Epoch, View>,
    active: Epoch,
    settled: Epoch,
    given_up: BTreeSet<Member>,
    longest_lease: Span,
}

impl ViewLog {
    pub(super) fn take(&mut self, record: &Record) {
        match record {
            Record::Admitted { member, incarnation } => {
                let given = (member.admission, *incarnation);
                if let Some((admission, _)) = self.admissions.insert(member.node, given) {
                    self.lose(Member { node: member.node, admission });
                }
            }
            Record::Recorded { member, entered, open } => {
                let open = open.iter().map(|open| (open.txn, open.results.clone())).collect();
                self.reports.insert(*member, (*entered, open));
            }
            Record::Lost { lost } => {
                self.lost.insert(lost.member, *lost);
            }
            Record::Wanted { wanted } => self.wanted = Some(wanted.clone()),
            Record::Announced { view } => {
                self.views.insert(view.epoch, view.clone());
            }
            Record::Activated { epoch } => {
                self.active = *epoch;
                let lease = self.views.get(epoch).map(|view| view.lock_lease);
                self.longest_lease = self.longest_lease.max(lease.unwrap_or_default());
            }
            Record::Converged { epoch } => {
                self.settled = *epoch;
                self.views.retain(|of, _| of >= epoch);
            }
            Record::LossAccepted { members } => {
                members.iter().for_each(|member| self.lose(*member));
                self.given_up.extend(members.iter());
            }
            Record::LongestLease { span } => self.longest_lease = *span,
            _ => unreachable!("the log passes on what is of its part"),
        }
    }

    /// The member is lost, if a view has it or had it.
    fn lose(&mut self, member: Member) {
        let report = self.reports.get(&member);
        if report.is_some() || self.views.values().any(|view| view.has(member)) {
            let entered = report.map(|(entered, _)| *entered).unwrap_or_default();
            self.lost.insert(member, Lost { member, entered });
        }
    }

    /// What `is`, which a checkpoint begins, says otherwise.
    pub(super) fn difference(&self, is: &ViewLog, config: &Config) -> Option<Evidence> {
        if let Some(member) = differs(&self.reports, &is.reports) {
            let is = format!("does not say the same of what {member} has reported");
            return Some(Evidence::at(0, is).about(member.node));
        }
        if let Some(member) = differs(&self.lost, &is.lost) {
            let is = format!("does not say the same of the lost disk of {member}");
            return Some(Evidence::at(0, is).about(member.node));
        }
        if let Some(node) = differs(&self.admissions, &is.admissions) {
            let is = format!("does not say the same of the number of {node}");
            return Some(Evidence::at(0, is).about(*node));
        }
        if let Some(epoch) = differs(&self.views, &is.views) {
            return Some(Evidence::at(0, format!("has another view of {epoch}")).about(*epoch));
        }
        let epochs = |log: &ViewLog| (log.active, log.settled, log.given_up.clone());
        if epochs(self) != epochs(is) {
            return Some(Evidence::at(0, "has another epoch in force, settled or given up"));
        }
        // The lease that the configuration gives counts before the first view.
        let longest = |log: &ViewLog| log.longest_lease.max(config.lock_lease);
        if (&self.wanted, longest(self)) != (&is.wanted, longest(is)) {
            return Some(Evidence::at(0, "does not say the same of what is wanted or leased"));
        }
        None
    }
}
