//! The users of the workload and the request that each waits for.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId, Span};
use seedbed::proto::{Reply, Request};

use crate::draw::workload::User;
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
pub(super) struct Next {
    pub user: UserId,
    pub think: Span,
    pub request: Request,
}

/// The users of a run.
#[derive(Debug)]
pub(super) struct Users(BTreeMap<UserId, Asker>);

/// A user and the request that it waits for.
#[derive(Debug)]
struct Asker {
    user: User,
    awaits: Option<RequestId>,
}

impl Users {
    /// The users of each client, if `scenario` has a workload.
    pub fn new(scenario: &Scenario, seed: Seed) -> Users {
        let Some(workload) = &scenario.workload else { return Users(BTreeMap::new()) };
        let clients = scenario.cast.clients();
        let all = clients
            .flat_map(|client| (0..workload.at_once).map(move |place| UserId { client, place }));
        let asker = |id: UserId| {
            let user = User::new(workload, scenario, seed, (id.client, id.place));
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
    pub fn on_replied(&mut self, request: RequestId, reply: &Reply) -> Option<Next> {
        let mut askers = self.of_client(request.client);
        let (user, asker) = askers.find(|(_, asker)| asker.awaits == Some(request))?;
        asker.awaits = None;
        let (think, request) = asker.user.on_reply(reply)?;
        Some(Next { user, think, request })
    }

    /// What the users of `client` ask for first in this life.
    pub fn on_started(&mut self, client: NodeId) -> Vec<Next> {
        let begin = |(user, asker): (UserId, &mut Asker)| {
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

    fn of_client(&mut self, client: NodeId) -> impl Iterator<Item = (UserId, &mut Asker)> {
        let place = |place| UserId { client, place };
        self.0.range_mut(place(0)..=place(u16::MAX)).map(|(user, asker)| (*user, asker))
    }
}
