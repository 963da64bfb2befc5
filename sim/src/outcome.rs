//! How a request ended, in a word.

/// How a client has answered a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It was refused, and has no effect.
    Refused,
    /// The client does not know whether it has an effect.
    Unknown,
}
