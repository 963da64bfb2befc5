//! Where two logs differ.

use std::collections::BTreeMap;

use seedbed::machine::{Incarnation, NodeId};

use crate::file_service::oracle::Evidence;

/// The lowest request that a client waits for: a life and a number.
pub(super) type Lowest = (Incarnation, u32);

/// The first key under which two tables differ.
pub(super) fn differs<'a, K: Ord, V: PartialEq>(
    was: &'a BTreeMap<K, V>,
    is: &'a BTreeMap<K, V>,
) -> Option<&'a K> {
    let lost = || was.iter().find(|(key, value)| is.get(key) != Some(value));
    let new = || is.keys().find(|key| !was.contains_key(key));
    if was == is {
        return None;
    }
    lost().map(|(key, _)| key).or_else(new)
}

/// Of what clients wait for no more, a checkpoint says as much as the log, and no more than that or
/// what the clients have said.
pub(super) fn forgets_otherwise(
    was: &BTreeMap<NodeId, Lowest>,
    is: &BTreeMap<NodeId, Lowest>,
    told: &BTreeMap<NodeId, Lowest>,
) -> Option<Evidence> {
    let of = |table: &BTreeMap<NodeId, Lowest>, client| table.get(client).copied();
    let less = was.iter().find(|(client, lowest)| of(is, client) < Some(**lowest));
    if let Some((client, _)) = less {
        return Some(
            Evidence::at(0, format!("has forgotten what {client} waits for")).about(*client),
        );
    }
    let most = |client| of(was, client).max(of(told, client)).unwrap_or_default();
    let (client, (life, lowest)) = is.iter().find(|(client, lowest)| **lowest > most(client))?;
    let is = format!("says that {client} waits for nothing below #{lowest} of life {}", life.0);
    Some(Evidence::at(0, is).about(*client))
}
