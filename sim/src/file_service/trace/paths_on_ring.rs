//! Paths and where they lie on the ring, so that arcs can be told by the paths on them.

use std::sync::Arc;

use seedbed::proto::{Arcs, Config, Layout, Path};

use super::words::{list, on};

/// The paths that matter to a reader.
#[derive(Clone, Debug)]
pub struct Places {
    config: Arc<Config>,
    paths: Vec<Path>,
}

impl Places {
    /// Where `paths` lie on the ring of `config`.
    pub fn new(config: Arc<Config>, paths: Vec<Path>) -> Places {
        Places { config, paths }
    }

    /// The paths, in the order in which they were given.
    pub fn paths(&self) -> &[Path] {
        &self.paths
    }

    /// The owners of each path: `/a is on n3 and n1, /b is on n2`.
    pub fn owners(&self, layout: &Layout) -> String {
        list(self.paths.iter().map(|path| {
            let owners: Vec<String> =
                layout.owners(path).map(|owner| owner.node.to_string()).collect();
            format!("{path} is on {}", owners.join(" and "))
        }))
    }

    /// The paths on `arcs`: `with /a and /b`, `with none of the paths`.
    pub fn paths_on(&self, arcs: &Arcs) -> String {
        let is_there = |path: &&Path| arcs.contains(self.config.position(path));
        let paths: Vec<String> = self.paths.iter().filter(is_there).map(Path::to_string).collect();
        match paths.is_empty() {
            true => "with none of the paths".to_owned(),
            false => format!("with {}", paths.join(" and ")),
        }
    }

    /// `on 3 arcs, 8.5 %, with /a`; `nowhere`.
    pub(super) fn on(&self, arcs: &Arcs) -> String {
        match arcs.is_empty() || self.paths.is_empty() {
            true => on(arcs),
            false => format!("{}, {}", on(arcs), self.paths_on(arcs)),
        }
    }
}
