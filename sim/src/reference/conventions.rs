//! What is said of all tables: how values are written, and names that no other command lists.

use crate::fault::ChaosKind;
use crate::name::Name;
use crate::role::Role;
use crate::under_test::UnderTest;

/// How something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convention {
    /// What it is.
    pub what: &'static str,
    /// How, in words.
    pub text: String,
}

impl Convention {
    /// The names of a list, as values of a file.
    pub fn names<N: Name>() -> String {
        quoted(N::ALL.iter().map(|it| it.name()))
    }
}

/// What a scenario file is.
pub const INTRODUCTION: [&str; 2] = [
    "A scenario file says which machines there are, what is asked, what breaks, and how its runs \
     must end. It is a TOML document. The same file and seed give the same run.",
    "Reading is strict. An unknown key, an unknown name, a value outside its range or a \
     combination that makes no sense is an error with file, line and key. The command \
     `check FILE` tells all errors of a file.",
];

/// The machines of a system without a control node, and of one with it.
const MACHINES: [&str; 2] = [
    "`n1`, `n2` and so on are the nodes, `c1`, `c2` and so on the clients",
    "`control` is the control node, `n1`, `n2` and so on are the nodes, `c1`, `c2` and so on the \
     clients",
];

/// How values are written, and what names there are.
pub fn conventions<S: UnderTest>() -> Vec<Convention> {
    let written = [
        (
            "duration",
            "a string of a decimal number and `ns`, `us`, `ms`, `s`, `m` or `h`, at most one day: \
             `\"1.5s\"`",
        ),
        ("range of durations", "two durations, the shorter first: `[\"1ms\", \"10ms\"]`"),
        ("text", "a string"),
        ("probability", "a number from 0 to 1, not finer than 1e-9"),
        ("machine", MACHINES[usize::from(S::HAS_CONTROL)]),
        ("node, client", "a machine of that kind"),
        ("target", "a machine, or with `when` a role"),
    ];
    let names = [
        ("milestone", "something that can happen in a run; the command `milestones` lists them"),
        ("invariant", "something that must hold; the command `invariants` lists them"),
        ("defect", "a mistake that can be switched on; the command `defects` lists them"),
    ];
    let plain = |(what, text): (&'static str, &str)| Convention { what, text: text.to_owned() };
    let kinds: Vec<&str> = ChaosKind::<S>::all().map(ChaosKind::name).collect();
    let moments: Vec<_> = S::moments().into_iter().map(|moment| moment.at.name()).collect();
    let moments = quoted(moments.iter().map(AsRef::as_ref));
    let lists = [
        Convention { what: "role", text: roles::<S>() },
        Convention { what: "kind of message", text: Convention::names::<S::MessageKind>() },
        Convention { what: "kind of record", text: Convention::names::<S::RecordKind>() },
        Convention { what: "kind of chaos", text: quoted(kinds.into_iter()) },
        Convention { what: "moment", text: moments },
    ];
    let all = written.into_iter().chain(names).map(plain).chain(lists);
    all.filter(|convention| !convention.text.is_empty()).chain(S::conventions()).collect()
}

/// The roles, and which milestone binds them.
fn roles<S: UnderTest>() -> String {
    let roles = Convention::names::<S::Role>();
    if roles.is_empty() {
        return roles;
    }
    let plural: Vec<&str> = S::Role::ALL.iter().filter_map(|role| role.plural()).collect();
    let all = match &plural[..] {
        [] => String::new(),
        _ => format!("; {} are all of them", quoted(plural.into_iter())),
    };
    format!(
        "the part that a machine plays in what the milestone of `when` is about: {roles}; the \
         command `milestones` says which milestone binds which. `there` is the machine at which the milestone \
         is reached, of a message that is lost the one that should have got it. Where several play a \
         part it is played by the machine at which the milestone is reached, if that is one of them, \
         else by the first{all}"
    )
}

fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
