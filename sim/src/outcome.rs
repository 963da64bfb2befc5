//! How a request ended, in a word.

/// What a client has told its user about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It was refused, and has no effect.
    Refused,
    /// The client does not know whether it has an effect.
    Unknown,
}
