//! Sets of links, spelled: as groups where they part the machines, else one by one.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

type Pair = (NodeId, NodeId);

/// `n1 n2 | n3 control` where exactly the links between groups are named; `a -> b` and `a <-> b`
/// else.
pub fn links(links: &[Pair]) -> String {
    let all: BTreeSet<Pair> = links.iter().copied().collect();
    as_groups(&all).unwrap_or_else(|| one_by_one(&all))
}

/// The groups that `cut` keeps apart, if that is all it does.
fn as_groups(cut: &BTreeSet<Pair>) -> Option<String> {
    let nodes: BTreeSet<NodeId> = cut.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let mut groups: Vec<Vec<NodeId>> = Vec::new();
    for node in nodes {
        let near = |group: &&mut Vec<NodeId>| !cut.contains(&(group[0], node));
        match groups.iter_mut().find(near) {
            Some(group) => group.push(node),
            None => groups.push(vec![node]),
        }
    }
    let sizes = || groups.iter().map(Vec::len);
    let total: usize = sizes().sum();
    let across = total * total - sizes().map(|size| size * size).sum::<usize>();
    let within = |group: &Vec<NodeId>| {
        group.iter().any(|a| group.iter().any(|b| a != b && cut.contains(&(*a, *b))))
    };
    let exact = groups.len() > 1 && cut.len() == across && !groups.iter().any(within);
    let spelled =
        |group: &Vec<NodeId>| group.iter().map(NodeId::to_string).collect::<Vec<_>>().join(" ");
    exact.then(|| groups.iter().map(spelled).collect::<Vec<_>>().join(" | "))
}

fn one_by_one(cut: &BTreeSet<Pair>) -> String {
    const SHOWN: usize = 6;
    let both = |(a, b): &Pair| cut.contains(&(*b, *a));
    let first = cut.iter().filter(|link| link.0 < link.1 || !both(link));
    let arrow = |link: &Pair| if both(link) { "<->" } else { "->" };
    let mut spelled: Vec<String> =
        first.map(|link| format!("{} {} {}", link.0, arrow(link), link.1)).collect();
    if spelled.len() > SHOWN {
        let more = spelled.len() - SHOWN;
        spelled.truncate(SHOWN);
        spelled.push(format!("{more} more"));
    }
    spelled.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(number: u16) -> NodeId {
        NodeId::node(number)
    }

    #[test]
    fn a_partition_is_spelled_as_its_groups() {
        let cut = [(n(1), n(3)), (n(3), n(1)), (n(2), n(3)), (n(3), n(2))];
        assert_eq!(links(&cut), "n1 n2 | n3");
    }

    #[test]
    fn other_cuts_are_spelled_link_by_link() {
        assert_eq!(links(&[(n(1), n(2))]), "n1 -> n2");
        let cut = [(n(1), n(2)), (n(2), n(1)), (n(2), n(3))];
        assert_eq!(links(&cut), "n1 <-> n2, n2 -> n3");
        assert_eq!(links(&[]), "");
    }
}
