//! No service of what is out of date.

use crate::file_service::oracle::model::in_words;
use crate::file_service::oracle::model::served_in_epoch::{Service, What, services};
use crate::file_service::oracle::{
    Breach, Committed, Evidence, Invariant, Moment, Seen, SeenKinds,
};
use seedbed::proto::{FileService, Path, Version};

/// What an owner answers or votes on, with no other vote of its own on the path, is what was
/// decided there last.
///
/// Whatever is decided took the vote of every owner, and from its vote on an owner serves no other
/// request until it has applied the decision. So an owner that serves one is up to date, unless it
/// has become an owner without what the owners before it had: a hand-over that was too short, came
/// too late or was undone by something older. Raynal, "Concurrent Programming", 2013, ch. 16, calls
/// a register like that atomic; Lamport, Malkhi, Zhou, "Reconfiguring a State Machine", 2010.
#[derive(Clone, Debug)]
pub struct AServingOwnerHasTheLastDecidedContents;

impl Invariant<FileService> for AServingOwnerHasTheLastDecidedContents {
    fn interest(&self) -> SeenKinds {
        services()
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Some(service) = model.services.given_by(seen) else { return Ok(()) };
        let node = service.node;
        if service.since < model.step {
            return Ok(()); // what was decided when it was put together is not known
        }
        let own = match &service.what {
            What::Vote(txn) => Some(*txn),
            What::OwnPart(_) => return Ok(()), // it stores the new contents by now
            What::Read(..) => None,
        };
        let stored = world.host(node).storage().map(|storage| storage.files());
        let pins = model.memory.pins(node);
        for path in service.paths.iter() {
            let (version, contents) = match (&service.what, stored) {
                (What::Read(_, version, contents), _) => (*version, contents.as_ref()),
                (_, Some(files)) => {
                    let file = files.get(path);
                    let version = file.map_or_else(Version::default, |file| file.version);
                    (version, file.and_then(|file| file.contents.as_ref()))
                }
                (_, None) => continue,
            };
            let Some(last) = model.last(path) else { continue };
            let is_last = (version, contents) == (last.file.version, last.file.contents.as_ref());
            // What its own log has decided and not yet made durable may be newer.
            if is_last || version > last.file.version {
                continue;
            }
            let pin = pins.and_then(|pins| pins.get(path));
            if pin.is_some_and(|pin| Some(pin.is) != own) {
                continue; // for in_doubt_keeps_its_pins to say
            }
            return Err(out_of_date(path, &in_words(version, contents), last, service, model.step));
        }
        Ok(())
    }
}

fn out_of_date(path: &Path, is: &str, last: &Committed, service: &Service, step: u64) -> Breach {
    let (txn, was) = (last.txn, in_words(last.file.version, last.file.contents.as_ref()));
    let earlier = format!("{txn}, the last commit to {path}, left it as {was}");
    let now = service.fact(step).reworded(|what| format!("{what}, with {path} as {is}"));
    Breach::of(Evidence::at(last.step, earlier).about(txn).about(path), now.about(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, c, decided, ended_done, found, n, read_of, request, txn, voted_in,
    };

    fn play() -> Play {
        let mut play = Play::managed(AServingOwnerHasTheLastDecidedContents);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play.receives(c(1), n(2), read_of(request(1, 1), "/a"));
        play
    }

    #[test]
    fn an_old_answer_or_a_vote_on_old_contents_is_a_breach() {
        let answer = ended_done(request(1, 1), &[found(0, None)]);
        let breach = play().sends(n(2), c(1), answer).breaks();
        assert_eq!(breach.earlier.is, "n1.1/1, the last commit to /a, left it as \"x\" at v1");
        assert!(breach.now.is.ends_with("with /a as no file yet"));
        let mut votes = play();
        votes.really_starts(n(2));
        votes.appends(n(2), voted_in(1, txn(2), "/a", 2, "y")).breaks();
    }

    #[test]
    fn the_last_contents_an_older_pin_and_an_answer_held_back_are_none() {
        let mut play = play();
        play.sends(n(2), c(1), ended_done(request(1, 1), &[found(1, Some("x"))]));
        play.appends(n(2), voted_in(1, txn(2), "/a", 2, "y"));
        play.receives(c(1), n(2), read_of(request(1, 2), "/a"));
        play.sends(n(2), c(1), ended_done(request(1, 2), &[found(0, None)]));
        play.receives(c(1), n(3), read_of(request(1, 3), "/a"));
        play.appends(n(3), voted_in(1, txn(3), "/b", 1, "y"));
        play.syncs(n(3)).and().sends(n(3), c(1), ended_done(request(1, 3), &[found(0, None)]));
        play.holds();
    }
}
