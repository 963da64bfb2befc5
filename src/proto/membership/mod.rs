//! The centre: it admits storage nodes, lays down views, and knows by leases which nodes are there.
//!
//! | storage node | centre |
//! |---|---|
//! | `Admit` (its log is empty) | forces `Admitted`, a number that no node has had, one for each life that asks; `Admitted` |
//! | `Heartbeat` that knows the view in force, from a member | `Alive`: the membership lease for it |
//! | `Heartbeat` that knows an older one, or from no member | `Views`, from the last that has settled to the newest |
//! | `Entered` (forced there) | forces `Recorded`: it has left every epoch before, where these transactions are open; `Noted` |
//! | `Resolve` a transaction that is in doubt | `Resolved` ([`reports`](super::reports)) |
//! | `Completed` | it has all that it owns in that epoch |
//!
//! ```text
//!              force Announced            force Activated              force Converged
//!  (a change) -----------------> announced ----------------> active -----------------> settled
//!               no lease of the            every member of               every member
//!               epoch before is            the epoch before              is complete
//!               renewed any more           has left it, or its
//!                                          lease is over
//! ```
//!
//! What the cluster should be is what the operator *wants* of it, as far as nodes are there: a node
//! that is wanted and heard is a member of the next view, one whose lease has surely ended is none.
//! If no wanted node is there, the nodes of the view before stay, for a view has a member.
//! *Heard* is a node that hears the centre as well: a heartbeat says when the newest one that was
//! answered was sent. A link that carries one way only would otherwise make a member of a node that
//! can never have a lease, again and again (partial partitions: Alfatafta, Alkhatib, Alquraan,
//! Al-Kiswany, OSDI 2020).
//! Being slow is not being dead, so no node is declared gone while its lease may run; and if it was
//! only slow, its next heartbeat makes it a member of a later view.
//!
//! **No two epochs are served at once.** A node serves an epoch only under a lease for it. A lease
//! for e+1 is given after e+1 was activated, and that is after every member of e had either left e
//! (and forced that it never goes back) or a lease that had surely ended, by the arithmetic of
//! [`lease`](super::lease). No lease of e was given after e+1 was announced. For this to go through
//! by induction there is *one view at a time*: e+1 is announced only when e is active.
//!
//! **Lost members.** A node that is admitted with an empty log has lost the disk that it had: the
//! member that it was is lost. The operator may give up the members that are lost, and machines
//! that never return; the next view names them (`View::given_up`), and so all that enter it agree
//! on what is left of files ([`handover`](super::handover)). A member that is given up gets no
//! lease any more, and comes back only with an empty log.
//!
//! After a restart, or a pause of its own, the centre does not know which nodes are there: every
//! lease counts as given now, and suspicion starts afresh.

mod members;
mod recovery;
mod views;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};

use super::Timer;
use super::lease::LeaseTerms;
use super::reports::Reports;
use super::turn::Turn;
use super::{Admission, Config, Epoch, Lost, Member, Membership, View, Wanted};
use crate::machine::{Incarnation, NodeId, Span, Time};

/// The configuration centre.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Centre {
    // Rebuilt from the log:
    wanted: Option<Wanted>,
    /// The newest number that each node was given, and the life that had asked for it.
    admissions: BTreeMap<NodeId, (Admission, Incarnation)>,
    last_admission: Admission,
    /// What members have reported when they left an epoch.
    reports: Reports,
    /// Members that have been in a view and are lost.
    lost: BTreeMap<Member, Lost>,
    /// From the last that has settled to the newest.
    views: BTreeMap<Epoch, View>,
    active: Epoch,
    settled: Epoch,
    /// Lost members that the operator has given up.
    given_up: BTreeSet<Member>,
    /// The longest lease that a lock was ever granted for.
    longest_lock_lease: Span,

    // Volatile, what this life has heard:
    nodes: BTreeMap<Member, Heard>,
    /// Clients that want to hear of views.
    watchers: BTreeMap<NodeId, Epoch>,
    /// When to make do with the nodes that have come, if it is the first view.
    patience: Time,
    /// When this life was last at work.
    awake: Time,
}

/// What was heard of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Heard {
    /// When its newest heartbeat came; `None` since the centre's start.
    at: Option<Time>,
    /// Its newest heartbeat.
    beat: Beat,
    /// When its lease has surely ended.
    until: Time,
    /// The epoch in which it is complete.
    completed: Epoch,
}

/// A heartbeat; of two, the newer one is the greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Beat {
    /// In which life of the node.
    pub incarnation: Incarnation,
    /// When it was sent, by that life's clock.
    pub asked: Time,
    /// The newest view that this life knew.
    pub known: Epoch,
}

impl Centre {
    pub fn new(config: &Config) -> Centre {
        Centre {
            wanted: None,
            admissions: BTreeMap::new(),
            last_admission: Admission::default(),
            reports: Reports::default(),
            lost: BTreeMap::new(),
            views: BTreeMap::new(),
            active: Epoch::default(),
            settled: Epoch::default(),
            given_up: BTreeSet::new(),
            longest_lock_lease: config.lock_lease,
            nodes: BTreeMap::new(),
            watchers: BTreeMap::new(),
            patience: Time::ZERO,
            awake: Time::ZERO,
        }
    }

    /// The terms under which a lock is granted now.
    pub fn lock_terms(&self, config: &Config) -> LeaseTerms {
        let view = self.views.get(&self.active);
        let length = view.map_or(config.lock_lease, |view| view.lock_lease);
        LeaseTerms { length, drift_max_ppm: config.drift_max_ppm }
    }

    /// The terms of the longest lock that may still be held from an earlier life.
    pub fn longest_lock_terms(&self, config: &Config) -> LeaseTerms {
        LeaseTerms { length: self.longest_lock_lease, drift_max_ppm: config.drift_max_ppm }
    }

    /// The first step of a life.
    pub fn on_start(&mut self, turn: &mut Turn<'_>) {
        if turn.config.membership == Membership::Fixed {
            return;
        }
        if self.wanted.is_none() {
            self.want(turn, turn.config.wanted());
        }
        self.patience = self.terms(turn.config).giver_until(turn.now);
        self.awake = turn.now;
        self.count_afresh(turn);
        self.proceed(turn);
    }

    /// Whatever happens, first: has the centre itself been stopped for so long that what it has not
    /// heard says nothing of which nodes are there?
    pub fn on_step(&mut self, turn: &mut Turn<'_>) {
        if self.wanted.is_some() && turn.now.since(self.awake) > self.tick(turn.config).times(2) {
            self.count_afresh(turn);
        }
        self.awake = turn.now;
    }

    /// Time to look whose lease has ended.
    pub fn on_time(&mut self, turn: &mut Turn<'_>) {
        self.proceed(turn);
    }

    /// Does what can be done now: activates, settles, announces.
    fn proceed(&mut self, turn: &mut Turn<'_>) {
        self.activate_if_free(turn);
        self.settle_if_complete(turn);
        self.announce_if_changed(turn);
        let ends = self.nodes.values().map(|heard| heard.until).filter(|until| *until > turn.now);
        let patience = Some(self.patience).filter(|patience| *patience > turn.now);
        let next = ends.chain(patience).chain([turn.now + self.tick(turn.config)]).min();
        next.into_iter().for_each(|next| turn.timers.set(Timer::Members, next));
    }

    fn newest(&self) -> Epoch {
        self.views.last_key_value().map_or(self.active, |(epoch, _)| *epoch)
    }

    /// The terms of a membership lease in the epoch in force.
    fn terms(&self, config: &Config) -> LeaseTerms {
        let view = self.views.get(&self.active);
        let length = view.map_or(config.membership_lease, |view| view.membership_lease);
        LeaseTerms { length, drift_max_ppm: config.drift_max_ppm }
    }

    /// How often the centre looks.
    fn tick(&self, config: &Config) -> Span {
        self.terms(config).length.fraction(4)
    }

    /// Every lease that may run counts as given now.
    fn count_afresh(&mut self, turn: &mut Turn<'_>) {
        let until = self.terms(turn.config).giver_until(turn.now);
        for view in self.views.range(self.active..).map(|(_, view)| view) {
            for member in view.members.iter() {
                let heard = self.nodes.entry(*member).or_default();
                heard.until = heard.until.max(until);
            }
        }
        for heard in self.nodes.values_mut().filter(|heard| heard.at.is_some()) {
            heard.at = Some(turn.now);
        }
    }
}
