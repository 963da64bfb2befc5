//! Which machine takes a message or a wake-up.

use super::Node;
use super::membership::Alive;
use super::reads::{Fetch, Read};
use crate::machine::{Class, NodeId, Time};
use crate::proto::handover;
use crate::proto::txn::coordinator::Attempt;
use crate::proto::txn::participant::{Declining, Prepared};
use crate::proto::{
    AttemptEnd, Defect, Ended, FileRequest, FromCentre, Known, Message, Outbox, Retry, Timer,
    TxnMessage,
};

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
        if !is_admitted && !matches!(message, Message::FromCentre(FromCentre::Admitted { .. }))
            || is_from_client_after_restart && turns_away
        {
            return turn_away(from, message, out);
        }
        self.dispatch(now, from, message, out);
    }

    fn dispatch(&mut self, now: Time, from: NodeId, message: &Message, out: &mut Outbox) {
        match message {
            Message::FileRequest(request) => self.on_file_request(now, from, request, out),
            Message::Txn(message) => self.on_txn_message(now, from, message, out),
            Message::FromCentre(message) => self.on_centre_message(now, message, out),
            Message::Views(views) => self.on_views(now, views, out),
            Message::Pull(asked) => {
                let (mut turn, _) = self.moving(now, out);
                handover::on_pull(&mut turn, from, asked);
            }
            Message::Chunk(chunk) => {
                let (mut turn, handover) = self.moving(now, out);
                handover.on_chunk(&mut turn, from, chunk.clone());
                self.on_moved(now, out);
            }
            // To clients and to the central node.
            Message::Ended(_) | Message::LockAnswer(_) => {}
            Message::LockRequest(_) | Message::ToCentre(_) => {}
        }
    }

    fn on_file_request(
        &mut self,
        now: Time,
        from: NodeId,
        request: &FileRequest,
        out: &mut Outbox,
    ) {
        match request {
            FileRequest::Begin { session, epoch, request, attempt, lowest, age, operations } => {
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
            FileRequest::Read { epoch, request, attempt, path } => {
                let (epoch, request, attempt) = (*epoch, *request, *attempt);
                self.on_read(now, Read { epoch, request, attempt, path }, out);
            }
        }
    }

    fn on_txn_message(&mut self, now: Time, from: NodeId, message: &TxnMessage, out: &mut Outbox) {
        let (coordinator, participant, mut turn) = self.machines(now, out);
        let turn = &mut turn;
        match message {
            TxnMessage::Fetch { txn, epoch, path } => {
                let (txn, epoch) = (*txn, *epoch);
                self.on_fetch(now, Fetch { from, txn, epoch, path }, out);
            }
            TxnMessage::Fetched { txn, path, file } => {
                coordinator.on_fetched(turn, *txn, path, file.clone());
            }
            TxnMessage::Prepare { header, epoch, terms, paths, work } => {
                let prepared = Prepared {
                    epoch: *epoch,
                    terms: terms.clone(),
                    paths: paths.clone(),
                    work: work.clone(),
                };
                participant.on_prepare(turn, header, prepared);
            }
            TxnMessage::Ready { txn, pinned_in } => {
                coordinator.on_ready(turn, from, *txn, *pinned_in);
            }
            TxnMessage::Execute { header, epoch, pinned_in, work } => {
                participant.on_execute(turn, header, *epoch, *pinned_in, work.clone());
            }
            TxnMessage::Executed { txn, vote } => {
                coordinator.on_executed(turn, from, *txn, vote.clone());
            }
            TxnMessage::Commit { header, voter, answer } => {
                participant.on_commit(turn, header, *voter, answer.clone());
            }
            TxnMessage::Committed { txn } => coordinator.on_committed(turn, from, *txn),
            TxnMessage::Abort { header } => participant.on_abort(turn, header),
            TxnMessage::Decline { header, epoch, request, refusal, paths } => {
                let (epoch, request, refusal) = (*epoch, *request, *refusal);
                let declining = Declining { epoch, request, refusal, paths };
                participant.on_decline(turn, header, declining);
            }
            TxnMessage::Declined { txn } => coordinator.on_declined(turn, from, *txn),
            TxnMessage::Inquire { txn, .. } if txn.coordinator == turn.id => {
                coordinator.on_inquire(turn, from, *txn);
            }
            TxnMessage::Inquire { txn, asked } => participant.on_inquire(turn, from, *txn, *asked),
            TxnMessage::Told { txn, known: Known::Gone } if txn.coordinator == turn.id => {
                coordinator.on_gone(turn, from, *txn);
            }
            TxnMessage::Told { txn, known } => participant.on_told(turn, *txn, known),
        }
    }

    fn on_centre_message(&mut self, now: Time, message: &FromCentre, out: &mut Outbox) {
        match message {
            FromCentre::Admitted { incarnation, admission } => {
                self.on_admitted(now, *incarnation, *admission, out);
            }
            FromCentre::Noted { admission, epoch } => self.on_noted(now, *admission, *epoch, out),
            FromCentre::Alive { incarnation, asked, epoch, settled, lost } => {
                let (incarnation, asked) = (*incarnation, *asked);
                let (epoch, settled) = (*epoch, *settled);
                self.on_alive(now, &Alive { incarnation, asked, epoch, settled, lost }, out);
            }
            FromCentre::Resolved { admission, txn, verdict } => {
                let (_, participant, mut turn) = self.machines(now, out);
                if *admission == turn.standing.admission() {
                    participant.on_resolved(&mut turn, *txn, verdict);
                }
            }
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
    if let Message::FileRequest(request) = message {
        let (FileRequest::Begin { request, attempt, .. }
        | FileRequest::Read { request, attempt, .. }) = *request;
        let end = AttemptEnd::Retry(Retry::NotReady);
        out.send(from, Ended { request, attempt, end });
    }
}
