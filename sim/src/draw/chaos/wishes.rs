//! What the operator of a drawn plan wants: members, settings, and to give up what was lost.

use seedbed::machine::{NodeId, Span};
use seedbed::proto::{Command, Config};

use super::Plan;
use crate::fault::{ChaosKind, Fault};
use crate::scenario::Target;
use crate::seed::Stream;

impl Plan<'_> {
    /// What the operator wants; `may_come_late` where it is told at a milestone.
    pub(super) fn wish(
        &mut self,
        kind: ChaosKind,
        may_come_late: bool,
        stream: &mut Stream,
    ) -> Option<Fault<Target>> {
        match kind {
            ChaosKind::Join => self.join(may_come_late, stream),
            ChaosKind::Leave => self.leave(may_come_late, stream),
            ChaosKind::Set => Some(Fault::Operator(self.set(stream))),
            ChaosKind::AcceptLoss => Some(Fault::Operator(Command::AcceptLoss(Default::default()))),
            _ => unreachable!("the operator wants nothing of this kind"),
        }
    }

    fn join(&mut self, may_come_late: bool, stream: &mut Stream) -> Option<Fault<Target>> {
        let is_out = |node: &NodeId| !self.wanted.contains(node) && !self.wavering.contains(node);
        let out: Vec<NodeId> = self.storage.iter().copied().filter(is_out).collect();
        let node = *stream.pick(&out)?;
        // A node that comes late is not counted on, so that enough stay whenever it comes.
        if may_come_late {
            self.wavering.insert(node);
        } else {
            self.wanted.insert(node);
        }
        Some(Fault::Join(Target::Node(node)))
    }

    fn leave(&mut self, may_come_late: bool, stream: &mut Stream) -> Option<Fault<Target>> {
        let wanted: Vec<NodeId> = self.wanted.iter().copied().collect();
        let can = wanted.len() > self.replicas;
        let node = *stream.pick(&wanted).filter(|_| can)?;
        self.wanted.remove(&node);
        if may_come_late {
            self.wavering.insert(node);
        }
        Some(Fault::Leave(Target::Node(node)))
    }

    /// One or two settings, drawn around those of the cluster.
    fn set(&mut self, stream: &mut Stream) -> Command {
        let around = |span: Span, stream: &mut Stream| {
            let percent = 50 + stream.below(151);
            Span::from_nanos((span.as_nanos() / 100 * percent).max(1_000))
        };
        let most = self.wanted.len().max(1) as u64;
        let mut set = [false; 4];
        for _ in 0..2 {
            set[stream.below(4) as usize] = true;
        }
        let [replicas, virtual_nodes, lock_lease, membership_lease] = set;
        let replicas = replicas.then(|| 1 + stream.below(most) as u16);
        self.replicas = self.replicas.max(replicas.unwrap_or_default().into());
        Command::Set {
            replicas,
            virtual_nodes: virtual_nodes.then(|| 1 + stream.below(24) as u32),
            lock_lease: lock_lease.then(|| around(self.config.lock_lease, stream)),
            membership_lease: membership_lease.then(|| {
                let drawn = around(self.config.membership_lease, stream);
                drawn.max(Config::LEAST_MEMBERSHIP_LEASE)
            }),
        }
    }
}
