//! Attempts at requests about files.

use seedbed::proto::{Ended, FileRequest};

use super::Spelled;
use crate::file_service::trace::words::{end, operations};

pub(super) fn request(request: &FileRequest) -> Spelled {
    match request {
        FileRequest::Begin { session, epoch, request, attempt, lowest, age, operations: all } => {
            let number = match attempt {
                1 => String::new(),
                _ => format!(" (attempt {attempt})"),
            };
            let origin = match age.request == *request {
                true => String::new(),
                false => format!(" by {}", age.request),
            };
            let (life, message, open) = (session.node, session.number, session.lowest);
            let waited = age.waited;
            Spelled::brief(format!("Begin {request}{number}")).needed(operations(all.iter())).rest(
                format!(
                    "has waited {waited}{origin}, waits from #{lowest}, session {life} #{message} \
                     from #{open}, {epoch}"
                ),
            )
        }
        FileRequest::Read { epoch, request, attempt, path } => {
            Spelled::brief(format!("Read {path} for {request}"))
                .contents(format!("attempt {attempt}, {epoch}"))
        }
    }
}

pub(super) fn ended(ended: &Ended) -> Spelled {
    let Ended { request, attempt, end: how } = ended;
    Spelled::brief(format!("Ended {request} {}", end(how))).contents(format!("attempt {attempt}"))
}
