//! Targets: how a file names machines, by name or by the part that they play.

use seedbed::machine::NodeId;

use super::cluster::Named;
use super::error::{Refused, Result, all};
use super::role::{Role, roles_of};
use super::value::Value;
use crate::file_service::Milestone;
use crate::text::one_of;

/// A machine, or machines, as a file names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// This machine.
    Node(NodeId),
    /// The machine that plays this part in what a milestone or a message is about.
    Role(Role),
    /// Every machine that plays this part in it.
    All(Role),
    /// Every machine that no other group of a partition has.
    Rest,
}

/// Where a role gets its machine from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Binder {
    /// The milestone that is waited for.
    Milestone(Milestone),
    /// The message itself; the milestone is that it is sent.
    Message(Milestone),
    /// Nothing: the time is known and no more.
    Nothing,
    /// What would bind them was refused, and so is every role.
    Unread(Refused),
}

const REST: &str = "rest";

impl Value<'_> {
    /// One machine that exists, or a role.
    pub(super) fn target(&self, cast: Named, binder: Binder) -> Result<Target> {
        let found = self.string()?;
        match Role::named(found) {
            Some(role) => self.bound(role, found, binder).map(|()| Target::Role(role)),
            None => match Role::of_plural(found) {
                Some(role) => {
                    Err(self.error(format!("expected one machine: write `{role}`, not `{found}`")))
                }
                None => self.named(cast),
            },
        }
    }

    /// A machine of a group, a role, all that play one, or the rest.
    fn member(&self, cast: Named, binder: Binder) -> Result<Target> {
        match self.string()? {
            REST => Ok(Target::Rest),
            found => match Role::of_plural(found) {
                Some(role) => self.bound(role, found, binder).map(|()| Target::All(role)),
                None => self.target(cast, binder),
            },
        }
    }

    fn named(&self, cast: Named) -> Result<Target> {
        let node = self.machine(cast)?;
        node.map(Target::Node).ok_or_else(|| self.no_target(cast))
    }

    fn no_target(&self, cast: Named) -> Refused {
        let (names, roles) = (cast.names(), Role::ALL.iter().map(|role| role.name()));
        let known = names.iter().map(String::as_str).chain(roles);
        cast.absent_or(self, &format!("{} or a role", cast.described()), known)
    }

    /// Does `binder` say which machine plays `role`?
    fn bound(&self, role: Role, found: &str, binder: Binder) -> Result<()> {
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
        let bound = match roles_of(of) {
            _ if role == Role::There => return Ok(()),
            roles if roles.contains(&role) => return Ok(()),
            [] => "no role".to_owned(),
            roles => one_of(roles.iter().map(|role| role.name())),
        };
        let what = if matches!(binder, Binder::Message(_)) { what } else { format!("`{what}`") };
        Err(self.error(format!("{what} binds {bound}, not `{role}`")))
    }

    /// One end of links: a machine, or a list of some.
    pub(super) fn side(&self, cast: Named, binder: Binder) -> Result<Vec<Target>> {
        match self.value.is_array() {
            true => self.group(cast, binder),
            false => Ok(vec![self.member(cast, binder)?]),
        }
    }

    /// A group of a partition.
    fn group(&self, cast: Named, binder: Binder) -> Result<Vec<Target>> {
        self.distinct(|value| value.member(cast, binder))
    }

    /// The groups of a partition: two with `one_way`, else two or more. No machine is named twice,
    /// and the rest, if any, comes last.
    pub(super) fn groups(
        &self,
        cast: Named,
        binder: Binder,
        one_way: Result<bool>,
    ) -> Result<Vec<Vec<Target>>> {
        let mut grouped = std::collections::BTreeSet::new();
        let mut groups = Vec::new();
        let values = self.list()?;
        let last = values.len().saturating_sub(1);
        let read = values.into_iter().map(|group| Ok((group.group(cast, binder)?, group)));
        for (number, (members, group)) in all(read)?.into_iter().enumerate() {
            if let Some(twice) = members.iter().find(|member| grouped.contains(*member)) {
                let twice = twice.written();
                return Err(group.error(format!("`{twice}` is in another group as well")));
            }
            if members.contains(&Target::Rest) && number < last {
                return Err(group.error("`rest` is every machine that is left: it comes last"));
            }
            grouped.extend(members.iter().copied());
            groups.push(members);
        }
        match (groups.len(), one_way?) {
            (2, true) | (2.., false) => Ok(groups),
            (found, true) => Err(self.error(format!("expected exactly 2 groups, found {found}"))),
            (found, false) => Err(self.error(format!("expected at least 2 groups, found {found}"))),
        }
    }
}

impl Target {
    /// As a file writes it.
    pub fn written(self) -> String {
        match self {
            Target::Node(node) => node.to_string(),
            Target::Role(role) => role.name().to_owned(),
            Target::All(role) => role.plural().unwrap_or_default().to_owned(),
            Target::Rest => REST.to_owned(),
        }
    }

    /// The machine, if it is named.
    pub fn node(self) -> Option<NodeId> {
        match self {
            Target::Node(node) => Some(node),
            Target::Role(_) | Target::All(_) | Target::Rest => None,
        }
    }
}
