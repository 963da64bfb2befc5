//! The users of the workload and the request that each waits for.

use crate::under_test::{UnderTest, User};
use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId, Span};

use crate::scenario::Scenario;
use crate::seed::Seed;

/// One of the users of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UserId {
    pub client: NodeId,
    /// Its place among the users of the client, from 0.
    pub place: u16,
}

/// What a user asks for next, and how long it thinks before.
#[derive(Debug)]
pub(super) struct Next<S: UnderTest> {
    pub user: UserId,
    pub think: Span,
    pub request: S::Request,
}

/// The users of a run.
#[derive(Debug)]
pub(super) struct Users<S: UnderTest>(BTreeMap<UserId, Asker<S>>);

/// A user and the request that it waits for.
#[derive(Debug)]
struct Asker<S: UnderTest> {
    user: S::User,
    awaits: Option<RequestId>,
}

impl<S: UnderTest> Users<S> {
    /// The users of each client, if `scenario` has a workload.
    pub fn new(scenario: &Scenario<S>, seed: Seed) -> Users<S> {
        let Some(workload) = &scenario.workload else { return Users(BTreeMap::new()) };
        let clients = scenario.cast.clients();
        let all = clients.flat_map(|client| {
            (0..S::User::per_client(workload)).map(move |place| UserId { client, place })
        });
        let asker = |id: UserId| {
            let user = S::User::new(workload, scenario, seed, (id.client, id.place));
            (id, Asker { user, awaits: None })
        };
        Users(all.map(asker).collect())
    }

    /// What the user asked for got this id.
    pub fn on_requested(&mut self, user: UserId, request: RequestId) {
        if let Some(asker) = self.0.get_mut(&user) {
            asker.awaits = Some(request);
        }
    }

    /// What the user that waits for this answer asks for after it.
    pub fn on_replied(&mut self, request: RequestId, reply: &S::Reply) -> Option<Next<S>> {
        let mut askers = self.of_client(request.client);
        let (user, asker) = askers.find(|(_, asker)| asker.awaits == Some(request))?;
        asker.awaits = None;
        let (think, request) = asker.user.on_reply(reply)?;
        Some(Next { user, think, request })
    }

    /// What the users of `client` ask for first in this life.
    pub fn on_started(&mut self, client: NodeId) -> Vec<Next<S>> {
        let begin = |(user, asker): (UserId, &mut Asker<S>)| {
            asker.awaits = None;
            let (think, request) = asker.user.begin()?;
            Some(Next { user, think, request })
        };
        self.of_client(client).filter_map(begin).collect()
    }

    /// No user begins anything new.
    pub fn stop(&mut self) {
        self.0.values_mut().for_each(|asker| asker.user.stop());
    }

    fn of_client(&mut self, client: NodeId) -> impl Iterator<Item = (UserId, &mut Asker<S>)> {
        let place = |place| UserId { client, place };
        self.0.range_mut(place(0)..=place(u16::MAX)).map(|(user, asker)| (*user, asker))
    }
}
