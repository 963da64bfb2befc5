//! What users were asked for, and what they were told: what the end of a run is judged by.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::machine::{RequestId, Time};

use super::scheduled::Cause;
use crate::oracle::blocked::{Wait, WaitKind};
use crate::trace::Detail;
use crate::under_test::UnderTest;
use crate::verdict::RequestCounts;
use crate::world::{Event, Fact, Step, World};

/// The requests of a run.
#[derive(Debug)]
pub(super) struct Requests<S: UnderTest> {
    asked: BTreeMap<RequestId, Asked<S>>,
    /// The first answer that a client may not give, in words.
    wrong_answer: Option<String>,
}

/// A request, and its first answer.
#[derive(Debug)]
pub(super) struct Asked<S: UnderTest> {
    wanted: Arc<S::Request>,
    at: Time,
    is_probe: bool,
    /// The answer, if there is one.
    pub reply: Option<S::Reply>,
}

impl<S: UnderTest> Default for Requests<S> {
    fn default() -> Requests<S> {
        Requests { asked: BTreeMap::new(), wrong_answer: None }
    }
}

impl<S: UnderTest> Requests<S> {
    /// Takes over what a step asks and answers.
    pub fn observe(&mut self, step: &Step<S>, cause: Cause) {
        for fact in &step.facts {
            match fact {
                Fact::Requested { request } => {
                    let Event::Request { request: wanted, .. } = &step.event else { continue };
                    let (wanted, is_probe) = (wanted.clone(), matches!(cause, Cause::Probe(_)));
                    let asked = Asked { wanted, at: step.at, is_probe, reply: None };
                    self.asked.insert(*request, asked);
                }
                Fact::Replied { request, reply } => self.answered(*request, reply),
                _ => {} // no user has a part in it
            }
        }
    }

    fn answered(&mut self, request: RequestId, reply: &S::Reply) {
        let wrong = match self.asked.get_mut(&request) {
            None => format!("a client answers {request}, which it was never asked"),
            Some(asked) if asked.reply.is_some() => {
                format!("{request} is answered again: {}", S::reply_in_words(reply, Detail::Brief))
            }
            Some(asked) => return asked.reply = Some(reply.clone()),
        };
        self.wrong_answer.get_or_insert(wrong);
    }

    /// A client answers what it was asked, and once.
    ///
    /// # Panics
    /// Otherwise: the code under test is wrong.
    pub fn are_answered_once(&self) {
        if let Some(wrong) = &self.wrong_answer {
            panic!("{wrong}");
        }
    }

    /// The request of this id, if it was asked.
    pub fn get(&self, request: RequestId) -> Option<&Asked<S>> {
        self.asked.get(&request)
    }

    /// Those of users by how they ended.
    pub fn count(&self, is_meant: impl Fn(&RequestId) -> bool) -> RequestCounts {
        let mut counts = RequestCounts::default();
        let of_users = self.asked.iter().filter(|(_, asked)| !asked.is_probe);
        for (_, asked) in of_users.filter(|(request, _)| is_meant(request)) {
            counts.add(asked.reply.as_ref().map(|reply| S::outcome(reply)));
        }
        counts
    }

    /// Requests that live clients have not answered.
    pub fn unanswered(&self, world: &World<S>) -> impl Iterator<Item = Wait> {
        let open = self.asked.iter().filter(|(_, asked)| asked.reply.is_none());
        let alive = open.filter(|(request, _)| {
            let host = world.host(request.client);
            host.is_up() && host.incarnation() == request.incarnation
        });
        alive.map(|(request, asked)| {
            let gives_up = asked.at + S::request_timeout(world.config());
            Wait {
                kind: WaitKind::UNANSWERED,
                machine: request.client,
                for_what: format!(
                    "the answer to {request}: {}",
                    S::request_in_words(&asked.wanted, Detail::Brief)
                ),
                since: asked.at,
                released_by: match world.host(request.client).is_paused() {
                    true => format!("{} going on", request.client),
                    false => format!("an answer, or its client giving up at about {gives_up}"),
                },
            }
        })
    }
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use seedbed::machine::{NodeId, Span};
    use seedbed::proto::{Config, FileService, Path, Request, Settings};

    use super::*;
    use crate::file_service::{Stage, Step, World};
    use crate::world::Watcher;

    impl Watcher<FileService> for Requests<FileService> {
        fn watch(&mut self, _world: &World, step: &Step) {
            self.observe(step, Cause::Other);
        }
    }

    /// Two clients ask for one lock; the first keeps it.
    #[test]
    fn a_live_client_that_has_not_answered_waits_and_a_dead_one_does_not() {
        let world = World::of_config(Config::new(Settings::default()).unwrap(), 2);
        let mut stage = Stage::new(world, Requests::default());
        stage.start_all();
        let lock = || Request::Acquire { path: Path::new("/a").unwrap(), wait: true };
        stage.request(NodeId::client(1), lock());
        stage.run(Span::from_millis(500));
        let at = stage.now();
        let second = stage.request(NodeId::client(2), lock());
        stage.run(Span::from_millis(500));
        let waits: Vec<Wait> = stage.watcher.unanswered(&stage.world).collect();
        let [wait] = &waits[..] else { panic!("{waits:#?}") };
        assert_eq!((wait.kind, wait.machine), (WaitKind::UNANSWERED, second.client));
        assert_eq!(wait.for_what, format!("the answer to {second}: the lock of /a"));
        assert!(wait.since >= at, "{wait:?}");
        assert_eq!(stage.watcher.count(|_| true).unanswered(), 1);
        stage.crash_keeping(second.client, 0);
        assert_eq!(stage.watcher.unanswered(&stage.world).count(), 0);
    }
}
