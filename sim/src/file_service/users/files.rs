//! What is asked of files that all users share.
//!
//! | drawn | what it is about |
//! |---|---|
//! | one change | create, delete, write; of the last two some name a version |
//! | a rename | now and then of a file to itself, which makes no sense |
//! | operations on different files | all or nothing |
//! | operations on one or two files | each sees what those before it did |
//! | a rename among other operations | they may use its target, and not its source |
//!
//! A version that is named is mostly the newest that the user was told of, so that some conditions
//! hold and others do not.

use std::collections::BTreeMap;

use seedbed::proto::{Action, Answer, Contents, Operation, Outcome, Path, Version};

use super::operation;
use crate::seed::Stream;

/// Draws operations on shared files for one user.
#[derive(Clone, Debug)]
pub(super) struct SharedFiles {
    pub paths: Vec<Path>,
    /// How long contents are; now and then there are none.
    contents_bytes: u32,
    /// The newest version of each file that the user was told of.
    versions: BTreeMap<Path, Version>,
}

impl SharedFiles {
    pub fn new(paths: Vec<Path>, contents_bytes: u32) -> SharedFiles {
        SharedFiles { paths, contents_bytes, versions: BTreeMap::new() }
    }

    /// The user is told the answer to these operations.
    pub fn learn(&mut self, operations: &[Operation], answer: &Answer) {
        for (operation, outcome) in operations.iter().zip(answer.iter()) {
            let path = match &operation.action {
                Action::Rename(target, _) => target,
                _ => &operation.path,
            };
            if let Outcome::Found(version, _) | Outcome::Changed(version) = outcome {
                self.versions.insert(path.clone(), *version);
            }
        }
    }

    /// One of the files: if the user holds a lock, mostly that of the lock.
    pub fn path(&self, stream: &mut Stream, held: Option<&Path>) -> Path {
        match held {
            Some(held) if stream.below(3) > 0 => held.clone(),
            _ => stream.pick(&self.paths).expect("a workload has paths").clone(),
        }
    }

    /// Operations that change something.
    pub fn changes(&self, stream: &mut Stream, held: Option<&Path>) -> Vec<Operation> {
        match stream.below(12) {
            0..=4 => {
                let path = self.path(stream, held);
                vec![self.change(stream, path, &[])]
            }
            5 => vec![self.rename(stream, held)],
            6..=8 => self.on_different_files(stream, held),
            9..=10 => self.on_one_or_two_files(stream, held),
            _ => self.around_a_rename(stream, held),
        }
    }

    fn on_different_files(&self, stream: &mut Stream, held: Option<&Path>) -> Vec<Operation> {
        let mut operations: Vec<Operation> = Vec::new();
        for _ in 0..2 + stream.below(2) {
            let path = self.path(stream, held);
            let operation = self.read_or_change(stream, path, &[]);
            if operations.iter().all(|other| other.path != operation.path) {
                operations.push(operation);
            }
        }
        operations
    }

    fn on_one_or_two_files(&self, stream: &mut Stream, held: Option<&Path>) -> Vec<Operation> {
        let paths = [self.path(stream, held), self.path(stream, held)];
        let mut operations = Vec::new();
        for _ in 0..2 + stream.below(3) {
            let path = paths[stream.below(2) as usize].clone();
            operations.push(self.read_or_change(stream, path, &operations));
        }
        operations
    }

    fn around_a_rename(&self, stream: &mut Stream, held: Option<&Path>) -> Vec<Operation> {
        let mut operations = Vec::new();
        let rename = self.rename(stream, held);
        let Action::Rename(target, _) = rename.action.clone() else { unreachable!("it is one") };
        let place = stream.below(3);
        for at in 0..3 {
            if at == place {
                operations.push(rename.clone());
                continue;
            }
            let path = match stream.below(2) {
                0 => target.clone(),
                _ => self.path(stream, held),
            };
            operations.push(self.read_or_change(stream, path, &operations));
        }
        operations
    }

    fn rename(&self, stream: &mut Stream, held: Option<&Path>) -> Operation {
        let (from, to) = (self.path(stream, held), self.path(stream, None));
        match stream.below(2) {
            0 => operation(&from, Action::Rename(to, None)),
            _ => operation(&to, Action::Rename(from, None)),
        }
    }

    fn read_or_change(&self, stream: &mut Stream, path: Path, before: &[Operation]) -> Operation {
        match stream.below(3) {
            0 => operation(&path, Action::Read),
            _ => self.change(stream, path, before),
        }
    }

    /// A change of `path` after these operations of the same request.
    fn change(&self, stream: &mut Stream, path: Path, before: &[Operation]) -> Operation {
        let action = match stream.below(8) {
            0 => Action::Create(self.contents(stream)),
            1 => Action::Delete(self.condition(stream, &path, before)),
            2 => Action::Write(self.contents(stream), self.condition(stream, &path, before)),
            _ => Action::Write(self.contents(stream), None),
        };
        operation(&path, action)
    }

    /// None, the version that the path should be at by then, or any low one.
    fn condition(&self, stream: &mut Stream, path: &Path, before: &[Operation]) -> Option<Version> {
        match stream.below(4) {
            0 => None,
            1 => Some(Version(stream.below(4))),
            _ => {
                let known = self.versions.get(path).copied().unwrap_or_default();
                let changes = before.iter().filter(|operation| changes(operation, path));
                Some(Version(known.0 + changes.count() as u64))
            }
        }
    }

    fn contents(&self, stream: &mut Stream) -> Contents {
        let text = format!("{:016x}", stream.below(u64::MAX));
        let length = if stream.below(16) == 0 { 0 } else { self.contents_bytes as usize };
        let bytes: Vec<u8> = text.bytes().cycle().take(length).collect();
        Contents::from(bytes)
    }
}

fn changes(operation: &Operation, path: &Path) -> bool {
    match &operation.action {
        Action::Rename(target, _) => operation.path == *path || target == path,
        action => operation.path == *path && !action.is_read(),
    }
}
