//! Mistakes of clients about what they answer that need code.

use seedbed::proto::{Outcome, Reply, Version};
use seedbed_sim::file_service::oracle::Model;

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

/// A client that has told its user of a file answers the next read with what was there before.
pub fn goes_back_before_the_first_write(model: &Model, shown: &mut Shown<'_>) -> bool {
    let has_told = model.requests.values().any(|asked| match &asked.reply {
        Some(reply) => matches!(&reply.is, Reply::Done(found) if is_first_version(&found[0])),
        None => false,
    });
    has_told
        && shown.replied(|_, reply| match reply {
            Reply::Done(found) if is_first_version(&found[0]) => {
                *reply = Reply::Done([Outcome::Found(Version(0), None)].into());
                true
            }
            _ => false,
        })
}

fn is_first_version(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Found(Version(1), Some(_)))
}
