//! Progress: what is asked gets done, and what is not done has a cause.

mod probes_are_answered;

pub(in crate::oracle) use probes_are_answered::ProbesAreAnswered;
