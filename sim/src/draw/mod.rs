//! Whatever the seed draws: what users ask, what breaks, how long things take.

pub mod chaos;
pub mod message_delivery;
pub mod swarm;
pub mod sync_and_crash;
