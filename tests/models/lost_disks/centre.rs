//! The centre, and what breaks.

use super::super::explore::Steps;
use super::state::{C, NAMES, Node, Sent, State, Vote, add, has};
use super::{Clause, LostDisks, hears};

impl LostDisks {
    /// What the centre says by its records: does it commit?
    fn word(&self, state: &State) -> Option<bool> {
        let asks_anyway =
            has(state.known_lost, C) && !self.keeps(Clause::BelievesTheCoordinatorThatLeft);
        if has(state.recorded, C) && !asks_anyway {
            return Some(has(state.open, C));
        }
        let is_gone = |node: Node| {
            let is_over = !has(state.leased, node) || has(state.lost, node);
            has(state.known_lost, node) && (is_over || !self.keeps(Clause::WaitsForLeases))
        };
        if !is_gone(C) {
            return None;
        }
        let mut commits = true;
        for node in self.voters() {
            if has(state.recorded, node) {
                commits &= has(state.open, node) || !self.keeps(Clause::AbortsWhatIsNotOpenAtOne);
            } else if is_gone(node) {
                let gave_no_yes = !has(state.entered, node)
                    && self.keeps(Clause::AbortsWhatALostOneHadNotEnteredFor);
                let counts = self.keeps(Clause::CommitsWhatOnlyTheLostCouldRefuse);
                commits &= counts && !gave_no_yes;
            } else if self.keeps(Clause::WaitsForEveryParticipant) {
                return None;
            }
        }
        Some(commits)
    }

    pub(super) fn centre(&self, steps: &mut Steps<'_, State>, node: Node) {
        let (state, name) = (steps.state, NAMES[node]);
        if !has(state.known_lost, node) || !self.keeps(Clause::TakesNoReportOfTheLost) {
            for (report, is_open) in
                [(Sent::ReportOpen(node), true), (Sent::ReportClosed(node), false)]
            {
                let open = if is_open { "open" } else { "not open" };
                let is =
                    format_args!("the centre records that it is {open} at {name}, and says so");
                let record = |next: &mut State| {
                    add(&mut next.recorded, node);
                    add(&mut next.acknowledged, node);
                    next.open |= u8::from(is_open) << node;
                };
                match self.keeps(Clause::RepeatsItsReport) {
                    true => hears(steps, node, report, is, record),
                    false if state.was_sent(report) => steps.may(is, record),
                    false => {}
                }
            }
        }
        if node != C {
            self.enter(steps, node);
        }
        if has(state.lost, node) {
            steps.will(format_args!("the centre learns that {name}'s disk is lost"), |next| {
                add(&mut next.known_lost, node)
            });
        }
        if node == C && self.retries {
            steps.may(format_args!("another attempt is refused"), |next| {
                next.send(Sent::DeclineOther)
            });
            if self.voters().all(|voter| state.was_sent(Sent::DeclinedOther(voter))) {
                let is = format_args!("the client is told that its request is refused");
                steps.may(is, |next| next.missed = true);
            }
        }
        let asks = |voter: Node| {
            state.vote(voter) == Vote::Yes && has(state.left, voter) && !has(state.lost, voter)
        };
        if node == C && self.voters().any(asks) {
            match self.word(state) {
                Some(true) => steps.will(format_args!("the centre says commit"), |next| {
                    next.send(Sent::WordCommit)
                }),
                Some(false) => steps
                    .will(format_args!("the centre says abort"), |next| next.send(Sent::WordAbort)),
                None => {}
            }
        }
    }

    /// The centre records that a participant has entered the epoch, or knows it to be lost before.
    fn enter(&self, steps: &mut Steps<'_, State>, node: Node) {
        let (state, name) = (steps.state, NAMES[node]);
        if has(state.entered | state.recorded, node) {
            return;
        }
        if has(state.known_lost, node) {
            let is =
                format_args!("a new owner passes the epoch over, which {name} had not entered");
            return steps.may(is, |next| next.missed = true);
        }
        let is = format_args!("the centre records that {name} has entered the epoch");
        match has(state.lost, node) {
            true => steps.may(is, |next| add(&mut next.entered, node)),
            false => steps.will(is, |next| add(&mut next.entered, node)),
        }
    }

    pub(super) fn faults(&self, steps: &mut Steps<'_, State>) {
        let state = steps.state;
        for (node, name) in NAMES[..=self.participants].iter().enumerate() {
            if state.disks < self.disks && !has(state.lost, node) {
                steps.may(format_args!("{name} loses its disk"), |next| {
                    add(&mut next.lost, node);
                    next.disks += 1;
                });
                if self.gives_up {
                    steps.may(format_args!("the operator gives {name} up, which runs"), |next| {
                        add(&mut next.known_lost, node);
                        next.disks += 1;
                    });
                }
            }
            if node != C
                && !has(state.left | state.lost, node)
                && state.vote(node) == Vote::RolledBack
            {
                steps.may(format_args!("{name} crashes before its abort is durable"), |next| {
                    next.set_vote(node, Vote::Yes);
                });
            }
        }
        if !self.keeps(Clause::RecordsBeforeItAcknowledges) && state.recorded != 0 {
            steps.may(format_args!("the centre crashes"), |next| {
                (next.recorded, next.open) = (0, 0)
            });
        }
        if !self.keeps(Clause::ForcesWhatIsLost) {
            steps.may(format_args!("the centre crashes"), |next| next.known_lost = 0);
        }
    }
}
