//! Which of the users of a client has asked what.
//!
//! A client serves several users at once. A user that waits for an answer does nothing else, and the
//! other users of its client go on.

use std::collections::BTreeMap;

use seedbed::proto::{NodeId, RequestId};

/// A user of a client, by its place among them.
pub(in crate::oracle) type Asker = (NodeId, u16);

/// Who has asked what.
#[derive(Clone, Debug, Default)]
pub struct Askers {
    /// The places of those that are not the first of their clients.
    places: BTreeMap<RequestId, u16>,
    /// The place of the one that asks next.
    next: Option<u16>,
}

impl Askers {
    /// The user that has asked this. What scripts and probes ask counts as asked by the first user
    /// of their client: a file says in all of them together what the client does.
    pub(in crate::oracle) fn of(&self, request: RequestId) -> Asker {
        (request.client, self.places.get(&request).copied().unwrap_or(0))
    }

    /// The next request is asked by the user at this place.
    pub(super) fn on_told(&mut self, place: u16) {
        self.next = Some(place);
    }

    pub(super) fn on_requested(&mut self, request: RequestId) {
        if let Some(place) = self.next.take().filter(|place| *place > 0) {
            self.places.insert(request, place);
        }
    }
}
