//! When everything had its time, no lock is held by a client whose life is over.

use crate::file_service::oracle::model::is_alive;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};
use seedbed::proto::FileService;

/// At the end of a run the holder of every lock is a client that lives, in the life that asked for
/// it.
///
/// That is what a lease is for: a lock without one would be lost with its holder. Gray and
/// Cheriton, "Leases", SOSP 1989.
#[derive(Clone, Debug)]
pub struct EveryLockIsFreeOrHeldByALiveClient;

impl Invariant<FileService> for EveryLockIsFreeOrHeldByALiveClient {
    fn interest(&self) -> SeenKinds {
        SeenKinds::NONE
    }

    fn see(&mut self, _: &Seen<'_>, _moment: &Moment<'_>) -> Result<(), Breach> {
        Ok(())
    }

    fn at_end(&mut self, Moment { model, world, .. }: &Moment<'_>) -> Result<(), Breach> {
        for (path, lock) in model.locks.iter() {
            let Some(holder) = &lock.appended.holder else { continue };
            let (request, token) = holder.is;
            if is_alive(request.client, request, world) {
                continue;
            }
            let (client, life) = (request.client, request.incarnation);
            let granted = format!("control granted the lock of {path} to {request} under {token}");
            let now = format!(
                "at {}, when the run is over, the lock is still held, and life {life} of {client} \
                 is over",
                model.now
            );
            return Err(Breach::of(
                Evidence::at(holder.step, granted).about(path).about(request),
                Evidence::at(model.step, now).about(path),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    const NAME: &str = "every_lock_is_free_or_held_by_a_live_client";

    #[test]
    fn a_lock_is_held_by_a_client_that_is_down() {
        let mut play = Play::new(EveryLockIsFreeOrHeldByALiveClient);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).ends();
        play.is_broken_by(NAME, (1, "to c1.1#1 under t1"), (2, "i1 of c1 is over"));
    }

    #[test]
    fn a_lock_is_held_by_a_client_that_is_up() {
        let mut play = Play::new(EveryLockIsFreeOrHeldByALiveClient);
        play.at(1).really_starts(c(1)).and().appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).ends();
        play.holds();
    }

    #[test]
    fn the_lock_of_a_client_that_is_down_is_free() {
        let mut play = Play::new(EveryLockIsFreeOrHeldByALiveClient);
        play.at(1).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(2).appends(CONTROL, left("/a", request(1, 1))).ends();
        play.holds();
    }
}
