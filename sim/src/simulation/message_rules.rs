//! The rules of the file for single messages.

use seedbed::machine::NodeId;
use seedbed::proto::Message;

use super::binding::Binding;
use crate::draw::message_delivery::{Arrival, Course};
use crate::file_service::Milestone;
use crate::file_service::oracle::milestones::Reached;
use crate::file_service::subject_of::Subjects;
use crate::scenario::{About, Fate, MessageRule, Target};

/// The rules, and which of them apply.
#[derive(Debug)]
pub(super) struct MessageRules<'a> {
    rules: Vec<Rule<'a>>,
    /// Is everything healed? Then no rule applies any more.
    is_healed: bool,
}

#[derive(Debug)]
struct Rule<'a> {
    is: &'a MessageRule,
    /// Its two ends. With `when`, roles have got their machines by the time it applies.
    from: Option<Target>,
    to: Option<Target>,
    applies: bool,
    /// Messages that have matched since it began to apply.
    matches: u32,
    has_fired: bool,
}

/// A message that is sent.
pub(super) struct Sent<'s> {
    pub from: NodeId,
    pub to: NodeId,
    pub message: &'s Message,
}

impl<'a> MessageRules<'a> {
    /// The rules of a file; none applies yet.
    pub fn new(rules: &'a [MessageRule]) -> MessageRules<'a> {
        let rule = |is: &'a MessageRule| Rule {
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
    pub fn bind(&mut self, number: usize, reached: &Reached, binding: Binding<'_, '_>) -> bool {
        let rule = &mut self.rules[number];
        let bound = |end: Option<Target>| match end {
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

    /// What becomes of a message that would otherwise take this course.
    pub fn course(
        &mut self,
        sent: &Sent<'_>,
        mut course: Course,
        binding: Binding<'_, '_>,
    ) -> Course {
        for rule in self.rules.iter_mut().filter(|rule| rule.applies) {
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

impl Rule<'_> {
    fn is_meant(&self, sent: &Sent<'_>, binding: Binding<'_, '_>) -> bool {
        let is = |end: Option<Target>, machine| match end {
            None => true,
            Some(Target::Node(node)) => node == machine,
            Some(target) => {
                binding.is(target, machine, &sent.as_reached().about_path(&self.is.about.path))
            }
        };
        self.is.kind == sent.message.kind()
            && is(self.from, sent.from)
            && is(self.to, sent.to)
            && (self.is.about == About::default()
                || binding.is_about(&self.is.about, &sent.as_reached()))
    }
}

impl Sent<'_> {
    /// The milestone that it is.
    fn as_reached(&self) -> Reached {
        Reached {
            milestone: Milestone::Sent(self.message.kind()),
            node: self.from,
            about: Subjects::of_message(self.from, self.to, self.message),
            path: None,
        }
    }
}
