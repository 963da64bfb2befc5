//! Client histories: what users asked, what they were told, and when.
//!
//! [`witness`] judges one: it knows neither world nor oracle, so that a brute-force search can be
//! held against it.

pub mod witness;
