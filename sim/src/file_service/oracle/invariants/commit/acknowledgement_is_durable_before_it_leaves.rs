//! Write-ahead: acknowledgements.

use seedbed::proto::{FileService, Message, MessageKind, TxnMessage};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// A participant acknowledges a commit only once it has durably applied it.
///
/// The coordinator forgets the commit when all have acknowledged. One that acknowledged from
/// memory, crashed and asks again is then told "aborted" by presumption: Mohan, Lindsay, Obermarck,
/// 1986 ("never need to ask something you used to know: log before acknowledging").
pub struct AcknowledgementIsDurableBeforeItLeaves;

impl Invariant<FileService> for AcknowledgementIsDurableBeforeItLeaves {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Committed])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Sent { from, to, message, .. } = *seen else { return Ok(()) };
        let Message::Txn(TxnMessage::Committed { txn: id }) = message else { return Ok(()) };
        let outcome = model.txns.get(id).and_then(|txn| txn.outcomes.get(&from));
        if outcome.is_some_and(|outcome| outcome.is) {
            return Ok(());
        }
        let now = format!("{from} acknowledges the commit of {id} to {to}");
        Err(Breach::of(
            model.log_lacks(from, format_args!("record that it applied {id}")).about(*id),
            Evidence::at(model.step, now).about(*id),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{Play, applied, committed, n, txn, voted};

    #[test]
    fn an_acknowledgement_from_memory_is_a_breach() {
        let mut play = Play::new(AcknowledgementIsDurableBeforeItLeaves);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.appends(n(2), applied(txn(1)));
        let breach = play.sends(n(2), n(1), committed(txn(1))).breaks();
        let lacks = "n2's log is durable for 1 records and has no record that it applied n1.1/1";
        assert_eq!(breach.earlier.is, lacks);
        assert_eq!(breach.now.is, "n2 acknowledges the commit of n1.1/1 to n1");
    }

    #[test]
    fn an_acknowledgement_from_the_log_is_none() {
        let mut play = Play::new(AcknowledgementIsDurableBeforeItLeaves);
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        play.sends(n(2), n(1), committed(txn(1)));
        play.holds();
    }
}
