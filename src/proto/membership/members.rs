//! Members: admitted, heard, leased, and what is known of those that are lost.

use std::sync::Arc;

use super::{Beat, Centre};
use crate::machine::{Incarnation, NodeId, Time};
use crate::proto::reports::Question;
use crate::proto::turn::Turn;
use crate::proto::{Defect, Epoch, FromCentre, Lost, Member, Open, Record};

impl Centre {
    pub fn on_admit(&mut self, turn: &mut Turn<'_>, node: NodeId, incarnation: Incarnation) {
        let keeps_name = turn.config.defects.has(Defect::WipedNodeKeepsItsName);
        let admission = match self.admissions.get(&node) {
            // Late: the node is another by now, and a new number would make it a stranger.
            Some((_, asked)) if incarnation < *asked => return,
            Some((admission, asked)) if incarnation == *asked || keeps_name => *admission,
            _ => {
                let member = Member { node, admission: self.last_admission.next() };
                turn.out.force(Record::Admitted { member, incarnation });
                if self.replay_admitted(member, incarnation) {
                    self.broadcast(turn); // of the disk that is lost
                }
                member.admission
            }
        };
        turn.out.send(node, FromCentre::Admitted { incarnation, admission });
    }

    pub fn on_heartbeat(
        &mut self,
        turn: &mut Turn<'_>,
        member: Member,
        beat: Beat,
        answered: Option<Time>,
    ) {
        if !self.is_current(member) {
            return;
        }
        if !self.is_answered(turn, beat, answered) {
            return self.send_views(turn, member.node, Some(beat));
        }
        let heard = self.nodes.entry(member).or_default();
        heard.at = Some(turn.now);
        heard.beat = heard.beat.max(beat);
        if self.is_served(turn, member, beat) {
            return self.give_lease(turn, member, beat);
        }
        let newest = self.newest();
        self.proceed(turn);
        // Otherwise every node has just been told.
        if self.newest() == newest {
            self.send_views(turn, member.node, Some(beat));
        }
    }

    /// Does the node hear the centre? Before there is a view there is nothing to hear. A few
    /// answers may be lost: a node that has heard one in two leases is not deaf.
    fn is_answered(&self, turn: &Turn<'_>, beat: Beat, answered: Option<Time>) -> bool {
        let patience = self.terms(turn.config).length.times(2);
        let is_recent = |answered| beat.asked.since(answered) < patience;
        self.views.is_empty() || answered.is_some_and(is_recent)
    }

    /// Does the heartbeat know the view in force, is it a member's whose entry is recorded, and is
    /// no other view announced?
    fn is_served(&self, turn: &Turn<'_>, member: Member, beat: Beat) -> bool {
        let view = self.views.get(&beat.known).filter(|_| beat.known == self.active);
        let is_in_force = view.is_some_and(|view| view.has(member));
        is_in_force && self.newest() == beat.known && self.may_lease(turn, member, beat.known)
    }

    /// May the member have a lease for the epoch, if that is in force?
    pub(super) fn may_lease(&self, turn: &Turn<'_>, member: Member, epoch: Epoch) -> bool {
        let too_early = turn.config.defects.has(Defect::LeaseBeforeEntryIsRecorded);
        too_early || self.has_entered(member, epoch)
    }

    /// Is it recorded that the member has left every epoch before this one?
    pub(super) fn has_entered(&self, member: Member, epoch: Epoch) -> bool {
        self.reports.has_entered(member, epoch)
    }

    pub fn on_entered(
        &mut self,
        turn: &mut Turn<'_>,
        member: Member,
        epoch: Epoch,
        open: Arc<[Open]>,
    ) {
        if !self.is_current(member) {
            return; // what its successor may be told of it stays as it is
        }
        let is_new = !self.has_entered(member, epoch);
        if is_new {
            self.reports.record(member, epoch, &open);
            let record = Record::Recorded { member, entered: epoch, open };
            match turn.config.defects.has(Defect::ReportNotForced) {
                true => turn.out.write_lazily(record),
                false => turn.out.force(record),
            }
        }
        turn.out.send(member.node, FromCentre::Noted { admission: member.admission, epoch });
        self.proceed(turn);
        // Its heartbeat came before this, and got no lease.
        let heard = self.nodes.get(&member).filter(|heard| is_new && heard.at.is_some());
        if let Some(beat) = heard.map(|heard| heard.beat)
            && self.is_served(turn, member, beat)
        {
            self.give_lease(turn, member, beat);
        }
    }

    /// A participant that has left the epoch of a transaction in doubt asks how it ends. It asks
    /// again: as long as that cannot be told, there is no answer.
    pub fn on_resolve(&self, turn: &mut Turn<'_>, asker: Member, question: &Question<'_>) {
        // A machine that is given up may run, as long as its lease does.
        let is_over = |member| self.nodes.get(&member).is_none_or(|heard| heard.until <= turn.now);
        let is_lost = |member| self.lost.contains_key(&member) && is_over(member);
        let verdict = self.reports.verdict(turn.config.defects, question, is_lost);
        if let Some(verdict) = verdict {
            let (txn, admission) = (question.txn, asker.admission);
            turn.out.send(asker.node, FromCentre::Resolved { admission, txn, verdict });
        }
    }

    pub fn on_completed(&mut self, turn: &mut Turn<'_>, member: Member, epoch: Epoch) {
        if self.is_current(member) {
            let heard = self.nodes.entry(member).or_default();
            heard.completed = heard.completed.max(epoch);
            self.proceed(turn);
        }
    }

    pub(super) fn give_lease(&mut self, turn: &mut Turn<'_>, member: Member, beat: Beat) {
        let until = self.terms(turn.config).giver_until(turn.now);
        let heard = self.nodes.entry(member).or_default();
        heard.until = heard.until.max(until);
        let Beat { incarnation, asked, known: epoch } = beat;
        let (settled, lost) = (self.settled, self.lost());
        let alive = FromCentre::Alive { incarnation, asked, epoch, settled, lost };
        turn.out.send(member.node, alive);
    }

    /// The node under its newest admission, if it is there: a member whose lease may run, or any
    /// node that was heard within a lease.
    pub(super) fn is_there(&self, turn: &Turn<'_>, node: NodeId) -> Option<Member> {
        let member = self.current(node)?;
        let heard = self.nodes.get(&member)?;
        let is_member = self.views.get(&self.active).is_some_and(|view| view.has(member));
        // A member that is heard gets no lease before its entry is recorded, but it is there.
        let heard_until = heard.at.map(|at| self.terms(turn.config).giver_until(at));
        let leased_until = Some(heard.until).filter(|_| is_member);
        (Some(turn.now) < heard_until.max(leased_until)).then_some(member)
    }

    pub(super) fn is_current(&self, member: Member) -> bool {
        self.current(member.node) == Some(member)
    }

    /// The node under its newest number, unless that is given up.
    pub(super) fn current(&self, node: NodeId) -> Option<Member> {
        let (admission, _) = *self.admissions.get(&node)?;
        let member = Member { node, admission };
        (!self.given_up.contains(&member)).then_some(member)
    }

    /// The members of known views that are lost.
    pub(super) fn lost(&self) -> Arc<[Lost]> {
        let lost = self.lost.values().filter(|lost| self.is_in_a_view(lost.member));
        lost.copied().collect()
    }

    /// Is a member lost with that, whose name the node has?
    pub(super) fn replay_admitted(&mut self, member: Member, incarnation: Incarnation) -> bool {
        let before = self.admissions.insert(member.node, (member.admission, incarnation));
        self.last_admission = self.last_admission.max(member.admission);
        let before = before.map(|(admission, _)| Member { admission, ..member });
        match before.filter(|before| *before != member && self.has_been_in_a_view(*before)) {
            Some(before) => self.lose(before),
            None => false,
        }
    }

    /// The member is lost. Is that news?
    pub(super) fn lose(&mut self, member: Member) -> bool {
        let entered = self.reports.entered(member).unwrap_or_default();
        self.lost.insert(member, Lost { member, entered }).is_none()
    }

    pub(super) fn has_been_in_a_view(&self, member: Member) -> bool {
        self.is_in_a_view(member) || self.reports.entered(member).is_some()
    }

    fn is_in_a_view(&self, member: Member) -> bool {
        self.views.values().any(|view| view.has(member))
    }
}
