//! No lock is granted while an earlier grant of it has not ended.

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::machine::NodeId;
use seedbed::proto::{FileService, Record, RecordKind};

/// A grant is written only where the log says that the one before has left.
///
/// The state of a lock is held or free, nothing else. If the log holds two grants at once, a
/// restart makes two holders of them, whatever the leases say. Mutual exclusion: Dijkstra,
/// "Solution of a Problem in Concurrent Programming Control", CACM 8(9), 1965.
#[derive(Clone, Debug)]
pub struct OneHolderPerLock;

impl Invariant<FileService> for OneHolderPerLock {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Granted])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Appended { node: NodeId::CONTROL, position, record, .. } = *seen else {
            return Ok(());
        };
        let Record::Granted { path, request, token } = record else { return Ok(()) };
        let before = model.locks.before(position);
        let Some(held) = before.and_then(|lock| lock.holder.as_ref()) else {
            return Ok(());
        };
        let (holder, held_token) = held.is;
        let earlier = format!(
            "control granted the lock of {path} to {holder} under {held_token}, and has not \
             written since that {holder} left it"
        );
        let now = format!("control grants the lock of {path} to {request} under {token}");
        Err(Breach::of(
            Evidence::at(held.step, earlier).about(path).about(holder),
            Evidence::at(model.step, now).about(path).about(*request),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    #[test]
    fn a_second_grant_before_the_first_has_left() {
        let mut play = Play::new(OneHolderPerLock);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.is_broken_by("one_holder_per_lock", (1, "c1.1#1 under t1"), (2, "to c2.1#1 under t2"));
    }

    #[test]
    fn a_second_grant_after_the_first_has_left() {
        let mut play = Play::new(OneHolderPerLock);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 2));
        play.holds();
    }

    #[test]
    fn the_record_that_freed_the_lock_is_lost_in_a_crash() {
        let mut play = Play::new(OneHolderPerLock);
        play.at(1).logs(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).appends(CONTROL, left("/a", request(1, 1)));
        play.at(3).crashes(CONTROL);
        play.at(4).starts(CONTROL);
        play.at(5).appends(CONTROL, granted("/a", request(2, 1), 2));
        play.is_broken_by("one_holder_per_lock", (1, "c1.1#1"), (5, "c2.1#1"));
    }

    #[test]
    fn a_grant_that_was_lost_in_a_crash_is_none() {
        let mut play = Play::new(OneHolderPerLock);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).crashes(CONTROL);
        play.at(3).starts(CONTROL);
        play.at(4).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.holds();
    }
}
