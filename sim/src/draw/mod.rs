//! Whatever the seed draws: what users ask, what breaks, how long things take.

pub mod chaos;
pub mod disks;
pub mod links;
pub mod swarm;
pub mod workload;
