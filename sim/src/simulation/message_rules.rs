//! The rules of the file for single messages.

use crate::under_test::UnderTest;
use seedbed::machine::NodeId;

use super::binding::Binding;
use crate::draw::message_delivery::{Arrival, Course};
use crate::milestone::Milestone;
use crate::oracle::milestones::Reached;
use crate::scenario::{About, Fate, MessageRule, Target};
use crate::subject;

/// The rules, and which of them apply.
#[derive(Debug)]
pub(super) struct MessageRules<'a, S: UnderTest> {
    rules: Vec<Rule<'a, S>>,
    /// Is everything healed? Then no rule applies any more.
    is_healed: bool,
}

#[derive(Debug)]
struct Rule<'a, S: UnderTest> {
    is: &'a MessageRule<S>,
    /// Its two ends. With `when`, roles have got their machines by the time it applies.
    from: Option<Target<S>>,
    to: Option<Target<S>>,
    applies: bool,
    /// Messages that have matched since it began to apply.
    matches: u32,
    has_fired: bool,
}

/// A message that is sent.
pub(super) struct Sent<'s, S: UnderTest> {
    pub from: NodeId,
    pub to: NodeId,
    pub message: &'s S::Message,
}

impl<'a, S: UnderTest> MessageRules<'a, S> {
    /// The rules of a file; none applies yet.
    pub fn new(rules: &'a [MessageRule<S>]) -> MessageRules<'a, S> {
        let rule = |is: &'a MessageRule<S>| Rule {
            is,
            from: is.from,
            to: is.to,
            applies: false,
            matches: 0,
            has_fired: false,
        };
        MessageRules { rules: rules.iter().map(rule).collect(), is_healed: false }
    }

    /// Is there nothing to look at?
    pub fn is_empty(&self) -> bool {
        self.is_healed || self.rules.is_empty()
    }

    /// The roles of the rule of this number get their machines from `reached`; false if one of them
    /// is played by none.
    pub fn bind(
        &mut self,
        number: usize,
        reached: &Reached<S>,
        binding: Binding<'_, '_, S>,
    ) -> bool {
        let rule = &mut self.rules[number];
        let bound = |end: Option<Target<S>>| match end {
            None => Some(None),
            Some(target) => binding.machine(target, Some(reached)).map(Target::Node).map(Some),
        };
        let (Some(from), Some(to)) = (bound(rule.is.from), bound(rule.is.to)) else {
            return false;
        };
        (rule.from, rule.to) = (from, to);
        true
    }

    /// The rule of this number applies from now on, and counts anew.
    pub fn begin(&mut self, number: usize) {
        let rule = &mut self.rules[number];
        (rule.applies, rule.matches) = (true, 0);
    }

    /// The rule of this number applies no more.
    pub fn end(&mut self, number: usize) {
        self.rules[number].applies = false;
    }

    /// No rule applies any more.
    pub fn heal(&mut self) {
        self.is_healed = true;
    }

    /// For each rule, whether it has applied to a message, and how many have matched.
    pub fn fired(&self) -> impl Iterator<Item = (bool, u32)> {
        self.rules.iter().map(|rule| (rule.has_fired, rule.matches))
    }

    /// The course of a message that would otherwise take this one.
    pub fn course(
        &mut self,
        sent: &Sent<'_, S>,
        mut course: Course,
        binding: Binding<'_, '_, S>,
    ) -> Course {
        let kind = S::message_kind(sent.message);
        let of_kind = |rule: &&mut Rule<'_, S>| rule.applies && rule.is.kind == kind;
        for rule in self.rules.iter_mut().filter(of_kind) {
            if !rule.is_meant(sent, binding) {
                continue;
            }
            rule.matches += 1;
            if !rule.is.times.has(rule.matches) {
                continue;
            }
            rule.has_fired = true;
            match rule.is.fate {
                Fate::Drop => course.arrival = Arrival::DroppedAtOnce,
                Fate::Delay(by) => course.latency = course.latency + by,
                Fate::Duplicate(after) => course.copy_after = Some(after),
                Fate::Latency(latency) => course.latency = latency,
            }
        }
        course
    }
}

impl<S: UnderTest> Rule<'_, S> {
    /// Is this message of its kind one that it is about?
    fn is_meant(&self, sent: &Sent<'_, S>, binding: Binding<'_, '_, S>) -> bool {
        let is = |end: Option<Target<S>>, machine| match end {
            None => true,
            Some(Target::Node(node)) => node == machine,
            Some(target) => {
                binding.is(target, machine, &sent.as_reached().meaning(&self.is.about.of_system))
            }
        };
        is(self.from, sent.from)
            && is(self.to, sent.to)
            && (self.is.about == About::default()
                || binding.is_about(&self.is.about, &sent.as_reached()))
    }
}

impl<S: UnderTest> Sent<'_, S> {
    /// The milestone that it is.
    fn as_reached(&self) -> Reached<S> {
        Reached {
            milestone: Milestone::Sent(S::message_kind(self.message)),
            node: self.from,
            about: subject::of_message::<S>(self.from, self.to, self.message),
            meant: S::Filter::default(),
        }
    }
}
