//! Users that wait for each other's locks in a circle.

use std::collections::BTreeSet;

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Path, Reply, Request, Token};

use super::{StepTimes, Wait, kind};
use crate::file_service::World;
use crate::file_service::oracle::model::askers::Asker;
use crate::file_service::oracle::model::is_alive;
use crate::file_service::oracle::{At, Model};

/// A request that waits for a lock, and the one that holds it.
struct Edge<'a> {
    waiting: &'a At<RequestId>,
    path: &'a Path,
    holder: RequestId,
    token: Token,
}

/// The circle of waits that `request` stands in, as the lock server's log has them; nothing if
/// there is none.
///
/// Each user of a circle holds a lock and waits for the next user's, so none of the locks is
/// released before a request times out: Coffman, Elphick, Shoshani, "System Deadlocks", Computing
/// Surveys 3(2), 1971. A client is no unit here: while one of its users waits, another goes on and
/// gives its lock back. A holder counts if its user was told that it has the lock, and its client
/// has not been asked for its release. After a restart the lock server counts every grant of its
/// log as held for one lease, also a grant that is over. In that time nothing is said.
pub fn deadlock(request: RequestId, world: &World, model: &Model, times: &StepTimes) -> Vec<Wait> {
    let lease = model.views.lock_lease(world.config());
    let since = model.hearing.since();
    let is_restarted = model.life(NodeId::CONTROL).0 > 1;
    if is_restarted && model.now < times.of(since) + lease.times(2) {
        return Vec::new();
    }
    let mut circle = Vec::new();
    let end = model.askers.of(request);
    let first = edges(end, world, model).find(|edge| edge.waiting.is == request);
    let Some(first) = first else { return Vec::new() };
    let to = model.askers.of(first.holder);
    circle.push(first);
    let mut seen = BTreeSet::new();
    if !leads(to, end, world, model, &mut seen, &mut circle) {
        return Vec::new();
    }
    let order: Vec<String> = circle.iter().map(|edge| edge.waiting.is.client.to_string()).collect();
    let order = format!("{}, {}", order.join(", "), request.client);
    circle.iter().map(|edge| wait(edge, times, &order)).collect()
}

fn wait(Edge { waiting, path, holder, token }: &Edge<'_>, times: &StepTimes, order: &str) -> Wait {
    Wait {
        kind: kind::DEADLOCK,
        machine: waiting.is.client,
        for_what: format!("the lock of {path}, which {holder} holds under {token}"),
        since: times.of(waiting.step),
        released_by: format!("a time-out alone: each waits for the next of {order}"),
    }
}

/// Does a chain of waits lead from `user` to `end`? Then it stands at the end of `circle`.
fn leads<'a>(
    user: Asker,
    end: Asker,
    world: &World,
    model: &'a Model,
    seen: &mut BTreeSet<Asker>,
    circle: &mut Vec<Edge<'a>>,
) -> bool {
    if user == end {
        return true;
    }
    if !seen.insert(user) {
        return false;
    }
    for edge in edges(user, world, model) {
        let next = model.askers.of(edge.holder);
        circle.push(edge);
        if leads(next, end, world, model, seen, circle) {
            return true;
        }
        circle.pop();
    }
    false
}

/// The locks that `user` waits for and that another request of a live client holds.
fn edges<'a>(
    user: Asker,
    world: &World,
    model: &'a Model,
) -> impl Iterator<Item = Edge<'a>> + use<'a> {
    let is_told = |holder: &RequestId, path: &Path| {
        let asked = model.requests.get(holder);
        let reply = asked.and_then(|asked| asked.reply.as_ref()).map(|reply| &reply.is);
        let has_lock = matches!(reply, Some(Reply::Acquired(_)));
        has_lock && is_alive(holder.client, *holder, world) && !is_released(*holder, path, model)
    };
    let mut edges = Vec::new();
    for (path, lock) in model.locks.iter() {
        let Some(At { is: (holder, token), .. }) = lock.appended.holder else { continue };
        if !is_told(&holder, path) {
            continue;
        }
        let of_user = |waiting: &&At<RequestId>| {
            model.askers.of(waiting.is) == user && is_alive(user.0, waiting.is, world)
        };
        let waiting = lock.appended.line.iter().filter(of_user);
        edges.extend(waiting.map(|waiting| Edge { waiting, path, holder, token }));
    }
    edges.into_iter()
}

/// Has the client of `holder` been asked for the release of its lock of `path`?
fn is_released(holder: RequestId, path: &Path, model: &Model) -> bool {
    let last = RequestId { number: u32::MAX, ..holder };
    model.requests.range(holder..last).any(|(_, asked)| match &asked.wanted {
        Request::Release { path: released } => released == path,
        Request::Acquire { .. } | Request::Files { .. } => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::Told;
    use crate::file_service::oracle::invariants::requests::EveryRequestEnds;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Record;

    const CONTROL: NodeId = NodeId::CONTROL;

    fn queued(at: &str, request: RequestId) -> Record {
        Record::Queued { path: path(at), request }
    }

    fn granted(at: &str, request: RequestId, token: u64) -> Record {
        Record::Granted { path: path(at), request, token: Token(token) }
    }

    /// c1 holds /a and c2 holds /b, each of them told so.
    fn two_holders() -> Play {
        let mut play = Play::new(EveryRequestEnds);
        for (client, at) in [(1, "/a"), (2, "/b")] {
            let request = request(client, 1);
            play.really_starts(c(client));
            play.requests(request, Request::Acquire { path: path(at), wait: true });
            play.appends(CONTROL, queued(at, request));
            play.appends(CONTROL, granted(at, request, client.into()));
            play.replies(request, Reply::Acquired(Token(client.into())));
        }
        play
    }

    fn waiting(play: &Play, request: RequestId) -> Vec<NodeId> {
        let waits = deadlock(request, play.world(), play.model(), &StepTimes::default());
        waits.iter().map(|wait| wait.machine).collect()
    }

    #[test]
    fn two_clients_lock_in_opposite_order() {
        let mut play = two_holders();
        play.appends(CONTROL, queued("/b", request(1, 2)));
        assert_eq!(waiting(&play, request(1, 2)), [], "c2 does not wait");
        play.appends(CONTROL, queued("/a", request(2, 2)));
        assert_eq!(waiting(&play, request(1, 2)), [c(1), c(2)]);
        assert_eq!(waiting(&play, request(2, 2)), [c(2), c(1)]);
        let told = deadlock(request(1, 2), play.world(), play.model(), &StepTimes::default());
        assert!(told[0].for_what.starts_with("the lock of /b, which c2.1#1 holds"), "{told:?}");
        assert!(told[0].released_by.ends_with("each waits for the next of c1, c2, c1"), "{told:?}");
    }

    #[test]
    fn a_client_waits_for_a_lock_that_another_of_its_users_holds() {
        let mut play = two_holders();
        play.is_told(Told::Asker(1));
        play.requests(request(1, 2), Request::Acquire { path: path("/a"), wait: true });
        play.appends(CONTROL, queued("/a", request(1, 2)));
        assert_eq!(waiting(&play, request(1, 2)), [], "the first user goes on");
    }

    #[test]
    fn two_clients_wait_for_each_other_and_not_the_users_that_hold() {
        let mut play = two_holders();
        for (client, at) in [(1, "/b"), (2, "/a")] {
            play.is_told(Told::Asker(1));
            play.requests(request(client, 2), Request::Acquire { path: path(at), wait: true });
            play.appends(CONTROL, queued(at, request(client, 2)));
        }
        assert_eq!(waiting(&play, request(1, 2)), []);
        // The first user of c1 waits as well now, and that of c2 does not.
        play.appends(CONTROL, queued("/b", request(1, 3)));
        assert_eq!(waiting(&play, request(1, 3)), []);
        play.appends(CONTROL, queued("/a", request(2, 3)));
        assert_eq!(waiting(&play, request(1, 3)), [c(1), c(2)]);
    }

    #[test]
    fn a_client_waits_for_its_own_lock() {
        let mut play = two_holders();
        play.appends(CONTROL, queued("/a", request(1, 2)));
        assert_eq!(waiting(&play, request(1, 2)), [c(1)]);
    }

    #[test]
    fn one_of_the_holders_has_asked_for_the_release() {
        let mut play = two_holders();
        play.appends(CONTROL, queued("/b", request(1, 2)));
        play.appends(CONTROL, queued("/a", request(2, 2)));
        play.requests(request(2, 3), Request::Release { path: path("/b") });
        assert_eq!(waiting(&play, request(1, 2)), []);
    }

    #[test]
    fn one_of_the_holders_crashed() {
        let mut play = two_holders();
        play.appends(CONTROL, queued("/b", request(1, 2)));
        play.appends(CONTROL, queued("/a", request(2, 2)));
        play.really_restarts(c(2));
        assert_eq!(waiting(&play, request(1, 2)), []);
    }
}
