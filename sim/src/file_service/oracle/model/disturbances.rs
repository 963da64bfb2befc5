//! What may keep a request from getting done: machines that are away, links that are cut or hold
//! messages up, messages that are lost, disks that are slow or stall.
//!
//! Only the newest disturbance of each machine and link is kept, so what there is to know does not
//! grow with the run. It is asked for only where a request ends `unknown`.

use std::collections::BTreeMap;

use seedbed::machine::{NodeId, RequestId, Time};
use seedbed::proto::Path;

use crate::file_service::oracle::Seen;

/// What has disturbed the cluster.
#[derive(Clone, Debug, Default)]
pub struct Disturbances {
    machines: BTreeMap<NodeId, Disturbed>,
    /// Disks that stall: what their machines force does not get done, in whichever life.
    stalls: BTreeMap<NodeId, Disturbed>,
    /// Links that were cut, by (from, to).
    cuts: BTreeMap<(NodeId, NodeId), Disturbed>,
    /// Links that lost or held up messages, the same way.
    links: BTreeMap<(NodeId, NodeId), Disturbed>,
    /// When views changed last.
    views: Option<Time>,
    /// The last two requests that ceased to hold or await each lock, and when.
    left: BTreeMap<Path, [Option<(RequestId, Time)>; 2]>,
    /// When everything was healed.
    pub healed: Option<Time>,
}

/// A machine or a link.
#[derive(Clone, Copy, Debug, Default)]
struct Disturbed {
    /// How many cuts are open; of a machine 1 while it is down or paused, of a disk while it
    /// stalls.
    now: u32,
    /// The latest end of a disturbance so far; it may lie ahead.
    last: Option<Time>,
}

impl Disturbed {
    fn lasts_until(&mut self, until: Time) {
        self.last = self.last.max(Some(until));
    }

    fn is_since(self, since: Time) -> bool {
        self.now > 0 || self.last.is_some_and(|last| last >= since)
    }
}

/// What is asked of them.
impl Disturbances {
    /// Has anything disturbed one of these machines, or a link between two of them, since then?
    pub fn touched(&self, is_one: impl Fn(NodeId) -> bool, since: Time) -> bool {
        self.parted(&is_one, since) || any_link(&self.links, is_one, since)
    }

    /// Was one of these machines away or slow since then, or two of them cut off from each other?
    pub fn parted(&self, is_one: impl Fn(NodeId) -> bool, since: Time) -> bool {
        let mut machines = self.machines.iter().chain(&self.stalls);
        machines.any(|(node, of)| is_one(*node) && of.is_since(since))
            || any_link(&self.cuts, is_one, since)
    }

    /// Has anything disturbed this machine itself since then?
    pub fn touched_machine(&self, node: NodeId, since: Time) -> bool {
        self.machines.get(&node).is_some_and(|of| of.is_since(since))
    }

    /// Has the view changed since then, or what follows from a change?
    pub fn views_changed(&self, since: Time) -> bool {
        self.views.is_some_and(|last| last >= since)
    }

    /// Has another request than this held the lock of `path`, or awaited it, until after then?
    pub fn was_locked_by_another(&self, path: &Path, request: RequestId, since: Time) -> bool {
        let left = self.left.get(path).into_iter().flatten().flatten();
        left.into_iter().any(|(other, last)| *other != request && *last >= since)
    }
}

/// What happens.
impl Disturbances {
    pub(super) fn on_seen(&mut self, seen: &Seen<'_>, now: Time) {
        match *seen {
            Seen::Lost { from, to, .. } => self.held_up(from, to, now),
            Seen::Crashed { node } | Seen::RefusedToStart { node } | Seen::Paused { node } => {
                let machine = self.machine(node);
                machine.now = 1;
                machine.lasts_until(now);
            }
            Seen::Started { node, .. } | Seen::Resumed { node } => {
                let machine = self.machine(node);
                machine.now = 0;
                machine.lasts_until(now);
            }
            Seen::ClockJumped { node } => self.slowed_down(node, now),
            Seen::DiskStalled { node, is_stalled } => {
                let disk = self.stalls.entry(node).or_default();
                disk.now = u32::from(is_stalled);
                disk.lasts_until(now);
            }
            Seen::Cut { links } => {
                for link in links {
                    self.cuts.entry(*link).or_default().now += 1;
                }
            }
            Seen::Mended { links } => {
                for link in links {
                    let link = self.cuts.entry(*link).or_default();
                    link.now = link.now.saturating_sub(1);
                    link.lasts_until(now);
                }
            }
            _ => {} // it disturbs nothing
        }
    }

    /// Another disk, which does not stall, is in the place of one that did.
    pub(super) fn on_wiped(&mut self, node: NodeId, now: Time) {
        if let Some(disk) = self.stalls.get_mut(&node).filter(|disk| disk.now > 0) {
            disk.now = 0;
            disk.lasts_until(now);
        }
    }

    pub(super) fn held_up(&mut self, from: NodeId, to: NodeId, until: Time) {
        self.links.entry((from, to)).or_default().lasts_until(until);
    }

    pub(super) fn slowed_down(&mut self, node: NodeId, until: Time) {
        self.machine(node).lasts_until(until);
    }

    pub(super) fn on_views(&mut self, now: Time) {
        self.views = Some(now);
    }

    pub(super) fn on_left(&mut self, path: &Path, request: RequestId, now: Time) {
        let left = self.left.entry(path.clone()).or_default();
        *left = [left[1], Some((request, now))];
    }

    fn machine(&mut self, node: NodeId) -> &mut Disturbed {
        self.machines.entry(node).or_default()
    }
}

/// Has anything disturbed a link between two of these machines since then?
fn any_link(
    links: &BTreeMap<(NodeId, NodeId), Disturbed>,
    is_one: impl Fn(NodeId) -> bool,
    since: Time,
) -> bool {
    links.iter().any(|((from, to), of)| is_one(*from) && is_one(*to) && of.is_since(since))
}
