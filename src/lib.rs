//! A distributed file service as pure protocol cores.
//!
//! [`proto`] holds the whole service: a consistent-hash ring places files on storage nodes, a
//! central lock server hands out leases with fencing tokens, two-phase commit makes every change
//! atomic over all replicas of all paths involved, and a configuration centre says in views which
//! nodes are members. Nothing in it does I/O, reads a clock or draws a number: one input in, an
//! ordered list of effects out. A driver carries the effects out: on a network, or in a world that
//! is only computed.

pub mod machine;
#[cfg(feature = "file-service")]
pub mod proto;
