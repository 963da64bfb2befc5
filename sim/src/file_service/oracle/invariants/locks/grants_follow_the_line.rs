//! A lock goes to the first live waiter in line.

use crate::file_service::World;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{FileService, Path, Record, RecordKind};

/// A grant goes to the first in line, in the order of the log, that is alive; no waiter that is
/// alive is taken out.
///
/// The order is that of the forced `queued` records and not that of sending, which no machine can
/// know. A waiter is alive if the lock server has heard it in its present life and within a lease,
/// as the server's clock counts one. Fairness as in the lock recipe of Hunt et al., "ZooKeeper:
/// Wait-free Coordination for Internet-scale Systems", USENIX ATC 2010, section 2.4.
#[derive(Clone, Debug)]
pub struct GrantsFollowTheLine;

impl Invariant<FileService> for GrantsFollowTheLine {
    fn interest(&self) -> SeenKinds {
        SeenKinds::appended(&[RecordKind::Granted, RecordKind::Left])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Seen::Appended { node: NodeId::CONTROL, position, record, .. } = *seen else {
            return Ok(());
        };
        let line = model.locks.before(position).map_or(&[][..], |lock| &lock.line);
        match record {
            Record::Granted { path, request, .. } => {
                Self::judge_grant(line, path, *request, model, world)
            }
            Record::Left { path, request } => {
                Self::judge_leaving(line, path, *request, model, world)
            }
            _ => Ok(()),
        }
    }
}

impl GrantsFollowTheLine {
    fn judge_grant(
        line: &[At<RequestId>],
        path: &Path,
        request: RequestId,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let now = || {
            let is = format!("control grants the lock of {path} to {request}");
            Evidence::at(model.step, is).about(path).about(request)
        };
        let Some(place) = line.iter().position(|waiting| waiting.is == request) else {
            let earlier = format!("control's log does not say that {request} stands in line");
            return Err(Breach::of(Evidence::at(model.step, earlier).about(request), now()));
        };
        let reading = model.heard_now(world).reading;
        let ahead = line[..place].iter();
        match ahead.clone().find(|ahead| model.hearing.is_live(ahead.is, reading)) {
            None => Ok(()),
            Some(ahead) => {
                let heard =
                    model.hearing.last_surely(ahead.is).map_or(model.now, |heard| heard.time);
                let earlier = format!(
                    "{} took its place in the line for {path}, ahead of {request}; control has \
                     heard of it at {heard}, less than a lease ago",
                    ahead.is
                );
                let earlier = Evidence::at(ahead.step, earlier).about(ahead.is);
                Err(Breach::of(earlier.about(path).about(request), now()))
            }
        }
    }

    fn judge_leaving(
        line: &[At<RequestId>],
        path: &Path,
        request: RequestId,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        if !line.iter().any(|waiting| waiting.is == request) {
            return Ok(()); // it is the holder that leaves
        }
        let reading = model.heard_now(world).reading;
        match model.hearing.before_leaving(request) {
            Some(heard) if heard.is_within_a_lease(reading) => {
                let earlier = format!(
                    "{request} stands in line for the lock of {path}, and control heard of it at {}",
                    heard.time
                );
                let now =
                    format!("control takes {request} out of the line less than a lease later");
                Err(Breach::of(
                    Evidence::at(heard.step, earlier).about(request).about(path),
                    Evidence::at(model.step, now).about(request),
                ))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;

    fn two_in_line() -> Play {
        let mut play = Play::new(GrantsFollowTheLine);
        play.at(1).receives(c(1), CONTROL, acquire("/a", request(1, 1)));
        play.and().appends(CONTROL, queued("/a", request(1, 1)));
        play.at(2).receives(c(2), CONTROL, acquire("/a", request(2, 1)));
        play.and().appends(CONTROL, queued("/a", request(2, 1)));
        play
    }

    #[test]
    fn the_second_in_line_is_served_first() {
        let mut play = two_in_line();
        play.at(3).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("grants_follow_the_line", (1, "c1.1#1 took its place"), (3, "to c2.1#1"));
    }

    #[test]
    fn the_first_in_line_is_served_first() {
        let mut play = two_in_line();
        play.at(3).appends(CONTROL, granted("/a", request(1, 1), 1));
        play.at(4).appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 2));
        play.holds();
    }

    #[test]
    fn the_first_in_line_has_gone_quiet() {
        let mut play = two_in_line();
        play.at(9_000).receives(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
        play.at(10_007).appends(CONTROL, left("/a", request(1, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 1));
        play.holds();
    }

    #[test]
    fn the_first_in_line_is_passed_over_a_moment_before_its_lease_is_over() {
        let mut play = two_in_line();
        play.at(9_000).receives(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
        play.at(10_005).appends(CONTROL, granted("/a", request(2, 1), 1));
        play.is_broken_by("grants_follow_the_line", (1, "c1.1#1"), (4, "c2.1#1"));
    }

    #[test]
    fn a_waiter_that_is_heard_again_first_after_a_restart_may_pass() {
        let mut play = two_in_line();
        play.at(3).crashes_keeping(CONTROL, 2);
        play.at(4).starts(CONTROL);
        play.at(5).receives(c(2), CONTROL, keeps_waiting("/a", request(2, 1)));
        play.and().appends(CONTROL, granted("/a", request(2, 1), 1));
        play.holds();
    }

    #[test]
    fn a_live_waiter_is_taken_out_of_the_line() {
        let mut play = two_in_line();
        play.at(10_004).appends(CONTROL, left("/a", request(2, 1)));
        play.is_broken_by(
            "grants_follow_the_line",
            (2, "c2.1#1 stands in line"),
            (3, "out of the line"),
        );
    }

    #[test]
    fn a_grant_to_a_client_that_never_stood_in_line() {
        let mut play = two_in_line();
        play.at(3).appends(CONTROL, granted("/a", request(1, 7), 1));
        play.is_broken_by("grants_follow_the_line", (3, "c1.1#7 stands in line"), (3, "to c1.1#7"));
    }
}
