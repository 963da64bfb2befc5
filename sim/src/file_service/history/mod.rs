//! Client histories: what users asked, what they were told, and when.
//!
//! [`witness`] says whether one is strictly serializable. It knows neither world nor oracle, so
//! that a brute-force search can be held against it.

pub mod witness;
