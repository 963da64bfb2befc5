//! No transaction is called over that is not.

use std::collections::BTreeMap;

use seedbed::machine::NodeId;
use seedbed::proto::{
    Decided, FileService, Header, LowWater, Member, Message, MessageKind, Record, RecordKind,
    TxnMessage,
};

use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// What a coordinator's low-water mark covers is over: every participant of a commit has durably
/// applied it, and nothing else that it covers commits later.
///
/// A participant forgets what became of all that the mark covers, and from then on takes it for
/// over, whichever node asks. So a mark that is one too high makes it forget an outcome that
/// another is in doubt about, or refuse a transaction that is under way. Presumed abort keeps a
/// commit for as long as a participant may ask: Mohan, Lindsay, Obermarck, "Transaction Management
/// in the R* Distributed Database Management System", 1986, section 3.
#[derive(Clone, Debug, Default)]
pub struct ALowWaterMarkCoversOnlyWhatIsOver {
    marks: BTreeMap<Member, At<LowWater>>,
}

impl Invariant<FileService> for ALowWaterMarkCoversOnlyWhatIsOver {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Prepare, MessageKind::Execute, MessageKind::Commit])
            | SeenKinds::sent(&[MessageKind::Abort, MessageKind::Decline])
            | SeenKinds::appended(&[RecordKind::Decided])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Sent { from, message, .. } => {
                header(message).map_or(Ok(()), |header| self.on_sent(from, header, model))
            }
            Seen::Appended { node, record: Record::Decided(Decided { txn, .. }), .. } => {
                let mark = self.marks.get(&txn.begun_by());
                let Some(mark) = mark.filter(|mark| mark.is.covers(*txn)) else { return Ok(()) };
                let earlier = Evidence::at(mark.step, said(node, mark.is)).about(*txn);
                let now = format!("{node} decides to commit {txn}");
                Err(Breach::of(earlier, Evidence::at(model.step, now).about(*txn)))
            }
            _ => Ok(()),
        }
    }
}

impl ALowWaterMarkCoversOnlyWhatIsOver {
    fn on_sent(&mut self, from: NodeId, header: &Header, model: &Model) -> Result<(), Breach> {
        let Header { txn: this, low_water } = *header;
        let now = || Evidence::at(model.step, said(from, low_water));
        if low_water.covers(this) {
            let is = format!("{this} is under way");
            let begun = model.txns.get(&this).and_then(|txn| txn.begun.as_ref());
            let earlier = Evidence::at(begun.map_or(model.step, |begun| begun.step), is);
            return Err(Breach::of(earlier.about(this), now().about(this)));
        }
        let known = self.marks.entry(this.begun_by()).or_default();
        if low_water <= known.is {
            return Ok(());
        }
        let before = std::mem::replace(known, At { step: model.step, is: low_water }).is;
        let mut covered = model.txns.covered_since(this.begun_by(), before, low_water);
        let open = covered.find(|(_, txn)| txn.decided.is_some() && !txn.is_applied_everywhere());
        let Some((id, txn)) = open else { return Ok(()) };
        let step = txn.decided.as_ref().map_or(0, |decided| decided.step);
        let is = format!("{id} was decided, and not every participant has applied it");
        Err(Breach::of(Evidence::at(step, is).about(id), now().about(id)))
    }
}

fn header(message: &Message) -> Option<&Header> {
    match message {
        Message::Txn(TxnMessage::Prepare { header, .. } | TxnMessage::Execute { header, .. }) => {
            Some(header)
        }
        Message::Txn(TxnMessage::Commit { header, .. } | TxnMessage::Abort { header }) => {
            Some(header)
        }
        Message::Txn(TxnMessage::Decline { header, .. }) => Some(header),
        _ => None,
    }
}

fn said(node: NodeId, mark: LowWater) -> String {
    let LowWater { incarnation, counter } = mark;
    format!("{node} says that all of its transactions up to {}/{counter} are over", incarnation.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    fn play() -> Play {
        let mut play = Play::new(ALowWaterMarkCoversOnlyWhatIsOver::default());
        play.forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.forces(n(3), voted(txn(1), "/a", 1, "x"));
        play.forces(n(1), decided(txn(1), &[n(2), n(3)], "/a", 1, "x"));
        play.forces(n(2), applied(txn(1)));
        play
    }

    #[test]
    fn a_mark_over_a_commit_that_is_not_applied_everywhere_is_a_breach() {
        let mut play = play();
        play.appends(n(3), applied(txn(1)));
        let breach = play.sends(n(1), n(2), abort_marked(txn(2), 1)).breaks();
        assert_eq!(
            breach.earlier.is,
            "n1.1/1 was decided, and not every participant has applied it"
        );
        assert_eq!(breach.now.is, "n1 says that all of its transactions up to 1/1 are over");
    }

    #[test]
    fn a_mark_over_what_is_applied_everywhere_or_never_decided_is_none() {
        let mut play = play();
        play.forces(n(3), applied(txn(1)));
        play.sends(n(1), n(2), prepare(txn(2), &[n(2)], &["/a"]));
        play.sends(n(1), n(2), abort_marked(txn(3), 2));
        play.holds();
    }

    #[test]
    fn a_mark_over_what_commits_later_or_over_itself_is_a_breach() {
        let mut play = play();
        play.forces(n(3), applied(txn(1)));
        play.sends(n(1), n(2), abort_marked(txn(3), 2));
        let breach = play.appends(n(1), decided(txn(2), &[], "/a", 2, "y")).breaks();
        assert_eq!(breach.now.is, "n1 decides to commit n1.1/2");
        let breach = self::play().sends(n(1), n(2), abort_marked(txn(2), 2)).breaks();
        assert_eq!(breach.earlier.is, "n1.1/2 is under way");
    }
}
