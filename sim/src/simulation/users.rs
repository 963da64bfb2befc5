//! The users of the workload and the request that each waits for.

use std::collections::BTreeMap;

use seedbed::proto::{NodeId, Reply, Request, RequestId, Span};

use crate::draw::workload::User;
use crate::scenario::Scenario;
use crate::seed::{Seed, code};

/// The users of a run, by client.
#[derive(Debug)]
pub(super) struct Users(BTreeMap<NodeId, Asker>);

/// A user and the request that it waits for.
#[derive(Debug)]
struct Asker {
    user: User,
    awaits: Option<RequestId>,
}

impl Users {
    /// One user for each client, if `scenario` has a workload.
    pub fn new(scenario: &Scenario, seed: Seed) -> Users {
        let Some(workload) = &scenario.workload else { return Users(BTreeMap::new()) };
        let cast = scenario.cast;
        let user = |client: NodeId| {
            let stream = seed.stream("user", code(client).into());
            let user = User::new(workload, stream, client.number(), cast);
            (client, Asker { user, awaits: None })
        };
        Users(scenario.cast.clients().map(user).collect())
    }

    /// What the user of `client` asked for got this id.
    pub fn on_requested(&mut self, request: RequestId) {
        if let Some(asker) = self.0.get_mut(&request.client) {
            asker.awaits = Some(request);
        }
    }

    /// What the user asks for after this answer, and how long it thinks before.
    pub fn on_replied(&mut self, request: RequestId, reply: &Reply) -> Option<(Span, Request)> {
        let asker = self.0.get_mut(&request.client)?;
        asker.awaits.take_if(|awaited| *awaited == request)?;
        asker.user.on_reply(reply)
    }

    /// What the user of `client` asks for first in this life, and how long it thinks before.
    pub fn on_started(&mut self, client: NodeId) -> Option<(Span, Request)> {
        let asker = self.0.get_mut(&client)?;
        asker.awaits = None;
        asker.user.begin()
    }

    /// No user begins anything new.
    pub fn stop(&mut self) {
        self.0.values_mut().for_each(|asker| asker.user.stop());
    }
}
