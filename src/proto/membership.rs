//! The centre: it admits storage nodes, lays down views, and knows who is there by leases.
//!
//! | storage node | centre |
//! |---|---|
//! | `Admit` (its log is empty) | forces `Admitted`, a number that nobody has had, one for each life that asks; `Admitted` |
//! | `Heartbeat` that knows the view in force, from a member | `Alive`: the membership lease for it |
//! | `Heartbeat` that knows an older one, or from no member | `Views`, from the last that has settled to the newest |
//! | `Entered` (forced there) | forces `Recorded`: it has left every epoch before, where these transactions are open; `Noted` |
//! | `Resolve` a transaction that is in doubt | `Resolved` ([`reports`](super::reports)) |
//! | `Completed` | it has all that it owns in that epoch |
//!
//! ```text
//!                force Announced              force Activated               force Converged
//!  (a change) ------------------> announced --------------------> active -------------------> settled
//!                 no lease of the           every member of the              every member is
//!                 epoch before is           epoch before has left            complete
//!                 renewed any more          it, or its lease is over
//! ```
//!
//! What the cluster should be is what the operator *wants* of it, as far as nodes are there: a node
//! that is wanted and heard is a member of the next view, one whose lease has surely ended is none.
//! If no wanted node is there, the nodes of the view before stay, for a view has a member.
//! *Heard* is who hears the centre as well: a heartbeat says when the newest one that was answered
//! was sent. A link that carries one way only would otherwise make a member of a node that can
//! never have a lease, again and again (partial partitions: Alfatafta, Alkhatib, Alquraan,
//! Al-Kiswany, OSDI 2020).
//! Being slow is not being dead, so nobody is declared gone while its lease may run; and if it was
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
//! After a restart, or a pause of its own, the centre knows nothing of who is there: every lease
//! counts as given now, and suspicion starts afresh.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Timer;
use super::lease::LeaseTerms;
use super::reports::{Question, Reports};
use super::turn::Turn;
use super::{
    Admission, Command, Config, Defect, Epoch, Lost, Member, Membership, Message, Open, Record,
    View, Wanted,
};
use crate::machine::{Incarnation, NodeId, Span, Time};

/// The configuration centre.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Centre {
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

    // From here on: what this life has heard.
    nodes: BTreeMap<Member, Heard>,
    /// Clients that want to hear of views.
    watchers: BTreeMap<NodeId, Epoch>,
    /// When to make do with those who have come, if it is the first view.
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
    /// heard says nothing of who is there?
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

    pub fn on_admit(&mut self, turn: &mut Turn<'_>, node: NodeId, incarnation: Incarnation) {
        let keeps_name = turn.config.defects.has(Defect::WipedNodeKeepsItsName);
        let admission = match self.admissions.get(&node) {
            // Late: the node is another by now, and a new number would make it a stranger.
            Some((_, asked)) if incarnation < *asked => return,
            Some((admission, asked)) if incarnation == *asked || keeps_name => *admission,
            _ => {
                let member = Member { node, admission: self.last_admission.next() };
                turn.out.force(Record::Admitted { member, incarnation });
                if self.replay_admitted(member, incarnation) {
                    self.broadcast(turn); // of the disk that is lost
                }
                member.admission
            }
        };
        turn.out.send(node, Message::Admitted { incarnation, admission });
    }

    pub fn on_heartbeat(
        &mut self,
        turn: &mut Turn<'_>,
        member: Member,
        beat: Beat,
        answered: Option<Time>,
    ) {
        if !self.is_current(member) {
            return;
        }
        if !self.is_answered(turn, beat, answered) {
            return self.send_views(turn, member.node, Some(beat));
        }
        let heard = self.nodes.entry(member).or_default();
        heard.at = Some(turn.now);
        heard.beat = heard.beat.max(beat);
        if self.is_served(turn, member, beat) {
            return self.give_lease(turn, member, beat);
        }
        let newest = self.newest();
        self.proceed(turn);
        // Otherwise everyone has just been told.
        if self.newest() == newest {
            self.send_views(turn, member.node, Some(beat));
        }
    }

    /// Does the node hear the centre? Before there is a view there is nothing to hear. A few
    /// answers may be lost: a node that has heard one in two leases is not deaf.
    fn is_answered(&self, turn: &Turn<'_>, beat: Beat, answered: Option<Time>) -> bool {
        let patience = self.terms(turn.config).length.times(2);
        let is_recent = |answered| beat.asked.since(answered) < patience;
        self.views.is_empty() || answered.is_some_and(is_recent)
    }

    /// Does the heartbeat know the view in force, is it a member's whose entry is recorded, and is
    /// no other view announced?
    fn is_served(&self, turn: &Turn<'_>, member: Member, beat: Beat) -> bool {
        let view = self.views.get(&beat.known).filter(|_| beat.known == self.active);
        let is_in_force = view.is_some_and(|view| view.has(member));
        is_in_force && self.newest() == beat.known && self.may_lease(turn, member, beat.known)
    }

    /// May the member have a lease for the epoch, if that is in force?
    fn may_lease(&self, turn: &Turn<'_>, member: Member, epoch: Epoch) -> bool {
        let too_early = turn.config.defects.has(Defect::LeaseBeforeEntryIsRecorded);
        too_early || self.has_entered(member, epoch)
    }

    /// Is it recorded that the member has left every epoch before this one?
    fn has_entered(&self, member: Member, epoch: Epoch) -> bool {
        self.reports.has_entered(member, epoch)
    }

    pub fn on_entered(
        &mut self,
        turn: &mut Turn<'_>,
        member: Member,
        epoch: Epoch,
        open: Arc<[Open]>,
    ) {
        if !self.is_current(member) {
            return; // what its successor may be told of it stays as it is
        }
        let is_new = !self.has_entered(member, epoch);
        if is_new {
            self.reports.record(member, epoch, &open);
            let record = Record::Recorded { member, entered: epoch, open };
            match turn.config.defects.has(Defect::ReportNotForced) {
                true => turn.out.write_lazily(record),
                false => turn.out.force(record),
            }
        }
        turn.out.send(member.node, Message::Noted { admission: member.admission, epoch });
        self.proceed(turn);
        // Its heartbeat came before this, and got no lease.
        let heard = self.nodes.get(&member).filter(|heard| is_new && heard.at.is_some());
        if let Some(beat) = heard.map(|heard| heard.beat)
            && self.is_served(turn, member, beat)
        {
            self.give_lease(turn, member, beat);
        }
    }

    /// A participant that has left the epoch of a transaction in doubt asks how it ends. It asks
    /// again: as long as that cannot be told, there is no answer.
    pub fn on_resolve(&self, turn: &mut Turn<'_>, asker: Member, question: &Question<'_>) {
        // A machine that is given up may run, as long as its lease does.
        let is_over = |member| self.nodes.get(&member).is_none_or(|heard| heard.until <= turn.now);
        let is_lost = |member| self.lost.contains_key(&member) && is_over(member);
        let verdict = self.reports.verdict(turn.config.defects, question, is_lost);
        if let Some(verdict) = verdict {
            let (txn, admission) = (question.txn, asker.admission);
            turn.out.send(asker.node, Message::Resolved { admission, txn, verdict });
        }
    }

    pub fn on_completed(&mut self, turn: &mut Turn<'_>, member: Member, epoch: Epoch) {
        if self.is_current(member) {
            let heard = self.nodes.entry(member).or_default();
            heard.completed = heard.completed.max(epoch);
            self.proceed(turn);
        }
    }

    /// A client wants to hear of every view after `known`.
    pub fn on_watch(&mut self, turn: &mut Turn<'_>, client: NodeId, known: Epoch) {
        self.watchers.insert(client, known);
        self.tell_watcher(turn, client);
    }

    pub fn on_command(&mut self, turn: &mut Turn<'_>, command: Command) {
        let Some(mut wanted) = self.wanted.clone() else { return };
        let mut nodes = wanted.nodes.to_vec();
        let ignores_joins = turn.config.defects.has(Defect::JoinIgnored);
        match command {
            Command::Join(node) if !nodes.contains(&node) && !ignores_joins => nodes.push(node),
            Command::Join(_) => {}
            Command::Leave(node) => nodes.retain(|other| *other != node),
            Command::Set { replicas, virtual_nodes, lock_lease, membership_lease } => {
                wanted.replicas = replicas.unwrap_or(wanted.replicas);
                wanted.virtual_nodes = virtual_nodes.unwrap_or(wanted.virtual_nodes);
                wanted.lock_lease = lock_lease.unwrap_or(wanted.lock_lease);
                wanted.membership_lease = membership_lease.unwrap_or(wanted.membership_lease);
            }
            Command::AcceptLoss(nodes) => return self.accept_loss(turn, &nodes),
        }
        nodes.sort_unstable();
        wanted.nodes = nodes.into();
        if Some(&wanted) != self.wanted.as_ref() {
            self.want(turn, wanted);
            self.proceed(turn);
        }
    }

    fn want(&mut self, turn: &mut Turn<'_>, wanted: Wanted) {
        turn.out.force(Record::Wanted { wanted: wanted.clone() });
        self.wanted = Some(wanted);
    }

    /// Gives up every member that is known to be lost, and those of these names, which the operator
    /// says never return.
    fn accept_loss(&mut self, turn: &mut Turn<'_>, nodes: &[NodeId]) {
        let named = nodes.iter().filter_map(|node| self.current(*node));
        let named = named.filter(|member| self.has_been_in_a_view(*member));
        let lost: BTreeSet<Member> = self.lost.keys().copied().chain(named).collect();
        let members: Arc<[Member]> = lost.difference(&self.given_up).copied().collect();
        if members.is_empty() {
            return; // a loss is not accepted in advance
        }
        self.replay_accepted(&members);
        turn.out.force(Record::LossAccepted { members });
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

    fn activate_if_free(&mut self, turn: &mut Turn<'_>) {
        let newest = self.newest();
        if newest == self.active {
            return;
        }
        let before = self.views.get(&Epoch(newest.0 - 1));
        let members = before.map_or(&[][..], |view| &view.members);
        let too_early = turn.config.defects.has(Defect::DeclaredGoneTooEarly);
        let has_left = |member: &Member| {
            let is_over = self.nodes.get(member).is_none_or(|heard| heard.until <= turn.now);
            is_over || too_early || self.has_entered(*member, newest)
        };
        if !members.iter().all(has_left) {
            return;
        }
        turn.out.force(Record::Activated { epoch: newest });
        self.active = newest;
        self.begin_epoch(turn);
    }

    /// Gives leases to the members that are in the new epoch already, and the others time to come.
    fn begin_epoch(&mut self, turn: &mut Turn<'_>) {
        let Some(view) = self.views.get(&self.active).cloned() else { return };
        self.longest_lock_lease = self.longest_lock_lease.max(view.lock_lease);
        let until = self.terms(turn.config).giver_until(turn.now);
        for &member in view.members.iter() {
            let heard = self.nodes.entry(member).or_default();
            heard.until = heard.until.max(until);
            let (beat, is_heard) = (heard.beat, heard.at.is_some());
            let is_there = beat.known == view.epoch && is_heard && self.is_current(member);
            if is_there && self.may_lease(turn, member, view.epoch) {
                self.give_lease(turn, member, beat);
            }
        }
        let watchers: Vec<NodeId> = self.watchers.keys().copied().collect();
        watchers.into_iter().for_each(|client| self.tell_watcher(turn, client));
    }

    fn give_lease(&mut self, turn: &mut Turn<'_>, member: Member, beat: Beat) {
        let until = self.terms(turn.config).giver_until(turn.now);
        let heard = self.nodes.entry(member).or_default();
        heard.until = heard.until.max(until);
        let Beat { incarnation, asked, known: epoch } = beat;
        let (settled, lost) = (self.settled, self.lost());
        let alive = Message::Alive { incarnation, asked, epoch, settled, lost };
        turn.out.send(member.node, alive);
    }

    fn settle_if_complete(&mut self, turn: &mut Turn<'_>) {
        let epoch = self.active;
        let Some(view) = self.views.get(&epoch).filter(|_| self.settled < epoch) else { return };
        let completed = |member: &Member| {
            let has_said = self.nodes.get(member).is_some_and(|heard| heard.completed == epoch);
            // What a lost disk is taken to have entered must not fall behind what has settled.
            has_said && self.has_entered(*member, epoch)
        };
        if self.newest() == epoch && view.members.iter().all(completed) {
            turn.out.force(Record::Converged { epoch });
            self.replay_converged(epoch);
            self.broadcast(turn);
        }
    }

    fn announce_if_changed(&mut self, turn: &mut Turn<'_>) {
        let replaces = turn.config.defects.has(Defect::ViewReplacedBeforeActive);
        if self.newest() != self.active && !replaces {
            return;
        }
        let Some(view) = self.next_view(turn) else { return };
        turn.out.force(Record::Announced { view: view.clone() });
        self.views.insert(view.epoch, view);
        self.broadcast(turn);
        self.activate_if_free(turn);
    }

    /// The next view, if it would differ.
    fn next_view(&self, turn: &Turn<'_>) -> Option<View> {
        let wanted = self.wanted.as_ref()?;
        let mut members: Vec<Member> =
            wanted.nodes.iter().filter_map(|node| self.is_there(turn, *node)).collect();
        let newest = self.views.get(&self.newest());
        if let Some(newest) = newest.filter(|_| members.is_empty()) {
            // A view has a member: those that are to leave stay until another node has come.
            let last = newest.members.iter().filter_map(|last| self.is_there(turn, last.node));
            members.extend(last);
        }
        if newest.is_none() && members.len() < wanted.nodes.len() && turn.now < self.patience {
            return None; // the cluster begins with everyone, if they come soon
        }
        let view = View {
            epoch: self.newest().next(),
            members: members.into(),
            replicas: wanted.replicas,
            virtual_nodes: wanted.virtual_nodes,
            lock_lease: wanted.lock_lease,
            membership_lease: wanted.membership_lease,
            given_up: self.given_up.iter().copied().collect(),
        };
        let differs =
            newest.is_none_or(|newest| View { epoch: newest.epoch, ..view.clone() } != *newest);
        (differs && !view.members.is_empty()).then_some(view)
    }

    /// The node under its newest admission, if it is there: a member whose lease may run, or anyone
    /// else that was heard within a lease.
    fn is_there(&self, turn: &Turn<'_>, node: NodeId) -> Option<Member> {
        let member = self.current(node)?;
        let heard = self.nodes.get(&member)?;
        let is_member = self.views.get(&self.active).is_some_and(|view| view.has(member));
        // A member that is heard gets no lease before its entry is recorded, but it is there.
        let heard_until = heard.at.map(|at| self.terms(turn.config).giver_until(at));
        let leased_until = Some(heard.until).filter(|_| is_member);
        (Some(turn.now) < heard_until.max(leased_until)).then_some(member)
    }

    fn is_current(&self, member: Member) -> bool {
        self.current(member.node) == Some(member)
    }

    /// The node under its newest number, unless that is given up.
    fn current(&self, node: NodeId) -> Option<Member> {
        let (admission, _) = *self.admissions.get(&node)?;
        let member = Member { node, admission };
        (!self.given_up.contains(&member)).then_some(member)
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

    fn send_views(&self, turn: &mut Turn<'_>, to: NodeId, beat: Option<Beat>) {
        let asked = beat.map(|beat| (beat.incarnation, beat.asked));
        let views: Arc<[View]> = self.views.values().cloned().collect();
        if !views.is_empty() {
            let (settled, lost) = (self.settled, self.lost());
            turn.out.send(to, Message::Views { asked, views, settled, lost });
        }
    }

    fn broadcast(&self, turn: &mut Turn<'_>) {
        for node in self.admissions.keys() {
            self.send_views(turn, *node, None);
        }
    }

    /// The members of known views that are lost.
    fn lost(&self) -> Arc<[Lost]> {
        let lost = self.lost.values().filter(|lost| self.is_in_a_view(lost.member));
        lost.copied().collect()
    }

    /// Tells a client of the view in force, if it does not know it.
    fn tell_watcher(&mut self, turn: &mut Turn<'_>, client: NodeId) {
        let Some(view) = self.views.get(&self.active) else { return };
        let Some(known) = self.watchers.get_mut(&client) else { return };
        if *known < view.epoch {
            *known = view.epoch;
            let (settled, lost) = (self.settled, self.lost());
            let views = [view.clone()].into();
            turn.out.send(client, Message::Views { asked: None, views, settled, lost });
        }
    }
}

/// Recovery and checkpoints.
impl Centre {
    /// Takes over what one record says.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Admitted { member, incarnation } => {
                self.replay_admitted(*member, *incarnation);
            }
            Record::Recorded { member, entered, open } => {
                self.reports.record(*member, *entered, open);
            }
            Record::Lost { lost } => {
                self.lost.insert(lost.member, *lost);
            }
            Record::Wanted { wanted } => self.wanted = Some(wanted.clone()),
            Record::Announced { view } => {
                self.views.insert(view.epoch, view.clone());
            }
            Record::Activated { epoch } => {
                self.active = *epoch;
                let lease = self.views.get(epoch).map(|view| view.lock_lease);
                self.longest_lock_lease = self.longest_lock_lease.max(lease.unwrap_or_default());
            }
            Record::Converged { epoch } => self.replay_converged(*epoch),
            Record::LossAccepted { members } => self.replay_accepted(members),
            Record::LongestLease { span } => self.longest_lock_lease = *span,
            _ => {} // somebody else's
        }
    }

    /// Is a member lost with that, whose name the node has?
    fn replay_admitted(&mut self, member: Member, incarnation: Incarnation) -> bool {
        let before = self.admissions.insert(member.node, (member.admission, incarnation));
        self.last_admission = self.last_admission.max(member.admission);
        let before = before.map(|(admission, _)| Member { admission, ..member });
        match before.filter(|before| *before != member && self.has_been_in_a_view(*before)) {
            Some(before) => self.lose(before),
            None => false,
        }
    }

    fn replay_accepted(&mut self, members: &[Member]) {
        for &member in members {
            self.lose(member);
            self.given_up.insert(member);
        }
    }

    /// The member is lost. Is that news?
    fn lose(&mut self, member: Member) -> bool {
        let entered = self.reports.entered(member).unwrap_or_default();
        self.lost.insert(member, Lost { member, entered }).is_none()
    }

    fn has_been_in_a_view(&self, member: Member) -> bool {
        self.is_in_a_view(member) || self.reports.entered(member).is_some()
    }

    fn is_in_a_view(&self, member: Member) -> bool {
        self.views.values().any(|view| view.has(member))
    }

    fn replay_converged(&mut self, epoch: Epoch) {
        self.settled = epoch;
        self.views.retain(|of, _| *of >= epoch);
        let members = self.views.values().flat_map(|view| view.members.iter());
        let known: Vec<Member> = members.copied().collect();
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.retain(|member, _| known.contains(member) || self.is_current(*member));
        self.nodes = nodes;
    }

    /// The records that give this state again.
    pub fn snapshot(&self) -> Vec<Record> {
        let admissions = self.admissions.iter();
        let mut admissions: Vec<_> = admissions.map(|(node, given)| (*given, *node)).collect();
        admissions.sort_unstable(); // as they were given
        let admitted = admissions.into_iter().map(|((admission, incarnation), node)| {
            Record::Admitted { member: Member { node, admission }, incarnation }
        });
        let mut records: Vec<Record> = admitted.collect();
        records.extend(self.reports.snapshot());
        records.extend(self.lost.values().map(|&lost| Record::Lost { lost }));
        records.extend(self.wanted.clone().map(|wanted| Record::Wanted { wanted }));
        for (&epoch, view) in &self.views {
            records.push(Record::Announced { view: view.clone() });
            if epoch <= self.active {
                records.push(Record::Activated { epoch });
            }
        }
        if self.settled > Epoch::default() {
            records.push(Record::Converged { epoch: self.settled });
        }
        if !self.given_up.is_empty() {
            let members = self.given_up.iter().copied().collect();
            records.push(Record::LossAccepted { members });
        }
        records.push(Record::LongestLease { span: self.longest_lock_lease });
        records
    }
}
