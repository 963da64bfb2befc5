//! Which machine takes a message or a wake-up.

use super::Node;
use super::membership::{Alive, News};
use super::reads::{Fetch, Read};
use crate::machine::{Class, NodeId, Time};
use crate::proto::handover::{self, Asked, Chunk};
use crate::proto::txn::coordinator::Attempt;
use crate::proto::txn::participant::{Declining, Prepared};
use crate::proto::{AttemptEnd, Defect, Known, Message, Outbox, Retry, Timer};

impl Node {
    pub(super) fn on_message(
        &mut self,
        now: Time,
        from: NodeId,
        message: &Message,
        out: &mut Outbox,
    ) {
        let ignores_clients = self.config.defects.has(Defect::ClientsIgnoredAfterARestart);
        let turns_away = self.config.defects.has(Defect::ClientsTurnedAwayAfterARestart);
        let is_from_client_after_restart = self.incarnation.0 > 1 && from.class() == Class::Client;
        if is_from_client_after_restart && ignores_clients {
            return;
        }
        // A node without an admission has promised nothing and knows no other.
        let is_admitted = self.standing.member().is_some();
        if !is_admitted && !matches!(message, Message::Admitted { .. })
            || is_from_client_after_restart && turns_away
        {
            return turn_away(from, message, out);
        }
        self.dispatch(now, from, message, out);
    }

    fn dispatch(&mut self, now: Time, from: NodeId, message: &Message, out: &mut Outbox) {
        let (coordinator, participant, mut turn) = self.machines(now, out);
        let turn = &mut turn;
        match message {
            Message::Begin { session, epoch, request, attempt, lowest, age, operations } => {
                let attempt = Attempt {
                    client: from,
                    request: *request,
                    attempt: *attempt,
                    lowest: *lowest,
                    age: *age,
                    operations: operations.clone(),
                };
                self.on_begin(now, *session, *epoch, attempt, out);
            }
            Message::Read { epoch, request, attempt, path } => {
                let (epoch, request, attempt) = (*epoch, *request, *attempt);
                self.on_read(now, Read { epoch, request, attempt, path }, out);
            }
            Message::Fetch { txn, epoch, path } => {
                let (txn, epoch) = (*txn, *epoch);
                self.on_fetch(now, Fetch { from, txn, epoch, path }, out);
            }
            Message::Fetched { txn, path, file } => {
                coordinator.on_fetched(turn, *txn, path, file.clone());
            }
            Message::Prepare { header, epoch, terms, paths, work } => {
                let prepared = Prepared {
                    epoch: *epoch,
                    terms: terms.clone(),
                    paths: paths.clone(),
                    work: work.clone(),
                };
                participant.on_prepare(turn, header, prepared);
            }
            Message::Ready { txn, pinned_in } => coordinator.on_ready(turn, from, *txn, *pinned_in),
            Message::Execute { header, epoch, pinned_in, work } => {
                participant.on_execute(turn, header, *epoch, *pinned_in, work.clone());
            }
            Message::Executed { txn, vote } => {
                coordinator.on_executed(turn, from, *txn, vote.clone())
            }
            Message::Commit { header, voter, answer } => {
                participant.on_commit(turn, header, *voter, answer.clone());
            }
            Message::Committed { txn } => coordinator.on_committed(turn, from, *txn),
            Message::Abort { header } => participant.on_abort(turn, header),
            Message::Decline { header, epoch, request, refusal, paths } => {
                let (epoch, request, refusal) = (*epoch, *request, *refusal);
                let declining = Declining { epoch, request, refusal, paths };
                participant.on_decline(turn, header, declining);
            }
            Message::Declined { txn } => coordinator.on_declined(turn, from, *txn),
            Message::Inquire { txn, .. } if txn.coordinator == turn.id => {
                coordinator.on_inquire(turn, from, *txn);
            }
            Message::Inquire { txn, asked } => participant.on_inquire(turn, from, *txn, *asked),
            Message::Told { txn, known: Known::Gone } if txn.coordinator == turn.id => {
                coordinator.on_gone(turn, from, *txn);
            }
            Message::Told { txn, known } => participant.on_told(turn, *txn, known),
            Message::Resolved { admission, txn, verdict } => {
                if *admission == turn.standing.admission() {
                    participant.on_resolved(turn, *txn, verdict);
                }
            }
            Message::Admitted { incarnation, admission } => {
                self.on_admitted(now, *incarnation, *admission, out);
            }
            Message::Noted { admission, epoch } => {
                self.on_noted(now, *admission, *epoch, out);
            }
            Message::Alive { incarnation, asked, epoch, settled, lost } => {
                let (incarnation, asked) = (*incarnation, *asked);
                let (epoch, settled) = (*epoch, *settled);
                self.on_alive(now, &Alive { incarnation, asked, epoch, settled, lost }, out);
            }
            Message::Views { asked, views, settled, lost } => {
                let (asked, settled) = (*asked, *settled);
                self.on_views(now, &News { asked, views, settled, lost }, out);
            }
            Message::Pull { epoch, pull, incarnation, level, owner, arcs, after } => {
                let asked = Asked {
                    epoch: *epoch,
                    pull: *pull,
                    incarnation: *incarnation,
                    level: *level,
                    owner: *owner,
                    arcs,
                    after: after.clone(),
                };
                let (mut turn, _) = self.moving(now, out);
                handover::on_pull(&mut turn, from, asked);
            }
            Message::Chunk { epoch, pull, incarnation, after, files, doubtful, answers, end } => {
                let chunk = Chunk {
                    epoch: *epoch,
                    pull: *pull,
                    incarnation: *incarnation,
                    after: after.clone(),
                    files: files.clone(),
                    doubtful: doubtful.clone(),
                    answers: answers.clone(),
                    end: end.clone(),
                };
                let (mut turn, handover) = self.moving(now, out);
                handover.on_chunk(&mut turn, from, chunk);
                self.on_moved(now, out);
            }
            other => assert!(!other.kind().is_to(Class::Node), "nothing handles {other:?}"),
        }
    }

    pub(super) fn on_wake(&mut self, now: Time, timer: Timer, out: &mut Outbox) {
        self.timers.cancel(&timer);
        let (coordinator, participant, mut turn) = self.machines(now, out);
        match timer {
            Timer::Start => {}
            Timer::Collect(txn) => coordinator.on_collect_timeout(&mut turn, txn),
            Timer::Resend(txn) => coordinator.on_resend_time(&mut turn, txn),
            Timer::Ready(txn) => participant.on_ready_timeout(&mut turn, txn),
            Timer::Inquire(txn) => participant.on_inquiry_time(&mut turn, txn),
            Timer::Heartbeat => self.heartbeat(now, out),
            Timer::Pull => {
                let (mut turn, handover) = self.moving(now, out);
                handover.on_pull_time(&mut turn);
                self.on_moved(now, out);
            }
            // Of clients and of the central node.
            Timer::Attempt(_) | Timer::GiveUp(_) | Timer::KeepAlive(_) | Timer::LeaseEnd(_) => {}
            Timer::Lease(_) | Timer::Members => {}
        }
    }
}

/// Tells a client that the node is not ready, so that its next attempt goes to another at once.
fn turn_away(from: NodeId, message: &Message, out: &mut Outbox) {
    if let Message::Begin { request, attempt, .. } | Message::Read { request, attempt, .. } =
        *message
    {
        let end = AttemptEnd::Retry(Retry::NotReady);
        out.send(from, Message::Ended { request, attempt, end });
    }
}
