//! stub
use super::*;
use seedbed::proto::*;
/// w
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// w
    pub who: NodeId,
    /// f
    pub for_what: String,
    /// s
    pub since: Time,
    /// r
    pub released_by: String,
}
/// w
pub fn who_waits(_: &World, _: &Model) -> Vec<Wait> {
    vec![]
}
