//! What there is to say of a run that is over: counts of requests, and what its file expects of it.

use crate::trace::Detail;
use crate::under_test::UnderTest;
use std::collections::BTreeSet;

use seedbed::machine::{NodeId, RequestId};

use super::requests::Requests;
use super::scripts::{Outcome, Scripts};
use crate::fault::{Cut, Degradation, Fault};
use crate::oracle::blocked::Wait;
use crate::scenario::{Expected, Scenario, Target, Trigger};
use crate::verdict::{Finding, RequestCounts, Share, Verdict};
use crate::world::World;

/// A run that is over.
pub(super) struct Ending<'a, S: UnderTest> {
    pub scenario: &'a Scenario<S>,
    pub world: &'a World<S>,
    pub model: &'a S::Model,
    pub requests: &'a Requests<S>,
    pub scripts: &'a Scripts<'a, S>,
    /// Have probes been asked since the state was judged?
    pub is_probed: bool,
}

impl<S: UnderTest> Ending<'_, S> {
    /// How the run ends if every invariant held, machines and users wait like this, and each
    /// milestone was reached so often. A file that expects a wait is held to its other expectations
    /// all the same.
    pub fn verdict(&self, waits: Vec<Wait>, counts: &[u64]) -> Verdict<S> {
        let expect = &self.scenario.expect;
        let is_meant = matches!(expect.verdict, Expected::Blocks(_));
        let unexpected = || self.finding().map(|finding| Verdict::Unexpected(Box::new(finding)));
        let never = expect.never.iter().map(|milestone| (*milestone, 0));
        let bounded = expect.reached.iter().filter_map(|r| Some((r.milestone, r.at_most?)));
        let mut bounds = never.chain(bounded);
        let ruled_out = || {
            let (milestone, at_most) = bounds.find(|(it, most)| counts[it.index()] > *most)?;
            Some(Verdict::RuledOut { milestone, times: counts[milestone.index()], at_most })
        };
        match Verdict::of_waits(waits) {
            Some(blocked) if is_meant => unexpected().or_else(ruled_out).unwrap_or(blocked),
            Some(blocked) => blocked,
            None => unexpected().or_else(ruled_out).unwrap_or(Verdict::Pass),
        }
    }

    /// Users' requests by how they ended.
    pub fn counts(&self) -> RequestCounts {
        self.requests.count(|_| true)
    }

    /// Requests of which the file does not say how they end.
    pub fn unstated(&self) -> RequestCounts {
        let stated = self.scripts.outcomes().filter(|outcome| outcome.is.answer.is_some());
        let stated: BTreeSet<RequestId> = stated.filter_map(|outcome| outcome.request).collect();
        self.requests.count(|request| !stated.contains(request))
    }

    /// What each client of the workload got done, and what its equals did. Equals are clients that
    /// were up all the time and that no scripted fault and no link of its own sets apart.
    pub fn shares(&self) -> Vec<Share> {
        if self.scenario.workload.is_none() {
            return Vec::new();
        }
        let apart = set_apart(self.scenario);
        let is_equal = |client: &NodeId| {
            let host = self.world.host(*client);
            !apart.contains(client) && host.is_up() && host.incarnation().0 == 1
        };
        let done =
            |client: NodeId| (client, self.requests.count(|request| request.client == client).done);
        Share::of_equals(
            &self.scenario.cast.clients().filter(is_equal).map(done).collect::<Vec<_>>(),
        )
    }

    /// What the file expects of requests and of the end, and is otherwise.
    pub fn finding(&self) -> Option<Finding> {
        let mut answers = self.scripts.outcomes().filter_map(|outcome| self.answer(&outcome));
        let at_end = || S::unmet_at_end(&self.scenario.expect.at_end, self.world, self.model);
        answers.next().or_else(|| if self.is_probed { None } else { at_end() })
    }

    /// A request that did not get the answer that the file wants.
    fn answer(&self, outcome: &Outcome<'_, S>) -> Option<Finding> {
        let wanted = outcome.is.answer.as_ref()?;
        let asked = outcome.request.and_then(|request| self.requests.get(request));
        let reply = asked.and_then(|asked| asked.reply.as_ref());
        if reply.is_some_and(|reply| S::is_answer(wanted, reply)) {
            return None;
        }
        let found = match (asked, reply) {
            (None, _) if outcome.is_reached => {
                "it was not asked, because its client was down".to_owned()
            }
            (None, _) => "it was not asked: the steps before it took too long".to_owned(),
            (Some(_), None) => "it has no answer".to_owned(),
            (Some(_), Some(reply)) => {
                format!("its answer is {}", S::reply_in_words(reply, Detail::Brief))
            }
        };
        Some(Finding { of: self.place_of(outcome), expected: wanted.to_string(), found })
    }

    /// Where a step stands in the file.
    fn place_of(&self, outcome: &Outcome<'_, S>) -> String {
        let script = &self.scenario.script[outcome.script];
        let begins = match &script.begins {
            Trigger::At(at) => format!("at {at}"),
            Trigger::When(occasion) => format!("when `{}` is reached", occasion.milestone),
        };
        let step = match script.steps.len() {
            1 => String::new(),
            _ => format!("step {} of ", outcome.step + 1),
        };
        format!("{step}script number {}, of {} {begins}", outcome.script + 1, outcome.client)
    }
}

/// Clients that the file treats otherwise than the others.
fn set_apart<S: UnderTest>(scenario: &Scenario<S>) -> BTreeSet<NodeId> {
    let mut apart = BTreeSet::new();
    for link in &scenario.network.links {
        apart.extend([link.from, link.to]);
    }
    for rule in &scenario.messages {
        apart.extend([rule.from, rule.to].into_iter().flatten().filter_map(Target::node));
    }
    for fault in &scenario.faults {
        apart.extend(struck_by(&fault.fault).iter().copied().filter_map(Target::node));
    }
    apart
}

/// The machines that a fault names.
fn struck_by<S: UnderTest>(fault: &Fault<S, Target<S>>) -> Vec<Target<S>> {
    match fault {
        Fault::Crash { node, .. }
        | Fault::Pause { node, .. }
        | Fault::Drop(node)
        | Fault::ClockJump { node, .. }
        | Fault::ClockDrift { node, .. }
        | Fault::Cut { links: Cut::Isolate(node), .. } => vec![*node],
        Fault::Cut { links: Cut::OneWay { from, to }, .. }
        | Fault::Degrade { what: Degradation { from, to, .. }, .. } => {
            [&from[..], &to[..]].concat()
        }
        Fault::Cut { links: Cut::Groups(groups), .. } => groups.concat(),
        // They strike nodes or the control node.
        Fault::Cut { links: Cut::MajoritiesRing, .. } => Vec::new(),
        Fault::Disk { .. } => Vec::new(),
        Fault::BitRot { .. } | Fault::Wipe { .. } | Fault::RollingRestart { .. } => Vec::new(),
        Fault::Attrition { .. } | Fault::Operator { .. } => Vec::new(),
    }
}
