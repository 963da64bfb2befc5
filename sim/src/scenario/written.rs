//! What a scenario file says, written: faults, machines, durations, for tools that write files.

use seedbed::machine::{NodeId, Span};
pub use toml::{Table as Keys, Value};

use crate::fault::{Cut, DiskTrouble, Fault, Leaves, Restart, Torn, Worse};
use crate::quantity::{Ppb, SpanRange};
use crate::under_test::{Operator, UnderTest};

/// The keys of a fault whose machines are known, without those that say when it strikes. `None` if
/// the system does not write what its operator wants.
pub fn fault<S: UnderTest>(fault: &Fault<S>) -> Option<Keys> {
    let mut keys = Keys::new();
    let mut put = |key: &str, value: Value| keys.insert(key.to_owned(), value);
    match fault {
        Fault::Crash { node, leaves: Leaves { kept, torn }, restart } => {
            put("crash", name(*node));
            kept.map(|kept| put("keeps", i64::from(kept).into()));
            torn.map(|torn| put("torn", form_of(torn).into()));
            restarts(*restart).map(|(key, value)| put(key, value));
        }
        Fault::BitRot { node, record, bit, restart } => {
            put("bit_rot", name(*node));
            record.map(|record| put("record", (i64::from(record) + 1).into()));
            bit.map(|bit| put("bit", i64::from(bit).into()));
            restarts(*restart).map(|(key, value)| put(key, value));
        }
        Fault::Wipe { node, restart } => {
            put("wipe", name(*node));
            restarts(*restart).map(|(key, value)| put(key, value));
        }
        Fault::Pause { node, lasts } => {
            put("pause", name(*node));
            lasts.map(|lasts| put("for", duration(lasts)));
        }
        Fault::Cut { links, lasts } => {
            let (key, value) = cut(links);
            put(key, value);
            lasts.map(|lasts| put("for", duration(lasts)));
        }
        Fault::Drop(node) => {
            put("drop", name(*node));
        }
        Fault::ClockJump { node, by } => {
            put("bump", name(*node));
            put("by", duration(*by));
        }
        Fault::ClockDrift { node, ppm, lasts } => {
            put("drift", name(*node));
            put("ppm", i64::from(*ppm).into());
            lasts.map(|lasts| put("for", duration(lasts)));
        }
        Fault::Disk { node, trouble, lasts } => {
            match trouble {
                DiskTrouble::Slow(takes) => {
                    put("slow_disk", name(*node));
                    put("sync", range(*takes))
                }
                DiskTrouble::Stalled => put("stalled_disk", name(*node)),
                DiskTrouble::Full => put("full_disk", name(*node)),
            };
            lasts.map(|lasts| put("for", duration(lasts)));
        }
        Fault::Degrade { what, lasts } => {
            let links = sides(&what.from, &what.to);
            match what.how {
                Worse::Slow(by) => {
                    put("delay", links);
                    put("by", range(by))
                }
                Worse::Lossy(part) => {
                    put("loss", links);
                    put("share", share(part))
                }
                Worse::Doubling(part) => {
                    put("duplicate", links);
                    put("share", share(part))
                }
            };
            lasts.map(|lasts| put("for", duration(lasts)));
        }
        Fault::RollingRestart { down, pause } => {
            put("rolling_restart", true.into());
            put("down", duration(*down));
            put("pause", duration(*pause));
        }
        Fault::Attrition { count, pause, restart } => {
            put("attrition", i64::from(*count).into());
            put("pause", duration(*pause));
            restarts(*restart).map(|(key, value)| put(key, value));
        }
        Fault::Operator { wish, node } => {
            let (key, value) = S::Operator::written(wish, *node)?;
            put(key, value);
        }
    }
    Some(keys)
}

/// Keys with their values.
pub fn keys<const N: usize>(keys: [(&str, Value); N]) -> Keys {
    Keys::from_iter(keys.map(|(key, value)| (key.to_owned(), value)))
}

/// A machine, by its name.
pub fn name(node: NodeId) -> Value {
    node.to_string().into()
}

/// A duration.
pub fn duration(span: Span) -> Value {
    span.to_string().into()
}

/// The shorter end and the longer one.
pub fn range(range: SpanRange) -> Value {
    vec![duration(range.min), duration(range.max)].into()
}

/// A probability.
pub fn share(share: Ppb) -> Value {
    (f64::from(share.get()) / f64::from(Ppb::ONE.get())).into()
}

fn names(nodes: &[NodeId]) -> Value {
    nodes.iter().map(|node| name(*node)).collect::<Vec<Value>>().into()
}

fn sides(from: &[NodeId], to: &[NodeId]) -> Value {
    keys([("from", names(from)), ("to", names(to))]).into()
}

fn cut(links: &Cut) -> (&'static str, Value) {
    match links {
        Cut::Isolate(node) => ("isolate", name(*node)),
        Cut::Groups(groups) => {
            ("partition", groups.iter().map(|group| names(group)).collect::<Vec<Value>>().into())
        }
        Cut::OneWay { from, to } => ("clog", sides(from, to)),
        Cut::MajoritiesRing => ("majorities_ring", true.into()),
    }
}

fn restarts(restart: Restart) -> Option<(&'static str, Value)> {
    match restart {
        Restart::After(after) => Some(("restart_after", duration(after))),
        Restart::WhenHealed => None,
        Restart::Never => Some(("restart", "never".into())),
    }
}

fn form_of(torn: Torn) -> &'static str {
    match torn {
        Torn::No => "none",
        Torn::Prefix => "prefix",
        Torn::Zeros => "zeros",
        Torn::Hole => "hole",
    }
}
