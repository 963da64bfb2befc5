//! How a transaction ends that a lost disk has left open.
//!
//! One transaction of one epoch, with its coordinator C, up to three participants X, Y and Z, and
//! the centre. Messages may be lost, late and doubled: what was once sent may arrive at any later
//! time, any number of times, or never. The rule:
//!
//! 1. Within the epoch it ends by the word of its coordinator, or of a participant that will never
//!    vote for it or knows how it has ended.
//! 2. A node that learns of a newer view forces that it leaves the epoch, and never returns. It
//!    gives up what it has not promised, and reports to the centre whether the transaction is
//!    *open* at it. At its coordinator that is so if it is decided, at a participant if it has
//!    voted yes or applied it; until the coordinator knows that every participant has it durably.
//! 3. The centre forces a report before it acknowledges it, forces which members are lost, and
//!    takes no report of one that it knows to be lost. A node serves and hands over copies outside
//!    the epoch only when its report is acknowledged, and nothing that it is in doubt about.
//! 4. A participant that has left the epoch in doubt takes no abort but the centre's; a commit it
//!    takes from any machine.
//! 5. The centre answers by its records alone. If the coordinator has left the epoch, it commits
//!    exactly if it is open there. If the coordinator is lost and never left, the centre waits
//!    until every participant has left or is lost; then it aborts if one that has left reports it
//!    not open, or one is not recorded to have entered the epoch, else it commits. Lost is a
//!    machine whose disk is, or that the operator gives up, and whose lease is over. A participant
//!    votes only when it is recorded to have entered; a new owner may pass over an epoch that a
//!    lost participant was not recorded to have entered.
//! 6. A client is told that its request is refused when every participant has forced that it votes
//!    for no attempt at it. A participant that is in doubt about another attempt forces that when
//!    the doubt is over.

mod centre;
mod clause;
mod state;

use std::fmt::Arguments;

use super::explore::{Model, Steps};
pub use clause::Clause;
use state::{C, NAMES, Node, Phase, Sent, State, Vote, add, has};

/// The rule within bounds.
#[derive(Clone, Copy, Debug)]
pub struct LostDisks {
    pub participants: usize,
    /// Is the coordinator an owner too?
    pub owns: bool,
    /// How many disks may be lost.
    pub disks: u8,
    /// Is there another attempt at the request, which is refused?
    pub retries: bool,
    /// May the operator give up a machine that runs?
    pub gives_up: bool,
    /// Do participants have yet to enter the epoch?
    pub enters: bool,
    pub without: Option<Clause>,
}

impl LostDisks {
    fn keeps(&self, clause: Clause) -> bool {
        self.without != Some(clause)
    }

    fn voters(&self) -> std::ops::RangeInclusive<Node> {
        1..=self.participants
    }

    fn is_open(&self, state: &State, node: Node) -> bool {
        match node {
            C => state.phase == Phase::Decided,
            _ => match state.vote(node) {
                Vote::Yes => true,
                Vote::Applied => self.keeps(Clause::ReportsWhatItHasApplied),
                Vote::None | Vote::RolledBack | Vote::Never | Vote::Forgotten => false,
            },
        }
    }
}

/// A message of `from` arrives: for certain, as it is repeated, unless `from` is no more.
fn hears(
    steps: &mut Steps<'_, State>,
    from: Node,
    message: Sent,
    is: Arguments<'_>,
    change: impl FnOnce(&mut State),
) {
    if !steps.state.was_sent(message) {
        return;
    }
    match has(steps.state.lost, from) {
        true => steps.may(is, change),
        false => steps.will(is, change),
    }
}

impl Model for LostDisks {
    type State = State;

    fn first(&self) -> State {
        State {
            phase: Phase::Idle,
            votes: [Vote::None; 3],
            leased: 0b1111,
            left: 0,
            entered: if self.enters { 0 } else { 0b1111 },
            lost: 0,
            known_lost: 0,
            recorded: 0,
            open: 0,
            acknowledged: 0,
            sent: 0,
            seen: false,
            missed: false,
            disks: 0,
        }
    }

    fn steps(&self, steps: &mut Steps<'_, State>) {
        let lost = steps.state.lost;
        if !has(lost, C) {
            self.coordinate(steps);
        }
        for node in self.voters().filter(|node| !has(lost, *node)) {
            self.take_part(steps, node);
        }
        for node in 0..=self.participants {
            if !has(lost, node) {
                self.leave_and_serve(steps, node);
            }
            self.centre(steps, node);
        }
        self.faults(steps);
    }

    fn breach(&self, state: &State) -> Option<&'static str> {
        if state.was_sent(Sent::WordCommit) && state.was_sent(Sent::WordAbort) {
            return Some("the centre has said two things");
        }
        (state.seen && state.missed).then_some("the transaction is seen, and so is its absence")
    }

    fn breach_at_end(&self, state: &State) -> Option<&'static str> {
        let is_in_doubt =
            |node: Node| state.vote(node) == Vote::Yes && !has(state.lost | state.known_lost, node);
        self.voters().any(is_in_doubt).then_some("a participant is in doubt for ever")
    }
}

impl LostDisks {
    fn coordinate(&self, steps: &mut Steps<'_, State>) {
        let state = steps.state;
        let is_there = !has(state.left, C) || !self.keeps(Clause::GivesUpWhenItLeaves);
        let is_collecting = state.phase == Phase::Collecting;
        if state.phase == Phase::Idle && is_there {
            steps.may(format_args!("C asks for votes"), |next| {
                next.phase = Phase::Collecting;
                next.send(Sent::Prepare);
            });
        }
        if is_collecting && is_there && self.voters().all(|node| state.was_sent(Sent::Yes(node))) {
            steps.may(format_args!("C has every yes and forces its decision"), |next| {
                next.phase = Phase::Decided;
                next.send(Sent::Commit);
                next.seen = true;
            });
        }
        if is_collecting && self.voters().any(|node| state.was_sent(Sent::No(node))) {
            steps.may(format_args!("C hears a no"), |next| {
                next.phase = Phase::Refusing;
                next.send(Sent::Abort);
                next.send(Sent::Decline);
                next.missed |= !self.keeps(Clause::TellsRefusalsWhenAllHaveThem);
            });
        }
        if matches!(state.phase, Phase::Collecting | Phase::Refusing) {
            steps.may(format_args!("C gives up, or crashes"), |next| {
                next.phase = Phase::GaveUp;
                next.send(Sent::Abort);
            });
        }
        let is_done = |node: Node| {
            let vote = state.vote(node);
            matches!(vote, Vote::Applied | Vote::Forgotten) || has(state.lost, node)
        };
        if state.phase == Phase::Decided && self.voters().all(is_done) {
            steps.may(format_args!("C knows that all have it, and forgets it"), |next| {
                next.phase = Phase::Over;
            });
        }
        let has_it = |node| state.was_sent(Sent::No(node)) || state.was_sent(Sent::Declined(node));
        if state.phase == Phase::Refusing && self.voters().all(has_it) {
            steps.may(format_args!("C tells its client that it is refused"), |next| {
                next.missed = true
            });
        }
    }

    fn take_part(&self, steps: &mut Steps<'_, State>, node: Node) {
        let (state, name) = (steps.state, NAMES[node]);
        let (vote, has_left) = (state.vote(node), has(state.left, node));
        let has_entered =
            has(state.entered, node) || !self.keeps(Clause::VotesWhenItsEntryIsRecorded);
        let may_vote = has_entered && !has_left || !self.keeps(Clause::VotesInItsEpochOnly);
        if vote == Vote::None && may_vote && state.was_sent(Sent::Prepare) {
            steps.may(format_args!("{name} votes yes"), |next| {
                next.set_vote(node, Vote::Yes);
                next.send(Sent::Yes(node));
            });
            steps.may(format_args!("{name} votes no"), |next| {
                next.set_vote(node, Vote::Never);
                next.send(Sent::No(node));
            });
        }
        let may_forget = state.phase == Phase::Over || !self.keeps(Clause::RemembersUntilAllHaveIt);
        if vote == Vote::Applied && may_forget {
            steps.may(format_args!("{name} forgets that it has applied it"), |next| {
                next.set_vote(node, Vote::Forgotten);
            });
        }
        let knows = match vote {
            Vote::Applied => Some(Sent::SaysCommitted(node)),
            Vote::RolledBack | Vote::Never => Some(Sent::SaysAborted(node)),
            Vote::None if has_left => Some(Sent::SaysAborted(node)),
            Vote::None | Vote::Yes | Vote::Forgotten => None,
        };
        if let Some(word) = knows {
            steps.may(format_args!("{name} tells another participant what it knows"), |next| {
                next.send(word)
            });
        }
        if vote == Vote::None && !has_left {
            steps.may(
                format_args!("{name} promises another participant that it never votes"),
                |next| {
                    next.set_vote(node, Vote::Never);
                    next.send(Sent::SaysAborted(node));
                },
            );
        }
        let is_forced = self.keeps(Clause::ForcesRefusals);
        if !has_left && matches!(vote, Vote::None | Vote::Yes | Vote::RolledBack) {
            let is = format_args!("{name} takes note of the refusal");
            hears(steps, C, Sent::Decline, is, |next| {
                let noted = match vote {
                    _ if is_forced => Vote::Never,
                    Vote::Yes => Vote::RolledBack,
                    other => other,
                };
                next.set_vote(node, noted);
                next.send(Sent::Declined(node));
            });
        }
        self.refuse_another_attempt(steps, node);
        if vote == Vote::Yes {
            self.learn(steps, node);
        }
        if matches!(vote, Vote::None | Vote::RolledBack | Vote::Never) {
            hears(
                steps,
                C,
                Sent::Commit,
                format_args!("{name} hears of a commit that it has no part in"),
                |next| {
                    next.missed = true;
                },
            );
        }
    }

    /// Another attempt at the request has a coordinator of its own, and is refused.
    fn refuse_another_attempt(&self, steps: &mut Steps<'_, State>, node: Node) {
        let (state, name) = (steps.state, NAMES[node]);
        if !self.retries || has(state.left, node) || !state.was_sent(Sent::DeclineOther) {
            return;
        }
        let is_in_doubt = state.vote(node) == Vote::Yes;
        if matches!(state.vote(node), Vote::Applied | Vote::Forgotten)
            || is_in_doubt && self.keeps(Clause::IsInDoubtAboutNoOtherAttempt)
        {
            return;
        }
        steps.may(format_args!("{name} takes note of the refusal of another attempt"), |next| {
            if !is_in_doubt {
                next.set_vote(node, Vote::Never);
            }
            next.send(Sent::DeclinedOther(node));
        });
    }

    /// A participant in doubt learns how it ends.
    fn learn(&self, steps: &mut Steps<'_, State>, node: Node) {
        let (name, has_left) = (NAMES[node], has(steps.state.left, node));
        hears(steps, C, Sent::Commit, format_args!("{name} hears C's commit"), |next| {
            next.set_vote(node, Vote::Applied);
        });
        if !has_left || !self.keeps(Clause::TakesNoAbortOutsideTheEpoch) {
            hears(steps, C, Sent::Abort, format_args!("{name} hears C's abort"), |next| {
                next.set_vote(node, Vote::RolledBack);
            });
        }
        for other in self.voters().filter(|other| *other != node) {
            let from = NAMES[other];
            hears(
                steps,
                other,
                Sent::SaysCommitted(other),
                format_args!("{name} hears of the commit from {from}"),
                |next| {
                    next.set_vote(node, Vote::Applied);
                },
            );
            if !has_left {
                hears(
                    steps,
                    other,
                    Sent::SaysAborted(other),
                    format_args!("{name} hears of the abort from {from}"),
                    |next| {
                        next.set_vote(node, Vote::RolledBack);
                    },
                );
            }
        }
        if has_left {
            for (word, is, vote) in [
                (Sent::WordCommit, "commit", Vote::Applied),
                (Sent::WordAbort, "abort", Vote::Never),
            ] {
                if steps.state.was_sent(word) {
                    steps.will(format_args!("{name} hears the centre say {is}"), |next| {
                        next.set_vote(node, vote)
                    });
                }
            }
        }
    }

    fn leave_and_serve(&self, steps: &mut Steps<'_, State>, node: Node) {
        let (state, name) = (steps.state, NAMES[node]);
        if !has(state.left, node) {
            steps.will(format_args!("{name} leaves the epoch and reports"), |next| {
                let open = self.is_open(next, node);
                add(&mut next.left, node);
                next.send(if open { Sent::ReportOpen(node) } else { Sent::ReportClosed(node) });
                if node == C
                    && !matches!(next.phase, Phase::Decided | Phase::Over)
                    && self.keeps(Clause::GivesUpWhenItLeaves)
                {
                    next.phase = Phase::GaveUp;
                    next.send(Sent::Abort);
                }
                // What is forced now makes what was written before it durable.
                if node != C && next.vote(node) == Vote::RolledBack {
                    next.set_vote(node, Vote::Never);
                }
            });
        }
        if has(state.left, node) && !self.keeps(Clause::ForcesThatItHasLeft) {
            steps.may(format_args!("{name} crashes, and is in the epoch again"), |next| {
                next.left &= !(1 << node);
            });
        }
        // Within the epoch its absence is that of a later transaction, until it was seen.
        let lacks_it = match node {
            C => !matches!(state.phase, Phase::Decided | Phase::Over),
            _ => matches!(state.vote(node), Vote::None | Vote::RolledBack | Vote::Never),
        };
        let serves = (node != C || self.owns) && has(state.leased, node);
        if state.seen && lacks_it && serves && !has(state.left, node) {
            steps.may(
                format_args!("{name} serves in the epoch, without the transaction"),
                |next| {
                    next.missed = true;
                },
            );
        }
        if self.gives_up && has(state.leased, node) {
            steps.will(format_args!("the lease of {name} is over"), |next| {
                next.leased &= !(1 << node);
            });
        }
        let may_serve = has(state.acknowledged, node) || !self.keeps(Clause::ReportsBeforeItServes);
        let owns = node != C || self.owns;
        if owns && has(state.left, node) && may_serve {
            let lacks_it = match node {
                C => !matches!(state.phase, Phase::Decided | Phase::Over),
                _ => match state.vote(node) {
                    Vote::Yes => !self.keeps(Clause::HoldsBackWhatItDoubts),
                    Vote::None | Vote::RolledBack | Vote::Never => true,
                    Vote::Applied | Vote::Forgotten => false,
                },
            };
            if lacks_it {
                steps.may(
                    format_args!("{name} serves or hands over its copies, without the transaction"),
                    |next| {
                        next.missed = true;
                    },
                );
            }
        }
    }
}
