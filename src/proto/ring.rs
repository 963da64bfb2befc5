//! stub
use super::*;
/// kind
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashKind { /// s
Sha1, /// m
Md5 }
/// ring
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ring(Vec<NodeId>);
impl Ring {
/// n
pub fn new(_: HashKind, _: u32, replicas: usize, members: &[NodeId]) -> Ring { Ring(members[..replicas].to_vec()) }
/// o
pub fn owners(&self, _: &Path) -> &[NodeId] { &self.0 }
/// o
pub fn owns(&self, node: NodeId, path: &Path) -> bool { self.owners(path).contains(&node) }
}
