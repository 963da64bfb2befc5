//! A run in which something is asked gets something done or refused.

use seedbed::machine::{Class, NodeId, RequestId};
use seedbed::proto::{FileService, Reply, Request};

use super::paths_of;
use crate::file_service::oracle::copies::needs_no_operator;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};

/// Of the answerable requests of a run at least one is done or refused, and of those on files at
/// least one by themselves.
///
/// A service that times out every request breaks no promise about what it did, so safety alone
/// would let it pass: Alpern and Schneider, "Defining Liveness", Information Processing Letters
/// 21(4), 1985. A lock that is released says nothing of files. Locks are not judged by themselves:
/// where a round trip takes longer than a lease, each acquire ends unknown, and rightly so. Whether
/// a refusal is right is for `refusals_state_a_true_reason`. A request is answerable if, from when
/// it is asked to when it is answered, its client, the storage nodes and the central node are up,
/// run at their pace, and are not cut off from each other, and when it is answered no file that it
/// asks about needs the operator to accept a loss. A loss of messages excuses nothing: a run that
/// loses all of them shows nothing. Probes do not count, because the network is calm for them.
#[derive(Clone, Debug, Default)]
pub struct SomeRequestIsDoneOrRefused {
    on_files: Answers,
    all: Answers,
}

/// How requests were answered.
#[derive(Clone, Debug, Default)]
struct Answers {
    /// Is one of them done or refused?
    is_any: bool,
    /// Answerable requests that ended unknown.
    unknown: usize,
    /// The first of them.
    first: Option<At<RequestId>>,
}

impl Invariant<FileService> for SomeRequestIsDoneOrRefused {
    fn interest(&self) -> SeenKinds {
        SeenKinds::REPLIED
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Replied { request, reply } = *seen else { return Ok(()) };
        if self.on_files.is_any || model.probes.get(request).is_some() {
            return Ok(());
        }
        self.all.take(request, reply, model);
        if let Some(Request::Files { .. }) = model.requests.wanted(request) {
            self.on_files.take(request, reply, model);
        }
        Ok(())
    }

    fn at_end(&mut self, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        self.on_files.judge("requests on files", model)?;
        self.all.judge("requests", model)
    }
}

impl Answers {
    fn take(&mut self, request: RequestId, reply: &Reply, model: &Model) {
        self.is_any |= *reply != Reply::Unknown;
        if !self.is_any && is_answerable(request, model) {
            self.unknown += 1;
            self.first.get_or_insert(At { step: model.step, is: request });
        }
    }

    fn judge(&self, of: &str, model: &Model) -> Result<(), Breach> {
        let Some(&At { step, is: request }) = self.first.as_ref().filter(|_| !self.is_any) else {
            return Ok(());
        };
        let earlier = format!("{request} ends unknown, and every machine was up and connected");
        let now = format!("the run is over, and all {} such {of} ended so", self.unknown);
        Err(Breach::of(
            Evidence::at(step, earlier).about(request),
            Evidence::at(model.step, now).about(request),
        ))
    }
}

fn is_answerable(request: RequestId, model: &Model) -> bool {
    let is_one = |node: NodeId| node.class() != Class::Client || node == request.client;
    let asked = model.requests.get(&request);
    asked.is_some_and(|asked| !model.disturbances.parted(is_one, asked.asked.is))
        && paths_of(request, model).iter().all(|path| needs_no_operator(path, model))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::Refusal;

    const EXISTS: Reply = Reply::Refused(Refusal::Exists);

    /// Each of several requests is answered like this.
    fn answered(replies: &[Reply]) -> Play {
        let mut play = Play::new(SomeRequestIsDoneOrRefused::default());
        for (number, reply) in (1..).zip(replies) {
            play.requests(request(1, number), writes("/a", "1"));
            play.loses(c(1), n(1), release("/a", request(1, number), 1));
            play.replies(request(1, number), reply.clone());
        }
        play
    }

    #[test]
    fn every_message_is_lost() {
        let breach = answered(&[Reply::Unknown, Reply::Unknown]).ends().breaks();
        assert_eq!(breach.now.is, "the run is over, and all 2 such requests on files ended so");
    }

    #[test]
    fn one_of_several_is_done_or_refused() {
        answered(&[Reply::Unknown, Reply::Unknown, done_writing()]).ends().holds();
        answered(&[Reply::Unknown, EXISTS, Reply::Unknown]).ends().holds();
    }

    /// A user asks for a lock and another for a file.
    fn both(on_lock: Reply, on_file: Reply) -> Play {
        let mut play = Play::new(SomeRequestIsDoneOrRefused::default());
        play.requests(request(1, 1), lock("/a"));
        play.requests(request(2, 1), writes("/a", "1"));
        play.replies(request(1, 1), on_lock);
        play.replies(request(2, 1), on_file).ends();
        play
    }

    #[test]
    fn a_lock_says_nothing_of_files() {
        let held = || Reply::Refused(Refusal::Held);
        both(held(), done_writing()).holds();
        let breach = both(held(), Reply::Unknown).breaks();
        assert_eq!(breach.now.is, "the run is over, and all 1 such requests on files ended so");
    }

    #[test]
    fn locks_are_judged_only_where_no_file_gets_done() {
        both(Reply::Unknown, done_writing()).holds();
        let mut play = Play::new(SomeRequestIsDoneOrRefused::default());
        play.requests(request(1, 1), lock("/a"));
        let breach = play.replies(request(1, 1), Reply::Unknown).ends().breaks();
        assert_eq!(breach.now.is, "the run is over, and all 1 such requests ended so");
    }

    #[test]
    fn a_machine_is_down() {
        let mut play = Play::new(SomeRequestIsDoneOrRefused::default());
        play.at(1).requests(request(1, 1), writes("/a", "1"));
        play.at(2).crashes(n(2));
        play.at(3).replies(request(1, 1), Reply::Unknown);
        play.at(4).ends().holds();
    }

    #[test]
    fn a_file_waits_for_the_operator() {
        for is_the_only_copy in [true, false] {
            let mut play = Play::managed(SomeRequestIsDoneOrRefused::default());
            play.views(1, &[n(1), n(2)]).is_complete(n(1), 1);
            if !is_the_only_copy {
                play.is_complete(n(2), 1);
            }
            play.loses_its_disk(n(1));
            play.starts(n(1));
            play.at(1).requests(request(1, 1), writes("/a", "1"));
            play.at(2).replies(request(1, 1), Reply::Unknown).ends();
            assert_eq!(play.is_lawful(), is_the_only_copy);
        }
    }
}
