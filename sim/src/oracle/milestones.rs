//! stub
use super::*;
use crate::milestone::Milestone;
use seedbed::proto::*;
/// a
#[derive(Clone, Debug)]
pub enum About {
    /// t
    Txn(TxnId),
    /// l
    Lock(Path, Option<RequestId>),
    /// r
    Request(RequestId),
    /// n
    Nothing,
}
/// r
#[derive(Clone, Debug)]
pub struct Reached {
    /// m
    pub milestone: Milestone,
    /// n
    pub node: NodeId,
    /// a
    pub about: About,
}
/// m
#[derive(Clone, Debug, Default)]
pub struct Milestones {
    reached: Vec<Reached>,
    counts: Vec<u64>,
}
impl Milestones {
    /// n
    pub fn new() -> Self {
        Milestones { reached: vec![], counts: vec![0; Milestone::COUNT] }
    }
    /// o
    pub fn observe(&mut self, _: &World, _: &Step, _: &Model) {}
    /// r
    pub fn reached(&self) -> &[Reached] {
        &self.reached
    }
    /// c
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
    /// b
    pub fn bind(
        &self,
        _: crate::scenario::Role,
        _: &Reached,
        _: &World,
        _: &Model,
    ) -> Option<NodeId> {
        None
    }
}
