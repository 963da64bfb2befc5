//! Which steps of a run a story tells, and the rank of each: where there is room for some only, the
//! lowest ranks are told.

use std::collections::BTreeSet;

use seedbed::machine::NodeId;

use super::heartbeats::only_answers_a_heartbeat;
use super::history::History;
use super::story::Story;
use crate::subject::{self, Standing, Subject as _, Subjects};
use crate::under_test::UnderTest;
use crate::world::{Event, Fact, Step};

/// The rank of the facts, and of the steps in which a defect acts.
const NEVER_LEFT_OUT: usize = 0;

/// How much higher the rank of a step is that is only about what was before.
const OF_BEFORE: usize = 3;

/// The rank of a step in which a machine of the story goes on to another view, or whatever else
/// happens without a request.
const CIRCUMSTANCE: usize = 6;

/// The rank of a step in which a message arrives that only prepares what comes.
const PREPARATION: usize = 7;

/// So many faults are told that struck the machines of a story before it begins.
const EARLIER_FAULTS: usize = 4;

/// The choice of the steps of one story.
pub(super) struct Choice<'a, S: UnderTest> {
    story: &'a Story<S>,
    history: &'a History<S>,
    /// What each step is about.
    each: &'a [Subjects<S::Subject>],
    causes: &'a [Vec<usize>],
    is_past: &'a [bool],
    /// The machines of the story.
    involved: BTreeSet<NodeId>,
    /// The first step about what it tells.
    first: usize,
    last: usize,
}

impl<'a, S: UnderTest> Choice<'a, S> {
    pub fn new(
        story: &'a Story<S>,
        history: &'a History<S>,
        each: &'a [Subjects<S::Subject>],
        causes: &'a [Vec<usize>],
        is_past: &'a [bool],
    ) -> Choice<'a, S> {
        let last = story.facts.last().copied().unwrap_or_default();
        let is_told = |place: &usize| is_past[*place] && each[*place].meet(&story.wider);
        let told: Vec<usize> = (0..history.len()).take(last + 1).filter(is_told).collect();
        let marked = || story.facts.iter().chain(&story.of_defect);
        let concerned = told.iter().chain(marked());
        let mut involved: BTreeSet<NodeId> =
            concerned.filter_map(|place| history.at(*place).place()).collect();
        let is_named = |node: &&NodeId| story.named.has(&S::Subject::from(**node));
        involved.extend(history.machines().iter().filter(is_named));
        let first = told.iter().chain(marked()).min().copied().unwrap_or(last);
        Choice { story, history, each, causes, is_past, involved, first, last }
    }

    /// The steps, in order, each with its rank.
    pub fn steps(&self) -> Vec<(usize, usize)> {
        if self.story.facts.is_empty() {
            return Vec::new();
        }
        let before = (0..self.first).rev().filter(|place| self.breaks(self.history.at(*place)));
        let mut steps: Vec<(usize, usize)> =
            before.take(EARLIER_FAULTS).map(|place| (place, 1)).collect();
        steps.reverse();
        let all = self.first..=self.last;
        steps.extend(all.filter_map(|place| Some((place, self.rank(place)?))));
        steps
    }

    /// The rank of the step; `None` if it has no part in the story.
    fn rank(&self, place: usize) -> Option<usize> {
        let Story { subjects, wider, facts, acts, of_defect, origins, .. } = self.story;
        let (step, about) = (self.history.at(place), &self.each[place]);
        let is_past = self.is_past[place] || self.is_lost(place);
        Some(match () {
            () if facts.contains(&place) || acts.contains(&place) => NEVER_LEFT_OUT,
            () if of_defect.contains(&place) => 1,
            () if origins.contains(&place) => 1,
            () if self.breaks(step) => rank(step, subjects),
            () if is_past && about.meet(subjects) => rank(step, subjects),
            () if is_past && about.meet(wider) => rank(step, wider) + OF_BEFORE,
            () if self.is_circumstance(step) => CIRCUMSTANCE,
            () => return None,
        })
    }

    /// Is it the loss of a message that the story has sent, about what it tells?
    fn is_lost(&self, place: usize) -> bool {
        let was_sent = self.causes[place].iter().any(|cause| self.is_past[*cause]);
        matches!(self.history.at(place).event, Event::Drop(..)) && was_sent
    }

    /// Does a machine of the story write down something that happens without a request, or a
    /// message about that not reach it?
    fn is_circumstance(&self, step: &Step<S>) -> bool {
        let of_undertaking = |about: Subjects<S::Subject>| {
            about.iter().any(|subject| subject.standing() == Standing::Undertaking)
        };
        if let (Event::Drop(..), Some(packet)) = (&step.event, &step.packet) {
            let ends = [packet.from, packet.to];
            return ends.iter().all(|end| self.involved.contains(end) || *end == NodeId::CONTROL)
                && of_undertaking(subject::of_event(step));
        }
        step.facts.iter().any(|fact| match fact {
            Fact::Appended { node, record, .. } => {
                (self.involved.contains(node) || *node == NodeId::CONTROL)
                    && !S::is_bookkeeping(record)
                    && of_undertaking(subject::of_record::<S>(*node, record))
            }
            _ => false, // it is told where it is about the story
        })
    }

    /// Does it break or mend a machine of the story, or one of its links?
    fn breaks(&self, step: &Step<S>) -> bool {
        if let Some(node) = step.event.changes_machine() {
            return self.involved.contains(&node) && !is_first_start(step);
        }
        let is_of_story = |node: &NodeId| self.involved.contains(node);
        let is_centre = |node: &NodeId| *node == NodeId::CONTROL;
        match &step.event {
            Event::Cut(links) | Event::Mend(links) => links.iter().any(|(a, b)| {
                (is_of_story(a) && (is_of_story(b) || is_centre(b)))
                    || (is_centre(a) && is_of_story(b))
            }),
            // What the operator says may concern any machine, whichever is told.
            Event::Command(_) => true,
            _ => false, // it is what machines do that work
        }
    }
}

/// Does a machine start for the first time?
pub(super) fn is_first_start<S: UnderTest>(step: &Step<S>) -> bool {
    let is_first = |fact: &Fact<S>| match fact {
        Fact::Started { incarnation, .. } => incarnation.0 == 1,
        _ => false, // no start
    };
    step.facts.iter().any(is_first)
}

/// The rank of a step about `subjects`.
pub(super) fn rank<S: UnderTest>(step: &Step<S>, subjects: &Subjects<S::Subject>) -> usize {
    const BACKGROUND: usize = 9;
    if only_answers_a_heartbeat(step) {
        return BACKGROUND;
    }
    if step.event.takes_down().is_some() {
        return 1;
    }
    if let Event::Deliver(_) = step.event
        && step.packet.as_ref().is_some_and(|packet| S::is_preparation(&packet.message))
    {
        return PREPARATION;
    }
    match &step.event {
        Event::Cut(_) => 1,
        Event::Drop(..) => 2,
        Event::Stall(_) | Event::FillUp(_) => 2,
        Event::Synced(_) if has_effect(step, subjects) => 2,
        Event::Deliver(_) if has_effect(step, subjects) => 3,
        Event::Command(_) => 3,
        Event::Request { .. } | Event::Duplicate(_) | Event::Pause(_) => 3,
        Event::Start { .. } | Event::Resume(_) | Event::ClockJump { .. } => 4,
        Event::Wake(_) if has_effect(step, subjects) => 4,
        Event::Mend(_) | Event::ClockDrift { .. } => 5,
        Event::Unstall(_) | Event::MakeRoom(_) => 5,
        _ => 6,
    }
}

/// Did it lead to more than the beginning of a sync?
fn has_effect<S: UnderTest>(step: &Step<S>, subjects: &Subjects<S::Subject>) -> bool {
    step.facts.iter().any(|fact| match fact {
        Fact::SyncBegan { .. } => false,
        fact => subject::of_fact(fact).meet(subjects),
    })
}
