//! What is read without a transaction, and what waits for pins to go.

use super::Node;
use crate::machine::{NodeId, RequestId, Time};
use crate::proto::txn::operations::check_path;
use crate::proto::{
    AttemptEnd, Defect, Ended, Epoch, No, Outbox, Outcome, Path, TxnId, TxnMessage,
};

/// A client's attempt at reading one file.
pub(super) struct Read<'a> {
    pub epoch: Epoch,
    pub request: RequestId,
    pub attempt: u32,
    pub path: &'a Path,
}

/// A coordinator's look at a file that it will move.
pub(super) struct Fetch<'a> {
    pub from: NodeId,
    pub txn: TxnId,
    pub epoch: Epoch,
    pub path: &'a Path,
}

/// A read that waits for a pin to go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiting {
    attempt: u32,
    path: Path,
}

impl Node {
    /// The reads that wait for a pin to go, each with its path.
    pub fn waiting_reads(&self) -> impl Iterator<Item = (RequestId, &Path)> {
        self.waiting_reads.iter().map(|(request, waiting)| (*request, &waiting.path))
    }

    pub(super) fn on_read(&mut self, now: Time, read: Read<'_>, out: &mut Outbox) {
        let Read { epoch, request, attempt, path } = read;
        let end = match check_path(&self.config, path) {
            Err(refusal) => AttemptEnd::Refused { refusal, recorded: true },
            Ok(()) => match self.standing.check(&self.config, now, epoch, [path]) {
                Err(closed) => AttemptEnd::Retry(closed.into()),
                Ok(()) if self.owner.is_pinned(path) => {
                    self.waiting_reads.insert(request, Waiting { attempt, path: path.clone() });
                    return;
                }
                Ok(()) => self.read(path),
            },
        };
        out.send(request.client, Ended { request, attempt, end });
    }

    fn read(&self, path: &Path) -> AttemptEnd {
        let mut file = self.owner.file(path);
        if self.config.defects.has(Defect::ReadCutShort)
            && let Some((_, rest)) = file.contents.as_ref().and_then(|c| c.as_bytes().split_last())
        {
            file.contents = Some(rest.into());
        }
        AttemptEnd::Done([Outcome::Found(file.version, file.contents)].into())
    }

    /// Shows a file to a coordinator that will move it, or says why not, so that the attempt ends
    /// at once. The two halves of the rename check what they find under their pins, so this look
    /// needs none.
    pub(super) fn on_fetch(&self, now: Time, fetch: Fetch<'_>, out: &mut Outbox) {
        let Fetch { from, txn, epoch, path } = fetch;
        let may_show = self.standing.check(&self.config, now, epoch, [path]);
        let file = may_show.map(|()| self.owner.file(path)).map_err(No::from);
        out.send(from, TxnMessage::Fetched { txn, path: path.clone(), file });
    }

    /// Whenever pins have gone, what waits for them gets another chance, until nothing moves any
    /// more: first the reads, for which nothing waits, then the transactions, oldest first.
    pub(super) fn on_released(&mut self, now: Time, out: &mut Outbox) {
        while self.owner.take_released() {
            self.answer_waiting_reads(now, out);
            let waiting: Vec<TxnId> = self.owner.waiting().map(|(_, txn, _)| txn).collect();
            for txn in waiting {
                let (coordinator, participant, mut turn) = self.machines(now, out);
                match txn.coordinator == turn.id {
                    true => coordinator.on_released(&mut turn, txn),
                    false => participant.on_released(&mut turn, txn),
                }
            }
        }
    }

    pub(super) fn answer_waiting_reads(&mut self, now: Time, out: &mut Outbox) {
        for (request, Waiting { attempt, path }) in std::mem::take(&mut self.waiting_reads) {
            let epoch = self.standing.epoch();
            let end = match self.standing.check(&self.config, now, epoch, [&path]) {
                Err(closed) => AttemptEnd::Retry(closed.into()),
                Ok(()) if self.owner.is_pinned(&path) => {
                    self.waiting_reads.insert(request, Waiting { attempt, path });
                    continue;
                }
                Ok(()) => self.read(&path),
            };
            out.send(request.client, Ended { request, attempt, end });
        }
    }
}
