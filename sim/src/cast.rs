//! Which machines there are.

use seedbed::machine::{Class, NodeId};

/// The machines of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cast {
    /// Is there a control node?
    pub control: bool,
    /// Nodes that take part from the start, `n1` to `n<nodes>`.
    pub nodes: u16,
    /// Nodes that are there and take no part at first; they come after those.
    pub spare: u16,
    /// Clients `c1` to `c<clients>`.
    pub clients: u16,
}

impl Cast {
    /// Does this machine exist?
    pub fn has(self, machine: NodeId) -> bool {
        match machine.class() {
            Class::Control => self.control,
            Class::Node => machine.number() <= self.all_nodes(),
            Class::Client => machine.number() <= self.clients,
        }
    }

    /// How many nodes there are, spare ones included.
    pub fn all_nodes(self) -> u16 {
        self.nodes + self.spare
    }

    /// Is it one of the nodes that take no part at first?
    pub fn is_spare(self, machine: NodeId) -> bool {
        machine.class() == Class::Node && machine.number() > self.nodes
    }

    /// Every node, spare ones included.
    pub fn every_node(self) -> impl Iterator<Item = NodeId> {
        (1..=self.all_nodes()).map(NodeId::node)
    }

    /// The nodes that take part from the start.
    pub fn first_nodes(self) -> impl Iterator<Item = NodeId> {
        (1..=self.nodes).map(NodeId::node)
    }

    /// The clients.
    pub fn clients(self) -> impl Iterator<Item = NodeId> {
        (1..=self.clients).map(NodeId::client)
    }

    /// Every machine: the control node, the nodes, the clients.
    pub fn machines(self) -> impl Iterator<Item = NodeId> {
        let control = self.control.then_some(NodeId::CONTROL);
        control.into_iter().chain(self.every_node()).chain(self.clients())
    }

    /// The place of a machine among all, from 0; `None` if there is no such machine.
    pub fn place(self, machine: NodeId) -> Option<usize> {
        let (control, number) = (usize::from(self.control), usize::from(machine.number()));
        let nodes = usize::from(self.nodes) + usize::from(self.spare);
        match machine.class() {
            Class::Control => self.control.then_some(0),
            Class::Node => (number <= nodes).then(|| control + number - 1),
            Class::Client => {
                (number <= usize::from(self.clients)).then(|| control + nodes + number - 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spare_nodes_stand_between_the_others_and_the_clients() {
        let cast = Cast { control: true, nodes: 3, spare: 2, clients: 2 };
        let names: Vec<String> = cast.machines().map(|machine| machine.to_string()).collect();
        assert_eq!(names, ["control", "n1", "n2", "n3", "n4", "n5", "c1", "c2"]);
        for (place, machine) in cast.machines().enumerate() {
            assert!(cast.has(machine) && cast.place(machine) == Some(place), "{machine}");
        }
        for machine in [NodeId::node(6), NodeId::client(3)] {
            assert!(!cast.has(machine) && cast.place(machine).is_none());
        }
    }

    #[test]
    fn without_a_control_node_the_first_node_comes_first() {
        let cast = Cast { control: false, nodes: 2, spare: 0, clients: 1 };
        let places: Vec<_> = cast.machines().map(|machine| cast.place(machine)).collect();
        assert_eq!(places, [Some(0), Some(1), Some(2)]);
        assert_eq!(cast.place(NodeId::CONTROL), None);
    }
}
