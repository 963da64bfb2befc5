//! Views as the centre's log has them.

use std::collections::BTreeMap;
use std::sync::Arc;

use seedbed::proto::{Config, Epoch, Layout, Record, View};

use super::At;

/// Every view that was announced.
#[derive(Clone, Debug, Default)]
pub struct Views {
    announced: BTreeMap<Epoch, At<View>>,
    active: Option<At<Epoch>>,
    settled: Option<At<Epoch>>,
}

impl Views {
    /// Takes over a durable record of the centre.
    pub(super) fn on_durable(&mut self, step: u64, record: &Record) {
        match record {
            Record::Announced { view } => {
                self.announced.entry(view.epoch).or_insert(At { step, is: view.clone() });
            }
            Record::Activated { epoch } => self.active = Some(At { step, is: *epoch }),
            Record::Converged { epoch } => self.settled = Some(At { step, is: *epoch }),
            _ => {}
        }
    }

    /// The epoch in force; with fixed membership the first.
    pub fn active(&self) -> Epoch {
        self.active.as_ref().map_or(Config::FIRST_EPOCH, |active| active.is)
    }

    /// The layout in force.
    pub fn layout(&self, config: &Config) -> Arc<Layout> {
        let first = config.first_layout();
        match self.announced.get(&self.active()) {
            Some(view) => Layout::new(config, view.is.clone(), first),
            None => first.clone(),
        }
    }
}
