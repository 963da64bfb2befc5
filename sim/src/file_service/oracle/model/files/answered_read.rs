//! A read that a client was answered, and when it was asked for.

use seedbed::machine::RequestId;
use seedbed::proto::{Contents, Path, Reply, Request, Version};

use crate::file_service::oracle::model::in_words;
use crate::file_service::oracle::{Asked, Evidence, Model, reads};

/// One read of a request that is done.
#[derive(Clone, Copy, Debug)]
pub(in crate::file_service::oracle) struct AnsweredRead<'a> {
    request: RequestId,
    pub path: &'a Path,
    pub version: Version,
    pub contents: Option<&'a Contents>,
    /// The step in which the request was asked.
    pub asked: u64,
}

impl<'a> AnsweredRead<'a> {
    /// The reads that `reply` answers.
    pub fn all(
        request: RequestId,
        reply: &'a Reply,
        model: &'a Model,
    ) -> impl Iterator<Item = AnsweredRead<'a>> {
        let done = match (reply, model.requests.get(&request)) {
            (
                Reply::Done(answer),
                Some(Asked { wanted: Request::Files { operations, .. }, asked, .. }),
            ) => Some((operations, answer, asked.step)),
            (_, Some(_) | None) => None,
        };
        done.into_iter().flat_map(move |(operations, answer, asked)| {
            reads(operations, answer).map(move |(path, version, contents)| AnsweredRead {
                request,
                path,
                version,
                contents,
                asked,
            })
        })
    }

    /// That it found what it found, though it was asked for after the earlier fact.
    pub fn fact(&self, model: &Model) -> Evidence {
        let AnsweredRead { request, path, version, contents, asked } = *self;
        let found = in_words(version, contents);
        let is = format!(
            "the read {request} of {path}, asked for after that in step {asked}, found {found}"
        );
        Evidence::at(model.step, is).about(request).about(path)
    }
}
