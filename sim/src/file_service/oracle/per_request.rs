//! A table with a place for each request that is open.

use seedbed::machine::{Class, NodeId, RequestId};

/// A value for each request of a client that is not answered. A client has few of them at a time,
/// so a short list per client is faster than a tree of all.
#[derive(Clone, Debug)]
pub(in crate::file_service::oracle) struct PerRequest<T> {
    clients: Vec<Vec<(RequestId, T)>>,
}

impl<T> Default for PerRequest<T> {
    fn default() -> PerRequest<T> {
        PerRequest { clients: Vec::new() }
    }
}

impl<T> PerRequest<T> {
    /// The value of `request`.
    pub fn get(&self, request: RequestId) -> Option<&T> {
        let open = self.clients.get(usize::from(request.client.number()))?;
        open.iter().find(|(of, _)| *of == request).map(|(_, value)| value)
    }

    /// The value of `request`, to change it.
    pub fn get_mut(&mut self, request: RequestId) -> Option<&mut T> {
        let open = self.clients.get_mut(usize::from(request.client.number()))?;
        open.iter_mut().find(|(of, _)| *of == request).map(|(_, value)| value)
    }

    /// Gives `request` a value; gives back the one that it had.
    pub fn insert(&mut self, request: RequestId, value: T) -> Option<T> {
        if let Some(known) = self.get_mut(request) {
            return Some(std::mem::replace(known, value));
        }
        self.open(request.client).push((request, value));
        None
    }

    /// Takes the value of `request` away.
    pub fn remove(&mut self, request: RequestId) -> Option<T> {
        let open = self.clients.get_mut(usize::from(request.client.number()))?;
        let at = open.iter().position(|(of, _)| *of == request)?;
        Some(open.swap_remove(at).1)
    }

    /// Takes the values of all requests of `client` away; of another machine there are none.
    pub fn forget(&mut self, client: NodeId) {
        if client.class() == Class::Client {
            self.open(client).clear();
        }
    }

    fn open(&mut self, client: NodeId) -> &mut Vec<(RequestId, T)> {
        let at = usize::from(client.number());
        if self.clients.len() <= at {
            self.clients.resize_with(at + 1, Vec::new);
        }
        &mut self.clients[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{c, n, request};

    #[test]
    fn each_request_has_its_own_value_until_it_is_removed() {
        let mut table = PerRequest::default();
        assert_eq!(table.insert(request(1, 1), 'a'), None);
        assert_eq!(table.insert(request(1, 2), 'b'), None);
        assert_eq!(table.insert(request(2, 1), 'c'), None);
        assert_eq!(table.insert(request(1, 1), 'd'), Some('a'));
        assert_eq!(table.remove(request(1, 1)), Some('d'));
        assert_eq!((table.get(request(1, 1)), table.get(request(1, 2))), (None, Some(&'b')));
        table.forget(n(1));
        assert_eq!(table.get_mut(request(1, 2)), Some(&mut 'b'), "n1 is no client");
        table.forget(c(1));
        assert_eq!((table.get(request(1, 2)), table.get(request(2, 1))), (None, Some(&'c')));
    }
}
