//! Mistakes of clients about what they answer that need code.

use seedbed::proto::{Outcome, Reply, Version};
use seedbed_sim::oracle::Model;

use crate::mutation::altered_replay::Shown;

/// A client takes a refusal for success.
pub fn takes_a_refusal_for_success(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.replied(|_, reply| match reply {
        Reply::Refused(_) => {
            *reply = Reply::Done([Outcome::Changed(Version(2))].into());
            true
        }
        _ => false,
    })
}

/// A client does not know what it has been told.
pub fn says_unknown_for_no_reason(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.replied(|_, reply| match reply {
        Reply::Done(_) => {
            *reply = Reply::Unknown;
            true
        }
        _ => false,
    })
}
