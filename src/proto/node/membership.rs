//! The node's part in the cluster: admission, heartbeats, leases, epochs entered and left.

use std::sync::Arc;

use super::Node;
use crate::machine::{Incarnation, NodeId, Span, Time};
use crate::proto::{
    Admission, Arcs, Defect, Epoch, Lost, Open, Outbox, Path, Record, Timer, ToCentre, Views,
};

/// A membership lease, as it arrives.
pub(super) struct Alive<'a> {
    pub incarnation: Incarnation,
    pub asked: Time,
    pub epoch: Epoch,
    pub settled: Epoch,
    pub lost: &'a [Lost],
}

impl Node {
    pub(super) fn on_admitted(
        &mut self,
        now: Time,
        incarnation: Incarnation,
        admission: Admission,
        out: &mut Outbox,
    ) {
        // A number that another life asked for may be in use on the disk that this life lost.
        if incarnation == self.incarnation && self.standing.member().is_none() {
            self.be_born(admission, out);
            self.heartbeat(now, out);
        }
    }

    pub(super) fn be_born(&mut self, admission: Admission, out: &mut Outbox) {
        out.force(Record::Born { admission });
        self.standing.replay_born(admission);
    }

    /// Says that the node is there, and again what the centre may not have heard.
    pub(super) fn heartbeat(&mut self, now: Time, out: &mut Outbox) {
        self.timers.set(Timer::Heartbeat, now + self.heartbeat_interval());
        let incarnation = self.incarnation;
        let Some(member) = self.standing.member() else {
            return out.send(NodeId::CONTROL, ToCentre::Admit { incarnation });
        };
        let (admission, epoch) = (member.admission, self.standing.epoch());
        let known = self.standing.known();
        let answered = self.standing.up_to_date();
        let asked = now;
        let beat = ToCentre::Heartbeat { admission, incarnation, known, asked, answered };
        match answered {
            Some(_) => out.send_now(NodeId::CONTROL, beat),
            // Not before the number is durable: a crash that lost it would leave a member behind
            // that no node can ever speak for.
            None => out.send(NodeId::CONTROL, beat),
        }
        if self.noted < epoch {
            let open = self.open();
            out.send(NodeId::CONTROL, ToCentre::Entered { admission, epoch, open });
        }
        self.report_complete(out);
    }

    /// Often enough that two heartbeats may be lost before a lease runs out.
    fn heartbeat_interval(&self) -> Span {
        let layout = self.standing.layout().unwrap_or(self.config.first_layout());
        layout.view().membership_lease.fraction(4)
    }

    /// The centre has recorded that the node has left every epoch before this one.
    pub(super) fn on_noted(
        &mut self,
        now: Time,
        admission: Admission,
        epoch: Epoch,
        out: &mut Outbox,
    ) {
        if admission == self.standing.admission() && epoch > self.noted {
            self.noted = epoch;
            self.proceed(now, out);
        }
    }

    pub(super) fn on_alive(&mut self, now: Time, alive: &Alive<'_>, out: &mut Outbox) {
        self.take_lease(now, alive, out);
        if self.standing.learn_lost(alive.lost) {
            self.proceed(now, out);
        }
    }

    fn take_lease(&mut self, now: Time, alive: &Alive<'_>, out: &mut Outbox) {
        let Alive { incarnation, asked, epoch, settled, .. } = *alive;
        let Some(layout) = self.standing.layout().filter(|layout| layout.epoch() == epoch) else {
            return;
        };
        if incarnation == self.incarnation {
            let until = layout.membership_terms(&self.config).holder_until(asked);
            self.standing.extend_lease(epoch, until);
            self.standing.learn_up_to_date(asked); // or it would not have been given
        }
        self.standing.learn_settled(settled);
        self.on_settled(now, out);
    }

    pub(super) fn on_views(&mut self, now: Time, news: &Views, out: &mut Outbox) {
        let (epoch, answered) = (self.standing.epoch(), self.standing.up_to_date());
        let asked = news.asked.filter(|(life, _)| *life == self.incarnation);
        asked.into_iter().for_each(|(_, asked)| self.standing.learn_up_to_date(asked));
        self.learn(now, news, out);
        let is_first = answered.is_none() && self.standing.up_to_date().is_some();
        if is_first && self.standing.epoch() == epoch {
            self.heartbeat(now, out); // now it counts: a lease can be given
        }
    }

    fn learn(&mut self, now: Time, news: &Views, out: &mut Outbox) {
        let Views { views, settled, lost, .. } = news;
        let entered = self.standing.learn(&self.config, views, *settled, lost);
        match entered {
            Some(record) => self.enter(now, record, out),
            None => self.proceed(now, out),
        }
        self.on_settled(now, out);
    }

    /// The transactions of the epochs that the node has left that are open at it.
    fn open(&self) -> Arc<[Open]> {
        self.coordinator.open().chain(self.participant.open(self.config.defects)).collect()
    }

    /// Goes on pulling, if anything is missing.
    pub(super) fn proceed(&mut self, now: Time, out: &mut Outbox) {
        let (mut turn, handover) = self.moving(now, out);
        handover.proceed(&mut turn);
        self.on_moved(now, out);
    }

    /// Leaves the epoch: what is not promised is given up, what is promised stays.
    fn enter(&mut self, now: Time, record: Record, out: &mut Outbox) {
        match self.config.defects.has(Defect::EpochNotForced) {
            true => out.write_lazily(record),
            false => out.force(record),
        }
        let (coordinator, participant, mut turn) = self.machines(now, out);
        coordinator.on_leave(&mut turn);
        participant.on_leave(&mut turn);
        self.answer_waiting_reads(now, out);
        self.heartbeat(now, out);
        if self.config.defects.has(Defect::CopiesDroppedTooEarly) {
            let layout = self.standing.layout().zip(self.standing.member());
            let owned = layout.map(|(layout, member)| layout.owned_by(member)).unwrap_or_default();
            self.drop_all_but(&owned);
        }
        let (mut turn, handover) = self.moving(now, out);
        handover.on_enter(&mut turn);
        self.on_moved(now, out);
    }

    /// Something was pulled, or the node has only now learnt what it owns.
    pub(super) fn on_moved(&mut self, now: Time, out: &mut Outbox) {
        if self.standing.layout().is_some() {
            self.report_complete(out);
        }
        self.on_released(now, out);
    }

    /// Tells the centre when everything owned is there, until the epoch has settled.
    fn report_complete(&mut self, out: &mut Outbox) {
        let (admission, epoch) = (self.standing.admission(), self.standing.epoch());
        let is_complete = self.standing.is_member() && self.standing.missing().is_empty();
        if is_complete && self.standing.settled() < epoch {
            out.send(NodeId::CONTROL, ToCentre::Completed { admission, epoch });
        }
    }

    /// Every owner is complete in the node's epoch: what it had beyond that is needed no more.
    fn on_settled(&mut self, now: Time, out: &mut Outbox) {
        if let Some(record) = self.standing.drop_older_claims() {
            out.force(record.clone());
            let Record::GaveUp { keeps, .. } = &record else {
                unreachable!("what is given up is told as {record:?}");
            };
            self.drop_all_but(keeps);
            self.on_released(now, out);
        }
        // What it has reported, others need not ask it for.
        let is_free = self.coordinator.is_idle()
            && !self.participant.is_in_doubt()
            && self.noted >= self.standing.epoch();
        if self.standing.is_out() && is_free {
            let (admission, epoch) = (self.standing.admission(), self.standing.epoch());
            out.send(NodeId::CONTROL, ToCentre::Departed { admission, epoch });
        }
    }

    /// Drops every copy outside `keeps`, and the votes there.
    pub(super) fn drop_all_but(&mut self, keeps: &Arcs) {
        let Node { config, owner, participant, .. } = self;
        let is_dropped = |path: &Path| !keeps.contains(config.position(path));
        participant.void(config, owner, is_dropped);
        owner.files.retain(|path, _| !is_dropped(path));
    }
}
