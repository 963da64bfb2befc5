//! Checks that several tables share.

use seedbed::proto::{Config, Membership};

use crate::scenario::reading::{Result, Value};

/// Points on the ring that a file may ask for: enough for 1000 nodes, and placed in a moment.
pub(super) const POINTS: u64 = 1_000_000;

/// Points on the ring if all storage nodes are members.
pub(super) fn points(virtual_nodes: u32, storage: u16) -> u64 {
    u64::from(virtual_nodes) * u64::from(storage)
}

pub(super) fn too_many(points: u64) -> String {
    format!("{points} points on the ring in all, expected at most {POINTS}")
}

/// Refuses a thing at `value` that the central node has to see to where it sees to nothing.
pub(super) fn need_managed(value: &Value<'_>, config: &Config) -> Result<()> {
    match config.membership {
        Membership::Managed => Ok(()),
        Membership::Fixed => Err(value.error("needs `cluster.membership = \"managed\"`")),
    }
}
