//! Complete means complete.

use crate::file_service::oracle::model::in_words;
use crate::file_service::oracle::{
    Breach, Disk, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::NodeId;
use seedbed::proto::{
    Admission, Arcs, Epoch, FileService, Message, MessageKind, Path, Record, RecordKind, ToCentre,
};

/// Where a node's log says that it is a complete owner in an epoch, the log holds what was decided
/// last on every path, in that epoch and before, or a vote for that which pins it; what it has
/// claimed it does not pull again; and it says that it is complete in an epoch only if it claims
/// all that it owns there.
///
/// Everything that reconfiguration promises hangs on the claims: an owner serves on them, hands
/// over on them, and is a witness where it has none. Lamport, Malkhi, Zhou, "Reconfiguring a State
/// Machine", SIGACT News 2010: a configuration starts from the last state of the one before.
#[derive(Clone, Debug, Default)]
pub struct AClaimedPathHasTheLastDecidedContents;

impl Invariant<FileService> for AClaimedPathHasTheLastDecidedContents {
    fn interest(&self) -> SeenKinds {
        let records = [RecordKind::Entered, RecordKind::Complete, RecordKind::Pulled];
        SeenKinds::durable(&records) | SeenKinds::sent(&[MessageKind::Completed])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        match *seen {
            Seen::Durable { node, record, .. } => {
                let Some(disk) = model.disks.get(node) else { return Ok(()) };
                match record {
                    Record::Entered { epoch, complete: arcs }
                    | Record::Complete { epoch, arcs } => {
                        on_claim((node, disk), *epoch, arcs, model)
                    }
                    Record::Pulled { files, .. } => {
                        on_pulled((node, disk), files.iter().map(|(path, _)| path), model)
                    }
                    _ => Ok(()),
                }
            }
            Seen::Sent {
                from,
                message: Message::ToCentre(ToCentre::Completed { admission, epoch }),
                ..
            } => on_completed(from, *admission, *epoch, model),
            _ => Ok(()),
        }
    }
}

/// The node claims these arcs, durably.
fn on_claim(
    (node, disk): (NodeId, &Disk),
    epoch: Epoch,
    arcs: &Arcs,
    model: &Model,
) -> Result<(), Breach> {
    for (path, last) in model.last_in_arcs(arcs, epoch) {
        if disk.has(path, last, model.files.get(path)) {
            continue;
        }
        let was = in_words(last.file.version, last.file.contents.as_ref());
        let earlier = format!("{}, the last commit to {path}, left it as {was}", last.txn);
        let stored = disk.files.get(path).map(|stored| &stored.is);
        let is = stored.map_or("nothing".to_owned(), |f| in_words(f.version, f.contents.as_ref()));
        let now = format!("{node} claims to be complete on {path} in {epoch}; its log has {is}");
        return Err(Breach::of(
            Evidence::at(last.step, earlier).about(last.txn).about(path),
            Evidence::at(model.step, now).about(path).about(epoch),
        ));
    }
    Ok(())
}

/// The node has pulled these paths.
fn on_pulled<'a>(
    (node, disk): (NodeId, &Disk),
    mut paths: impl Iterator<Item = &'a Path>,
    model: &Model,
) -> Result<(), Breach> {
    let Some(config) = model.disks.managed() else { return Ok(()) };
    let claim = |path| Some((path, disk.claims(disk.epoch.is, config.position(path))?));
    match paths.find_map(claim) {
        Some((path, step)) => {
            let epoch = disk.epoch.is;
            let earlier = format!("{node} claims to be complete on {path} in {epoch}");
            let now = format!("{node} takes over another's {path}");
            Err(Breach::of(
                Evidence::at(step, earlier).about(path).about(epoch),
                Evidence::at(model.step, now).about(path),
            ))
        }
        None => Ok(()),
    }
}

fn on_completed(
    node: NodeId,
    admission: Admission,
    epoch: Epoch,
    model: &Model,
) -> Result<(), Breach> {
    let Some(config) = model.disks.managed() else { return Ok(()) };
    let Some(placement) = model.views.placement(config, epoch) else { return Ok(()) };
    let disk = model.disks.get(node);
    let disk = disk.filter(|disk| disk.born.as_ref().is_some_and(|born| born.is == admission));
    let claim = disk.and_then(|disk| disk.claims.get(&epoch));
    let claimed = claim.map_or(Arcs::default(), |claim| claim.is.clone());
    if disk.is_some_and(|disk| disk.given_up > epoch) {
        return Ok(()); // it has been held back until now
    }
    let missing = placement.owned_by(node).difference(&claimed);
    match missing.is_empty() {
        true => Ok(()),
        false => {
            let what = format_args!("claim on {missing} of what it owns in {epoch}");
            let now = format!("{node} says that it is complete in {epoch}");
            Err(Breach::of(
                model.log_lacks(node, what).about(epoch),
                Evidence::at(model.step, now).about(epoch),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, born, complete, decided, entered, n, pulled, txn, voted,
    };
    use seedbed::proto::Config;

    fn play() -> Play {
        let mut play = Play::managed(AClaimedPathHasTheLastDecidedContents);
        play.views(1, &[n(1), n(2)]);
        play.is_complete(n(1), 1);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play.views(2, &[n(1), n(2), n(3)]);
        play.forces(n(3), born());
        play.forces(n(3), entered(2, Arcs::default()));
        play
    }

    #[test]
    fn a_claim_on_what_is_not_there_is_a_breach() {
        let breach = play().forces(n(3), complete(2, Arcs::all())).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1, the last commit to /a, left it as \"x\" at v1");
        assert!(breach.now.is.ends_with("its log has nothing"));
        play().forces(n(3), entered(3, Arcs::all())).breaks();
    }

    #[test]
    fn a_stale_vote_or_a_version_that_was_never_committed_is_no_excuse() {
        let mut stale = play();
        stale.forces(n(3), voted(txn(9), "/a", 1, "y"));
        let breach = stale.forces(n(3), complete(2, Arcs::all())).breaks();
        assert!(breach.now.is.ends_with("its log has nothing"));
        let mut wrong = play();
        wrong.forces(n(3), pulled("/a", 2, "y"));
        let breach = wrong.forces(n(3), complete(2, Arcs::all())).breaks();
        assert!(breach.now.is.ends_with("its log has \"y\" at v2"));
    }

    #[test]
    fn to_pull_what_is_claimed_and_to_call_complete_what_is_not_are_breaches() {
        let breach = play().forces(n(1), pulled("/a", 1, "x")).breaks();
        assert_eq!(breach.earlier.is, "n1 claims to be complete on /a in e1");
        let says = Message::ToCentre(ToCentre::Completed {
            admission: Config::FIRST_ADMISSION,
            epoch: Epoch(2),
        });
        play().sends(n(3), NodeId::CONTROL, says).breaks();
    }

    #[test]
    fn what_was_pulled_or_is_pinned_by_a_vote_may_be_claimed() {
        let mut play = play();
        play.forces(n(3), pulled("/a", 1, "x"));
        play.forces(n(3), complete(2, Arcs::all()));
        let says = Message::ToCentre(ToCentre::Completed {
            admission: Config::FIRST_ADMISSION,
            epoch: Epoch(2),
        });
        play.sends(n(3), NodeId::CONTROL, says);
        play.forces(n(1), voted(txn(2), "/a", 2, "y"));
        play.forces(n(2), decided(txn(2), &[n(1)], "/a", 2, "y"));
        play.forces(n(1), entered(2, Arcs::all()));
        play.forces(n(1), applied(txn(2)));
        play.forces(n(1), entered(3, Arcs::all()));
        play.holds();
    }
}
