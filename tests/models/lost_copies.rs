//! How new owners get the copies of a file when owners lose their disks.
//!
//! One file, three machines, and views, each with one or two owners of the file; the first machine
//! or the first two own it in the first view, and have it. A commit takes every owner of the view.
//! The rule:
//!
//! 1. An owner serves and commits in a view only if it is *complete* there, has a lease for it, and
//!    the centre has recorded that it entered it. The centre records no entry of a member that it
//!    knows to be lost, and a view settles only when the entries of its owners are recorded.
//! 2. A node that enters a view is complete in it if it was complete in the view that it leaves and
//!    is an owner in each view since. It never goes back, and what it claims of a view that it has
//!    left stays as it is.
//! 3. Any other owner gets the copy of a node that was complete in an earlier view, if nothing was
//!    committed in any view between them: one of its owners has left it without being complete, or
//!    was lost before the centre recorded that it entered it.
//! 4. A loss is accepted by a view of its own, which names the members. In it and later no copy is
//!    taken of one that is named. An owner also takes the copy of an earlier view if each owner of
//!    each view between them is named or was not complete; and if that holds of every view back to
//!    the last that has settled, and of that one too, the file begins again: absent, and whatever
//!    its owner still has of it is dropped.
//! 5. A view is announced when the one before is active. It becomes active when every owner of that
//!    is recorded to have left it, or its lease is over.

mod clause;

use super::explore::{Model, Steps};
pub use clause::Clause;

/// The rule within bounds.
#[derive(Clone, Copy, Debug)]
pub struct LostCopies {
    pub views: usize,
    /// How many own the file in the first view.
    pub owners: usize,
    pub commits: u8,
    /// How many disks may be lost.
    pub disks: usize,
    /// May the operator give up a machine that runs?
    pub gives_up: bool,
    /// Has n1 taken the file from n2, in the second view, and is it written to? The last that has
    /// settled is the first.
    pub has_moved: bool,
    pub without: Option<Clause>,
}

const NODES: usize = 3;
const VIEWS: usize = 4;
const NAMES: [&str; NODES] = ["n1", "n2", "n3"];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct View {
    owners: u8,
    /// The disks whose loss is accepted in it and later.
    named: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Node {
    /// The view that it is in; 0 before the first.
    entered: usize,
    /// The views in which it is, or was, complete.
    complete: u8,
    /// The number of the last commit that its copy has; 0 if the file is absent.
    copy: u8,
    /// The newest view that it has reported to have entered.
    reported: usize,
    /// The newest that the centre has recorded it to have entered.
    recorded: usize,
    /// Its lease for the view that it is in is over.
    is_expired: bool,
    is_lost: bool,
    is_known_lost: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// From 1 on.
    views: [View; VIEWS + 1],
    newest: usize,
    active: usize,
    settled: usize,
    nodes: [Node; NODES],
    /// How much has been committed.
    commits: u8,
    /// Has an owner begun again although another has all that was committed?
    is_dropped: bool,
}

fn has(all: u8, place: usize) -> bool {
    all & (1 << place) != 0
}

impl State {
    fn owners(&self, view: usize) -> impl Iterator<Item = usize> + use<> {
        let owners = self.views[view].owners;
        (0..NODES).filter(move |node| has(owners, *node))
    }

    fn owns(&self, node: usize, view: usize) -> bool {
        has(self.views[view].owners, node)
    }

    fn is_complete(&self, node: usize, view: usize) -> bool {
        has(self.nodes[node].complete, view)
    }
}

impl LostCopies {
    fn keeps(&self, clause: Clause) -> bool {
        self.without != Some(clause)
    }

    /// May it serve in the view that it is in?
    fn serves(&self, state: &State, node: usize) -> bool {
        let it = &state.nodes[node];
        let is_recorded =
            it.recorded >= it.entered || !self.keeps(Clause::ServesWhenItsEntryIsRecorded);
        let is_open = state.active == it.entered && state.owns(node, it.entered) && is_recorded;
        is_open && !it.is_lost && !it.is_expired && state.is_complete(node, it.entered)
    }

    /// Does a node in the view `to` know that nothing was committed in the view `level`?
    fn is_witnessed(&self, state: &State, level: usize, to: usize) -> bool {
        state.owners(level).any(|owner| self.is_witness(state, owner, level, to))
    }

    fn is_named(&self, state: &State, node: usize, to: usize) -> bool {
        // Otherwise what is named is known as soon as it is accepted.
        let view = if self.keeps(Clause::AcceptsByAViewOfItsOwn) { to } else { state.newest };
        has(state.views[view].named, node)
    }

    /// Was the node not complete in the view `level`, as one in the view `to` knows?
    fn is_witness(&self, state: &State, node: usize, level: usize, to: usize) -> bool {
        let it = &state.nodes[node];
        if it.is_known_lost {
            return it.recorded < level
                || !self.keeps(Clause::ALostOneTestifiesOnlyToWhatItNeverEntered);
        }
        let was_complete =
            state.is_complete(node, level) && self.keeps(Clause::AWitnessWasNotComplete);
        !it.is_lost && it.entered == to && !was_complete
    }

    /// Does a node in the view `to` know that no owner of the view `level` has a copy that counts?
    /// Without `clause` it is enough that nothing was committed there, or that all are named.
    fn has_no_copy(&self, clause: Clause, state: &State, level: usize, to: usize) -> bool {
        let is_named = |owner: usize| self.is_named(state, owner, to);
        let is_witness = |owner: usize| self.is_witness(state, owner, level, to);
        match self.keeps(clause) {
            true => state.owners(level).all(|owner| is_named(owner) || is_witness(owner)),
            false => state.owners(level).all(is_named) || state.owners(level).any(is_witness),
        }
    }

    /// May a node in the view `to` take a copy from before these views?
    fn may_go_back(&self, state: &State, levels: std::ops::Range<usize>, to: usize) -> bool {
        let clause = Clause::AsksEveryOwnerBeforeItGoesBack;
        levels.clone().all(|level| self.is_witnessed(state, level, to))
            || levels.clone().all(|level| self.has_no_copy(clause, state, level, to))
    }
}

/// n2 owned the file in the first view; n1 does in the second, and has committed a write.
fn moved() -> State {
    let owned_by = |node: usize| View { owners: 1 << node, named: 0 };
    let mut views = [View::default(); VIEWS + 1];
    (views[1], views[2]) = (owned_by(1), owned_by(0));
    let stranger = Node { entered: 2, reported: 2, recorded: 2, ..Node::default() };
    let owner = Node { complete: 1 << 2, copy: 1, ..stranger };
    let nodes = [owner, Node { complete: 1 << 1, ..stranger }, stranger];
    State { views, newest: 2, active: 2, settled: 1, nodes, commits: 1, is_dropped: false }
}

impl Model for LostCopies {
    type State = State;

    fn first(&self) -> State {
        if self.has_moved {
            return moved();
        }
        let mut views = [View::default(); VIEWS + 1];
        views[1].owners = (1 << self.owners) - 1;
        let complete =
            Node { entered: 1, reported: 1, recorded: 1, complete: 1 << 1, ..Node::default() };
        let stranger = Node { complete: 0, ..complete };
        let nodes = [0, 1, 2].map(|node| if node < self.owners { complete } else { stranger });
        State { views, newest: 1, active: 1, settled: 0, nodes, commits: 0, is_dropped: false }
    }

    fn steps(&self, steps: &mut Steps<'_, State>) {
        let state = steps.state;
        self.views(steps);
        for node in 0..NODES {
            if !state.nodes[node].is_lost {
                self.enter(steps, node);
                self.fill(steps, node);
            }
            self.lose(steps, node);
        }
        let mut owners = state.owners(state.active);
        if state.commits < self.commits && owners.all(|owner| self.serves(state, owner)) {
            steps.may(format_args!("a write is committed in e{}", state.active), |next| {
                next.commits += 1;
                for owner in state.owners(state.active) {
                    next.nodes[owner].copy = next.commits;
                }
            });
        }
    }

    fn tidy(&self, state: &mut State) {
        for view in 0..state.settled {
            state.views[view].owners = 0;
        }
        for it in &mut state.nodes {
            it.complete &= u8::MAX << state.settled;
            if it.is_lost {
                let Node { reported, recorded, is_known_lost, .. } = *it;
                *it = Node { reported, recorded, is_known_lost, is_lost: true, ..Node::default() };
            }
            if it.complete == 0 && self.keeps(Clause::DropsWhatItHas) {
                it.copy = 0;
            }
        }
    }

    fn breach(&self, state: &State) -> Option<&'static str> {
        let serving: Vec<usize> = (0..NODES).filter(|node| self.serves(state, *node)).collect();
        let copies = || serving.iter().map(|node| state.nodes[*node].copy);
        if copies().any(|copy| Some(copy) != copies().next()) {
            return Some("two owners show different copies");
        }
        if state.is_dropped {
            return Some("an owner has dropped what another still has");
        }
        let is_accepted = state.views.iter().any(|view| view.named != 0);
        if !is_accepted && copies().any(|copy| copy < state.commits) {
            return Some("a committed write is not shown, and no loss was accepted");
        }
        None
    }

    fn breach_at_end(&self, state: &State) -> Option<&'static str> {
        let newest = state.newest;
        let is_named = |node: usize| has(state.views[newest].named, node);
        let lost = |node: &usize| state.nodes[*node].is_lost || state.nodes[*node].is_known_lost;
        let all_named = (0..NODES).filter(lost).all(is_named);
        let mut left = state.owners(newest).filter(|node| !lost(node));
        let waits = left.any(|node| !state.is_complete(node, newest));
        (all_named && waits).then_some("an owner waits for ever")
    }
}

impl LostCopies {
    /// The centre announces, activates and settles views.
    fn views(&self, steps: &mut Steps<'_, State>) {
        let state = steps.state;
        let (newest, active) = (state.newest, state.active);
        let mut before = state.owners(newest - 1);
        let is_free = |node: usize| {
            state.nodes[node].recorded >= newest
                || state.nodes[node].is_expired
                || state.nodes[node].is_lost
        };
        if newest > active && before.all(is_free) {
            steps.will(format_args!("e{newest} is activated"), |next| next.active = newest);
        }
        let mut owners = state.owners(active);
        if newest == active && owners.all(|node| self.has_completed(state, node)) {
            steps.will(format_args!("e{newest} settles"), |next| next.settled = newest);
        }
        let known_lost = (0..NODES).filter(|node| state.nodes[*node].is_known_lost);
        let known_lost = known_lost.fold(0, |all, node| all | 1 << node);
        let named = state.views[newest].named;
        if named != known_lost && !self.keeps(Clause::AcceptsByAViewOfItsOwn) {
            steps.may(format_args!("the loss of {} is accepted", names(known_lost)), |next| {
                next.views[newest].named = known_lost;
            });
        }
        if newest > active || newest == self.views {
            return;
        }
        for owners in 1..1u8 << NODES {
            if owners & known_lost != 0 || owners.count_ones() > 2 {
                continue;
            }
            let of = names(owners);
            let view = |named| View { owners, named };
            if owners != state.views[newest].owners {
                steps.may(format_args!("e{} of {of} is announced", newest + 1), |next| {
                    next.newest += 1;
                    next.views[newest + 1] = view(named);
                });
            }
            if named != known_lost {
                let lost = names(known_lost);
                let is = format_args!(
                    "e{} of {of} is announced, which accepts the loss of {lost}",
                    newest + 1
                );
                steps.may(is, |next| {
                    next.newest += 1;
                    next.views[newest + 1] = view(known_lost);
                });
            }
        }
    }

    /// It has said that it is complete in the view in force.
    fn has_completed(&self, state: &State, node: usize) -> bool {
        let it = &state.nodes[node];
        let is_recorded =
            it.recorded >= it.entered || !self.keeps(Clause::SettlesWhenEntriesAreRecorded);
        let is_there = !it.is_lost && is_recorded && it.entered == state.active;
        is_there && state.is_complete(node, it.entered)
    }

    /// A node leaves its view for the newest, and the centre records that.
    fn enter(&self, steps: &mut Steps<'_, State>, node: usize) {
        let (state, name) = (steps.state, NAMES[node]);
        let it = state.nodes[node];
        let newest = state.newest;
        if it.entered < newest {
            let mut since = it.entered + 1..=newest;
            let stays = since.all(|view| state.owns(node, view))
                || !self.keeps(Clause::StaysCompleteAsAnOwnerOnly) && state.owns(node, newest);
            steps.will(format_args!("{name} enters e{newest}"), |next| {
                let is_complete = stays && it.entered > 0 && state.is_complete(node, it.entered);
                let it = &mut next.nodes[node];
                (it.entered, it.reported, it.is_expired) = (newest, newest, false);
                it.complete |= u8::from(is_complete) << newest;
            });
        }
        if it.entered < newest && !it.is_expired && state.owns(node, newest - 1) {
            steps.may(format_args!("the lease of {name} is over"), |next| {
                next.nodes[node].is_expired = true;
            });
        }
    }

    /// An owner that is not complete gets what is missing.
    fn fill(&self, steps: &mut Steps<'_, State>, node: usize) {
        let (state, name) = (steps.state, NAMES[node]);
        let view = state.nodes[node].entered;
        if view == 0 || !state.owns(node, view) || state.is_complete(node, view) {
            return;
        }
        let oldest = state.settled.max(1);
        let may_ask = |level: usize| {
            self.may_go_back(state, level + 1..view, view)
                || !self.keeps(Clause::PassesOnlyWhatIsWitnessed)
        };
        for level in (oldest..view).filter(|level| may_ask(*level)) {
            for source in state.owners(level) {
                let its = &state.nodes[source];
                let is_named = has(state.views[view].named, source);
                if is_named && self.keeps(Clause::TakesNoCopyOfTheNamed) {
                    continue;
                }
                if its.is_lost || its.entered != view || !state.is_complete(source, level) {
                    continue;
                }
                let is = match source == node {
                    true => format_args!("{name} has had it since e{level}"),
                    false => {
                        format_args!("{name} takes the copy that {} had in e{level}", NAMES[source])
                    }
                };
                steps.will(is, |next| {
                    next.nodes[node].copy = its.copy;
                    next.nodes[node].complete |= 1 << view;
                });
            }
        }
        let clause = Clause::AsksEveryOwnerBeforeItBeginsAgain;
        if (oldest..view).all(|level| self.has_no_copy(clause, state, level, view)) {
            // What was complete before the last view that has settled, its node has given up; and
            // what a machine has that the operator gives up, the operator has given up.
            let is_kept = |it: &Node| {
                let is_there = !it.is_lost && !it.is_known_lost;
                let was_complete = (oldest..view).any(|level| has(it.complete, level));
                is_there && it.copy > 0 && was_complete
            };
            let is_dropped = state.nodes.iter().any(is_kept);
            steps.will(format_args!("{name} begins again in e{view}"), |next| {
                next.is_dropped = is_dropped;
                if self.keeps(Clause::DropsWhatItHas) {
                    next.nodes[node].copy = 0;
                }
                next.nodes[node].complete |= 1 << view;
            });
        }
    }

    fn lose(&self, steps: &mut Steps<'_, State>, node: usize) {
        let (state, name) = (steps.state, NAMES[node]);
        let it = &state.nodes[node];
        let lost = state.nodes.iter().filter(|it| it.is_lost || it.is_known_lost).count();
        if it.recorded < it.reported
            && (!it.is_known_lost || !self.keeps(Clause::RecordsNoEntryOfTheLost))
        {
            let is = format_args!("the centre records that {name} has entered e{}", it.reported);
            let change = |next: &mut State| next.nodes[node].recorded = it.reported;
            match it.is_lost {
                true => steps.may(is, change),
                false => steps.will(is, change),
            }
        }
        if self.gives_up && !it.is_lost && !it.is_known_lost && lost < self.disks {
            steps.may(format_args!("the operator gives {name} up, which runs"), |next| {
                next.nodes[node].is_known_lost = true;
            });
        }
        if !it.is_lost && lost < self.disks {
            steps.may(format_args!("{name} loses its disk"), |next| {
                next.nodes[node].is_lost = true;
            });
        }
        if it.is_lost && !it.is_known_lost {
            steps.will(format_args!("the centre learns that {name}'s disk is lost"), |next| {
                next.nodes[node].is_known_lost = true;
            });
        }
    }
}

fn names(all: u8) -> String {
    let names: Vec<&str> =
        (0..NODES).filter(|node| has(all, *node)).map(|node| NAMES[node]).collect();
    names.join(" and ")
}
