//! Made-up sources: that the reader sees what ties files, and nothing else.

use std::collections::BTreeSet;

use super::{Graph, Tests};

const A: &str = "sim/src/a/mod.rs";
const X: &str = "sim/src/a/x.rs";
const Y: &str = "sim/src/a/y.rs";
const B: &str = "sim/src/b.rs";

fn graph(sources: &[(&str, &str)]) -> Graph {
    Graph::of(sources.iter().copied(), Tests::LeftOut)
}

/// Where the arrows from `file` go, and the names.
fn from(graph: &Graph, file: &str) -> Vec<String> {
    let arrow = |(to, names): (&str, &BTreeSet<String>)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{to}: {}", names.join(", "))
    };
    graph.from(file).map(arrow).collect()
}

#[test]
fn a_circle_is_found_and_the_names_that_tie_it_are_told() {
    let graph = graph(&[
        (X, "use crate::b::Bee;"),
        (B, "fn f() { crate::c::sting(super::c::Sea) }\npub struct Bee;"),
        ("sim/src/c.rs", "use super::a::x;\npub struct Sea;\npub fn sting() {}"),
        ("sim/src/d.rs", "use crate::b::Bee;"),
    ]);
    let circles = graph.circles();
    let circle = BTreeSet::from([X, B, "sim/src/c.rs"]);
    assert_eq!(circles, BTreeSet::from([circle.clone()]));
    assert_eq!(
        graph.describe(&circle),
        "  sim/src/a/x.rs -> sim/src/b.rs: Bee\n  sim/src/b.rs -> sim/src/c.rs: Sea, sting\n  \
         sim/src/c.rs -> sim/src/a/x.rs: x\n"
    );
}

#[test]
fn what_is_passed_on_belongs_to_the_file_that_defines_it() {
    let graph = graph(&[
        (A, "mod x;\nmod y;\npub use x::{X, Other as Renamed};\npub use y::*;"),
        (X, "pub struct X;\npub struct Other;"),
        (Y, "use crate::b::Bee;\npub struct Why;"),
        (B, "use crate::a::{self, Renamed, X};\npub struct Bee(X);"),
        ("sim/src/c.rs", "use crate::a::*;\nfn f(_: Why, _: Renamed) {}"),
    ]);
    assert_eq!(from(&graph, B), ["sim/src/a/mod.rs: a", "sim/src/a/x.rs: Renamed, X"]);
    assert_eq!(from(&graph, "sim/src/c.rs"), ["sim/src/a/x.rs: Renamed", "sim/src/a/y.rs: Why"]);
    assert_eq!(graph.circles(), BTreeSet::new());
}

#[test]
fn a_name_that_a_module_imports_leads_further() {
    let graph = graph(&[
        (X, "use crate::b;\nfn f() { b::sting() }"),
        (B, "pub use crate::c::sting;"),
        ("sim/src/c.rs", "pub fn sting() {}"),
    ]);
    assert_eq!(from(&graph, X), ["sim/src/b.rs: b", "sim/src/c.rs: sting"]);
}

#[test]
fn parent_and_child_are_one_thing() {
    let graph = graph(&[
        ("sim/src/lib.rs", "mod a;\npub use a::Ay;"),
        (A, "mod x;\npub struct Ay;\nfn f() { x::g() }"),
        (X, "use super::Ay;\npub fn g() { crate::a::f() }"),
        ("sim/src/a/x/deep.rs", "use super::super::{Ay, y::Why};"),
        (Y, "pub struct Why;"),
    ]);
    assert_eq!(from(&graph, A), [""; 0]);
    assert_eq!(from(&graph, X), [""; 0]);
    assert_eq!(from(&graph, "sim/src/a/x/deep.rs"), ["sim/src/a/y.rs: Why"]);
    assert_eq!(graph.circles(), BTreeSet::new());
}

#[test]
fn what_is_there_for_tests_only_is_left_out() {
    let sources = [
        (B, "#[cfg(test)]\nmod tests { use crate::c::Sea; }\n#[cfg(test)]\nuse crate::c::Sea;"),
        (X, "#[cfg(all(test, unix))]\nmod tests;\n#[cfg(not(test))]\nuse crate::c::Sea;"),
        ("sim/src/a/x/tests.rs", "use crate::b::Bee;"),
        ("sim/src/c.rs", "pub struct Sea;"),
    ];
    let graph = graph(&sources);
    assert_eq!(from(&graph, B), [""; 0]);
    assert_eq!(from(&graph, X), ["sim/src/c.rs: Sea"]);
    assert!(graph.files().all(|file| file != "sim/src/a/x/tests.rs"));
    let with_tests = Graph::of(sources.into_iter(), Tests::Included);
    assert_eq!(from(&with_tests, B), ["sim/src/c.rs: Sea"]);
    assert_eq!(from(&with_tests, "sim/src/a/x/tests.rs"), ["sim/src/b.rs: Bee"]);
}

#[test]
fn comments_strings_and_visibility_name_nothing() {
    let graph = graph(&[
        (B, "//! [c](crate::c::Sea)\n/* crate::c::Sea */ pub(in crate::a) struct Bee;"),
        (X, "fn f() { g(\"crate::c::Sea\") } // crate::c::Sea"),
        ("sim/src/c.rs", "pub struct Sea;"),
    ]);
    assert_eq!(from(&graph, B), [""; 0]);
    assert_eq!(from(&graph, X), [""; 0]);
}

#[test]
fn every_way_to_name_a_file_is_seen() {
    let ways = [
        "use crate::{b::Bee, c};",
        "use super::super::b::Bee as Other;",
        "use {crate::b::{self, Bee}};",
        "fn f(_: crate::b::Bee) {}",
        "macro_rules! m { () => { $crate::b::Bee } }",
        "fn f() { m!(seedbed_sim::b::Bee) }",
        "mod inside { use super::super::super::b::Bee; }",
        "mod inside { use super::*; }\nuse super::super::b::Bee;",
        "use super::*;\nfn f(_: Bee) {}",
        "#[cfg(feature = \"command\")]\nuse crate::b::Bee;",
    ];
    for way in ways {
        let a = (A, "use crate::b::Bee;");
        let graph = graph(&[a, (X, way), (B, "pub struct Bee;"), ("sim/src/c.rs", "")]);
        assert!(graph.from(X).any(|(to, names)| to == B && names.contains("Bee")), "{way}");
    }
}

/// The larger parts of a house have circles that none of its files has.
#[test]
fn rooms_may_form_a_circle_where_files_do_not() {
    let graph = graph(&[
        (X, "use crate::b::one::One;"),
        ("sim/src/b/one.rs", "pub struct One;"),
        ("sim/src/b/two.rs", "use crate::a::y::Why;"),
        (Y, "pub struct Why;"),
    ]);
    assert_eq!(graph.circles(), BTreeSet::new());
    let rooms = graph.between(|file| super::place_of(file)[1].clone());
    assert_eq!(rooms.circles(), BTreeSet::from([BTreeSet::from(["a", "b"])]));
    assert_eq!(from(&rooms, "a"), ["b: One"]);
}
