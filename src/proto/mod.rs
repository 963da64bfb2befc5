//! The protocols.

mod defect;
mod id;
mod time;

pub use defect::{Defect, Defects, UnknownDefect};
pub use id::{
    Admission, Age, Epoch, Incarnation, NodeId, NotANode, NotAPath, Path, RequestId, Role, Token,
    TxnId, Version,
};
pub use time::{Span, Time};
