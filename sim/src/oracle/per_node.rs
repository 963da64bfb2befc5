//! A table with a place for each machine.

use seedbed::machine::{Class, NodeId};

/// A value for each machine; finding one costs an index.
#[derive(Clone, Debug, Default)]
pub struct PerNode<T> {
    servers: Vec<T>,
    clients: Vec<T>,
}

impl<T: Default> PerNode<T> {
    /// The place of `node`.
    pub fn slot(&mut self, node: NodeId) -> &mut T {
        let table = match node.class() {
            Class::Control | Class::Node => &mut self.servers,
            Class::Client => &mut self.clients,
        };
        let at = usize::from(node.number());
        if table.len() <= at {
            table.resize_with(at + 1, T::default);
        }
        &mut table[at]
    }

    /// What is there for `node`, if anything was put there.
    pub fn get(&self, node: NodeId) -> Option<&T> {
        let table = match node.class() {
            Class::Control | Class::Node => &self.servers,
            Class::Client => &self.clients,
        };
        table.get(usize::from(node.number()))
    }
}
