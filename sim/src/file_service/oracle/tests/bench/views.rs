//! The bench about clusters that change: views, leases, and what a node owns in an epoch.

use seedbed::machine::NodeId;
use seedbed::proto::{Arcs, Config, Epoch, FromCentre, Message, Record, ToCentre, View};

use crate::file_service::oracle::blocked::{Missed, missed_arcs};
use crate::file_service::oracle::tests::bench::Play;
use crate::file_service::oracle::tests::bench::records::{
    CONTROL, activated, announced, born, entered, loss_accepted, members, n, path, view,
};

impl Play {
    /// The centre announces a view of these nodes and puts it into force.
    pub fn views(&mut self, epoch: u32, nodes: &[NodeId]) -> &mut Play {
        self.forces(CONTROL, announced(epoch, nodes));
        self.forces(CONTROL, activated(epoch))
    }

    /// The operator gives these nodes up, a view says so, and n3 begins again.
    pub fn accepts_the_loss_of(&mut self, nodes: &[NodeId]) -> &mut Play {
        let epoch = self.view_without(nodes);
        self.forces(n(3), Record::Reset { epoch, arcs: Arcs::all() })
    }

    /// The operator gives these nodes up, a view says so, and n3 has found an older copy.
    pub fn goes_back_without(&mut self, nodes: &[NodeId]) -> &mut Play {
        let epoch = self.view_without(nodes);
        self.forces(n(3), Record::Complete { epoch, arcs: Arcs::all() })
    }

    fn view_without(&mut self, nodes: &[NodeId]) -> Epoch {
        self.forces(CONTROL, loss_accepted(nodes));
        let epoch = self.model().views.newest().map_or(1, |newest| newest.is.epoch.0 + 1);
        let view = View { given_up: members(nodes), ..view(epoch, &[n(3)]) };
        self.forces(CONTROL, Record::Announced { view });
        Epoch(epoch)
    }

    /// n1 loses its disk. A view without n2 settles, whose owner is given up with n1, so that all
    /// files begin again at n3, whatever n2 is in doubt about.
    pub fn begins_again_without_n2(&mut self) -> &mut Play {
        self.loses_its_disk(n(1));
        self.views(2, &[n(4)]).forces(CONTROL, Record::Converged { epoch: Epoch(2) });
        self.loses_its_disk(n(4)).accepts_the_loss_of(&[n(1), n(4)])
    }

    /// A node is born, and enters the epoch complete on all the ring.
    pub fn is_complete(&mut self, node: NodeId, epoch: u32) -> &mut Play {
        self.forces(node, born());
        self.forces(node, entered(epoch, Arcs::all()))
    }

    /// A node that is up has a heartbeat of this moment answered, all in one step.
    pub fn is_leased(&mut self, node: NodeId, epoch: u32) -> &mut Play {
        let (admission, epoch) = (Config::FIRST_ADMISSION, Epoch(epoch));
        let (incarnation, asked) = (self.life(node), self.model().now);
        let answered = Some(asked);
        let beat = Message::ToCentre(ToCentre::Heartbeat {
            admission,
            incarnation,
            known: epoch,
            asked,
            answered,
        });
        self.sends(node, CONTROL, beat);
        let (settled, lost) = (Epoch(0), [].into());
        let alive =
            Message::FromCentre(FromCentre::Alive { incarnation, asked, epoch, settled, lost });
        self.and().sends(CONTROL, node, alive.clone());
        self.and().receives(CONTROL, node, alive)
    }

    /// The owners of a path in an epoch, and the first node that is none.
    pub fn owners_in(&self, epoch: u32, of: &str) -> (Vec<NodeId>, NodeId) {
        let config = self.stage.world.config();
        let placement = self.model().views.placement(config, Epoch(epoch)).expect("a view");
        let owners: Vec<NodeId> = placement.owners(config, &path(of)).to_vec();
        let other = (1..=9).map(n).find(|node| !owners.contains(node)).expect("one of nine");
        (owners, other)
    }

    /// What a node owns in an epoch.
    pub fn owned_in(&self, epoch: u32, node: NodeId) -> Arcs {
        let config = self.stage.world.config();
        self.model().views.placement(config, Epoch(epoch)).expect("a view").owned_by(node)
    }

    pub fn position(&self, of: &str) -> u64 {
        self.stage.world.config().position(&path(of))
    }

    /// The owners of a path in a cluster that does not change.
    pub fn owners(&self, of: &str) -> Vec<NodeId> {
        self.stage.world.config().first_layout().ring().owners(&path(of)).to_vec()
    }

    /// The nodes that cannot pull what they own.
    pub fn missed(&self) -> Vec<Missed> {
        missed_arcs(self.model(), &self.stage.world)
    }
}
