//! Mistakes about what a path holds that need code.

use seedbed::proto::{Action, Contents, Message, Outcome, Reply, Request, TxnMessage, Version};
use seedbed_sim::file_service::oracle::Model;

use super::{each, first};
use crate::mutation::altered_replay::Shown;

/// A client answers a read of a deleted file from what it has read before.
pub fn answers_from_memory(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.replied(|_, reply| match reply {
        Reply::Done(answer) => first(answer, |outcome| match outcome {
            Outcome::Found(version, contents @ None) => {
                *version = Version(version.0 - 1);
                *contents = Some(Contents::from("1"));
                true
            }
            Outcome::Found(_, Some(_)) | Outcome::Changed(_) | Outcome::Lost => false,
        }),
        _ => false,
    })
}

/// A coordinator takes one owner too few for the path.
pub fn takes_one_owner_too_few(_: &Model, shown: &mut Shown<'_>) -> bool {
    shown.sent(|message| match message {
        Message::Txn(TxnMessage::Prepare { terms, .. }) => {
            let (_, fewer) = terms.participants.split_last().expect("a participant");
            terms.participants = fewer.into();
            true
        }
        _ => false,
    })
}

/// A transfer does not look whether the accounts have changed since it read them.
pub fn looks_at_no_version(request: &mut Request) {
    *request = each(request, |operation| {
        if let Action::Write(_, expected) = &mut operation.action {
            *expected = None;
        }
    });
}

/// A counter is read before its lock is held, and written after.
pub fn writes_what_it_read_before(request: &mut Request) {
    *request = each(request, |operation| {
        operation.action = Action::Write(Contents::from("1"), None);
    });
}
