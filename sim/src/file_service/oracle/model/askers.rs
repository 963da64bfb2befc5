//! Which of the users of a client has asked what.
//!
//! A client serves several users at once. A user that waits for an answer does nothing else, and
//! the other users of its client go on.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId};

/// A user of a client, by its place among them.
pub(in crate::file_service::oracle) type Asker = (NodeId, u16);

/// The place of what asks by a script: no workload has so many users.
const SCRIPTED: u16 = u16::MAX;

/// For each request the user that asked its client for it.
#[derive(Clone, Debug, Default)]
pub struct Askers {
    /// The places of the users of the workload.
    places: BTreeMap<RequestId, u16>,
    /// The place of the one that asks next.
    next: Option<u16>,
}

impl Askers {
    /// The user that has asked this. All that scripts and probes ask of a client counts as asked by
    /// one more user: a file says in all scripts together what the client does.
    pub(in crate::file_service::oracle) fn of(&self, request: RequestId) -> Asker {
        (request.client, self.places.get(&request).copied().unwrap_or(SCRIPTED))
    }

    /// The next request is asked by the user at this place.
    pub(super) fn on_told(&mut self, place: u16) {
        self.next = Some(place);
    }

    pub(super) fn on_requested(&mut self, request: RequestId) {
        if let Some(place) = self.next.take() {
            self.places.insert(request, place);
        }
    }
}
