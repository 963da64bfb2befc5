//! Names of machines, of their starts and of requests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address of a machine: the control node, a numbered node or a client.
///
/// An address is a *name*, not a life: one that restarts keeps its name and gets a new
/// [`Incarnation`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(u16);

/// What kind of machine an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The control node, of which there is one or none, such as a lock server. It has a disk.
    Control,
    /// One of the numbered nodes, such as a replica or a storage node. It has a disk.
    Node,
    /// A client: users ask it. It has no disk.
    Client,
}

impl NodeId {
    /// The control node, `control`.
    pub const CONTROL: NodeId = NodeId(0);
    /// The largest number a node or a client can have.
    pub const MAX_NUMBER: u16 = CLIENT_BIT - 1;

    /// The node `n<number>`; numbers start at 1.
    pub fn node(number: u16) -> NodeId {
        assert!((1..=Self::MAX_NUMBER).contains(&number), "node number {number}");
        NodeId(number)
    }

    /// The client `c<number>`; numbers start at 1.
    pub fn client(number: u16) -> NodeId {
        assert!((1..=Self::MAX_NUMBER).contains(&number), "client number {number}");
        NodeId(CLIENT_BIT | number)
    }

    /// The kind of machine.
    pub fn class(self) -> Class {
        match self.0 {
            0 => Class::Control,
            n if n & CLIENT_BIT == 0 => Class::Node,
            _ => Class::Client,
        }
    }

    /// The number behind the letter: 2 of `n2` and `c2`, 0 of `control`.
    pub fn number(self) -> u16 {
        self.0 & !CLIENT_BIT
    }
}

const CLIENT_BIT: u16 = 1 << 15;

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.class() {
            Class::Control => return f.pad("control"),
            Class::Node => 'n',
            Class::Client => 'c',
        };
        // Only columns of text want a width; names in keys and hashes are written far more often.
        match f.width() {
            None => write!(f, "{letter}{}", self.number()),
            Some(_) => f.pad(&format!("{letter}{}", self.number())),
        }
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not the name of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a node: expected `control`, `n<number>` or `c<number>`")]
pub struct NotANode(pub String);

impl FromStr for NodeId {
    type Err = NotANode;

    fn from_str(text: &str) -> Result<NodeId, NotANode> {
        let number = |digits: &str| match digits.parse::<u16>() {
            Ok(n) if (1..=NodeId::MAX_NUMBER).contains(&n) && !digits.starts_with(['0', '+']) => {
                Some(n)
            }
            _ => None,
        };
        let id = match text.split_at_checked(1) {
            Some(("n", digits)) => number(digits).map(NodeId::node),
            Some(("c", digits)) => number(digits).map(NodeId::client),
            _ => None,
        };
        match text {
            "control" => Ok(NodeId::CONTROL),
            _ => id.ok_or_else(|| NotANode(text.to_owned())),
        }
    }
}

/// Counts the starts of one machine. The driver forces a new one before each start, so a number
/// belongs to one start only; it is what keeps ids of two starts apart. The first start has
/// number 1.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The number after this one.
    #[must_use]
    pub fn next(self) -> Incarnation {
        Incarnation(self.0 + 1)
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i{}", self.0)
    }
}

/// Names a client's request for ever: retries keep it, and no other request has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId {
    /// The client.
    pub client: NodeId,
    /// Which life of the client.
    pub incarnation: Incarnation,
    /// Counts the client's requests.
    pub number: u32,
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RequestId { client, incarnation, number } = self;
        write!(f, "{client}.{}#{number}", incarnation.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that does not name a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a request: expected `c1.1#3`, or `c1#3` for one of the client's first life")]
pub struct NotARequest(pub String);

impl FromStr for RequestId {
    type Err = NotARequest;

    fn from_str(text: &str) -> Result<RequestId, NotARequest> {
        let parsed = || {
            let (life, number) = text.split_once('#')?;
            let (client, incarnation) = life.split_once('.').unwrap_or((life, "1"));
            let client: NodeId = client.parse().ok()?;
            let incarnation = Incarnation(incarnation.parse().ok()?);
            let number = number.parse().ok()?;
            (client.class() == Class::Client).then_some(RequestId { client, incarnation, number })
        };
        parsed().ok_or_else(|| NotARequest(text.to_owned()))
    }
}
