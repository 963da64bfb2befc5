//! Targets: how a file names machines, by name or by the part that they play.

use seedbed::machine::{Class, NodeId};

use super::cluster::{Named, names};
use super::error::{Refused, Result, all};
use super::value::Value;
use crate::milestone::Milestone;
use crate::name::Name;
use crate::role::Role;
use crate::text::one_of;
use crate::under_test::UnderTest;

/// A machine, or machines, as a file names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target<S: UnderTest> {
    /// This machine.
    Node(NodeId),
    /// The machine at which the milestone is reached, whatever it is.
    There,
    /// The machine that plays this part in what a milestone or a message is about.
    Role(S::Role),
    /// Every machine that plays this part in it.
    All(S::Role),
    /// Every machine that no other group of a partition has.
    Rest,
}

/// Where a role gets its machine from.
#[derive(Clone, Copy, Debug)]
pub enum Binder<S: UnderTest> {
    /// The milestone that is waited for.
    Milestone(Milestone<S>),
    /// The message itself; the milestone is that it is sent.
    Message(Milestone<S>),
    /// Nothing: the time is known and no more.
    Nothing,
    /// What would bind them was refused, and so is every role.
    Unread(Refused),
}

const REST: &str = "rest";
const THERE: &str = "there";

impl Value<'_> {
    /// One machine that exists, or a role.
    pub fn target<S: UnderTest>(&self, cast: Named, binder: Binder<S>) -> Result<Target<S>> {
        let found = self.string()?;
        if found == THERE {
            return self.bound(None, found, binder).map(|()| Target::There);
        }
        match S::Role::named(found) {
            Some(role) => self.bound(Some(role), found, binder).map(|()| Target::Role(role)),
            None => match of_plural::<S>(found) {
                Some(role) => {
                    let one = role.name();
                    Err(self.error(format!("expected one machine: write `{one}`, not `{found}`")))
                }
                None => self.named(cast),
            },
        }
    }

    /// A machine of a group, a role, all that play one, or the rest.
    fn of_a_group<S: UnderTest>(&self, cast: Named, binder: Binder<S>) -> Result<Target<S>> {
        match self.string()? {
            REST => Ok(Target::Rest),
            found => match of_plural::<S>(found) {
                Some(role) => self.bound(Some(role), found, binder).map(|()| Target::All(role)),
                None => self.target(cast, binder),
            },
        }
    }

    fn named<S: UnderTest>(&self, cast: Named) -> Result<Target<S>> {
        let node = self.known_machine(cast)?;
        node.map(Target::Node).ok_or_else(|| self.no_target::<S>(cast))
    }

    fn no_target<S: UnderTest>(&self, cast: Named) -> Refused {
        let (names, roles) = (names(cast.cast), S::Role::ALL.iter().map(|role| role.name()));
        let known = names.iter().map(String::as_str).chain(roles).chain([THERE]);
        let or_role = if S::Role::ALL.is_empty() { "" } else { " or a role" };
        cast.absent_or(self, &format!("{}{or_role}", cast.described()), known)
    }

    /// Does `binder` say which machine plays `role`?
    fn bound<S: UnderTest>(
        &self,
        role: Option<S::Role>,
        found: &str,
        binder: Binder<S>,
    ) -> Result<()> {
        let (of, what) = match binder {
            Binder::Milestone(milestone) => (milestone, milestone.to_string()),
            Binder::Message(sent) => (sent, "this kind of message".to_owned()),
            Binder::Unread(refused) => return Err(refused),
            Binder::Nothing => {
                return Err(self.error(format!(
                    "the role `{found}` needs a `when`: with `at` no machine is known to have it"
                )));
            }
        };
        let Some(role) = role else { return Ok(()) };
        let bound = match S::roles_of(of) {
            roles if roles.contains(&role) => return Ok(()),
            [] => "no role".to_owned(),
            roles => one_of(roles.iter().map(|role| role.name())),
        };
        let what = if matches!(binder, Binder::Message(_)) { what } else { format!("`{what}`") };
        Err(self.error(format!("{what} binds {bound}, not `{}`", role.name())))
    }

    /// One end of links: a machine, or a list of some.
    pub(super) fn side<S: UnderTest>(
        &self,
        cast: Named,
        binder: Binder<S>,
    ) -> Result<Vec<Target<S>>> {
        match self.value.is_array() {
            true => self.group(cast, binder),
            false => Ok(vec![self.of_a_group(cast, binder)?]),
        }
    }

    /// A group of a partition.
    fn group<S: UnderTest>(&self, cast: Named, binder: Binder<S>) -> Result<Vec<Target<S>>> {
        self.distinct(|value| value.of_a_group(cast, binder))
    }

    /// The groups of a partition: two with `one_way`, else two or more. No machine is named twice,
    /// and the rest, if any, comes last.
    pub(super) fn groups<S: UnderTest>(
        &self,
        cast: Named,
        binder: Binder<S>,
        one_way: Result<bool>,
    ) -> Result<Vec<Vec<Target<S>>>> {
        let mut grouped = std::collections::BTreeSet::new();
        let mut groups = Vec::new();
        let values = self.list()?;
        let last = values.len().saturating_sub(1);
        let read = values.into_iter().map(|group| Ok((group.group(cast, binder)?, group)));
        for (number, (targets, group)) in all(read)?.into_iter().enumerate() {
            if let Some(twice) = targets.iter().find(|target| grouped.contains(*target)) {
                let twice = twice.written();
                return Err(group.error(format!("`{twice}` is in another group as well")));
            }
            if targets.contains(&Target::Rest) && number < last {
                return Err(group.error("`rest` is every machine that is left: it comes last"));
            }
            grouped.extend(targets.iter().copied());
            groups.push(targets);
        }
        match (groups.len(), one_way?) {
            (2, true) | (2.., false) => Ok(groups),
            (found, true) => Err(self.error(format!("expected exactly 2 groups, found {found}"))),
            (found, false) => Err(self.error(format!("expected at least 2 groups, found {found}"))),
        }
    }
}

/// Is it the name of a role, or of the machine at which a milestone is reached?
pub(super) fn is_role<S: UnderTest>(name: &str) -> bool {
    name == THERE || S::Role::named(name).is_some()
}

/// The role of which `name` names all machines that play it.
fn of_plural<S: UnderTest>(name: &str) -> Option<S::Role> {
    S::Role::ALL.iter().copied().find(|role| role.plural() == Some(name))
}

impl<S: UnderTest> Target<S> {
    /// As a file writes it.
    pub fn written(self) -> String {
        match self {
            Target::Node(node) => node.to_string(),
            Target::There => THERE.to_owned(),
            Target::Role(role) => role.name().to_owned(),
            Target::All(role) => role.plural().unwrap_or_default().to_owned(),
            Target::Rest => REST.to_owned(),
        }
    }

    /// Is it a client, as far as that is known?
    pub fn is_client(self) -> bool {
        match self {
            Target::Node(node) => node.class() == Class::Client,
            Target::Role(role) | Target::All(role) => role.is_client(),
            Target::There | Target::Rest => false,
        }
    }

    /// The machine, if it is named.
    pub fn node(self) -> Option<NodeId> {
        match self {
            Target::Node(node) => Some(node),
            Target::There | Target::Role(_) | Target::All(_) | Target::Rest => None,
        }
    }
}
