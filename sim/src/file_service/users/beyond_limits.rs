//! Requests that are refused for what they are: each is one beyond a limit.
//!
//! | drawn | refused because |
//! |---|---|
//! | one path is too long: read, changed, or the target of a rename | no node takes such a path |
//! | one operation has contents that are too long | no node stores them |
//! | one operation more than a request may have | |
//! | no operation at all | there is nothing to do |
//! | a lock of a path that is too long | the centre takes no such path either |
//!
//! Beside the operation that is refused often stands one that would do something, so that what is
//! done of a refused request is seen.

use std::iter::repeat_n;

use seedbed::machine::{NodeId, Span};
use seedbed::proto::{Action, Contents, Limits, Operation, Path, Request};

use super::{Naming, operation};
use crate::quantity::{Ppb, SpanRange};
use crate::seed::Stream;

/// Draws requests beyond the limits for one user.
#[derive(Clone, Debug)]
pub(super) struct BeyondLimits {
    /// How likely the next request is one.
    pub probability: Ppb,
    pub limits: Limits,
    pub think: SpanRange,
    pub naming: Naming,
    pub stream: Stream,
}

impl BeyondLimits {
    /// The next request, if it is to be one beyond a limit, and how long the user thinks before.
    /// What else it asks for is about `paths`.
    pub fn next(&mut self, paths: &[Path]) -> Option<(Span, Request)> {
        if !self.stream.chance(self.probability) {
            return None;
        }
        let request = match self.stream.below(5) {
            0 => {
                let operation = self.on_long_path(paths);
                self.beside_others(operation, paths)
            }
            1 => {
                let operation = self.with_long_contents(paths);
                self.beside_others(operation, paths)
            }
            2 => {
                let all = (0..=self.limits.operations).map(|_| self.change(paths)).collect();
                self.files(all)
            }
            3 => self.files(Vec::new()),
            _ => Request::Acquire { path: self.long_path(), wait: self.stream.below(2) == 0 },
        };
        Some((self.stream.span(self.think), request))
    }

    fn on_long_path(&mut self, paths: &[Path]) -> Operation {
        let long = self.long_path();
        match self.stream.below(4) {
            0 => operation(&long, Action::Read),
            1 => operation(&long, Action::Write(Contents::from("x"), None)),
            2 => operation(&long, Action::Delete(None)),
            _ => operation(&self.path(paths), Action::Rename(long, None)),
        }
    }

    fn with_long_contents(&mut self, paths: &[Path]) -> Operation {
        let long: Vec<u8> = repeat_n(b'x', self.limits.contents_bytes + 1).collect();
        let action = match self.stream.below(2) {
            0 => Action::Create(Contents::from(long)),
            _ => Action::Write(Contents::from(long), None),
        };
        operation(&self.path(paths), action)
    }

    /// The operation alone, before or after another.
    fn beside_others(&mut self, operation: Operation, paths: &[Path]) -> Request {
        let all = match self.stream.below(3) {
            0 => vec![operation],
            1 => vec![operation, self.change(paths)],
            _ => vec![self.change(paths), operation],
        };
        self.files(all)
    }

    fn change(&mut self, paths: &[Path]) -> Operation {
        operation(&self.path(paths), Action::Write(Contents::from("beyond limits"), None))
    }

    fn path(&mut self, paths: &[Path]) -> Path {
        self.stream.pick(paths).expect("a workload has paths").clone()
    }

    fn long_path(&self) -> Path {
        let name: String = repeat_n('x', self.limits.path_bytes).collect();
        Path::new(&format!("/{name}")).expect("it starts with a slash")
    }

    fn files(&mut self, operations: Vec<Operation>) -> Request {
        let coordinator: Option<NodeId> = self.naming.node(&mut self.stream);
        Request::Files { operations: operations.into(), coordinator }
    }
}
