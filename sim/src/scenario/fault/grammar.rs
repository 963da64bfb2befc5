//! What a `[[fault]]` may say.

use super::Kind;
use crate::scenario::grammar::{Form, Key, Style, TableGrammar};

const FOR: Key = Key::perhaps("for", "duration above zero", "until healed", "how long it lasts");
const RESTART_AFTER: Key =
    Key::perhaps("restart_after", "duration", "when healed", "when the machine starts again");

const fn form(key: Key, beside: &'static [Key], is: Kind) -> Form<Kind> {
    Form { key, beside, is }
}

pub(in crate::scenario) const FAULT: TableGrammar<Kind> = TableGrammar {
    name: "fault",
    style: Style::Many,
    meaning: "what breaks, as written",
    keys: &[
        Key::perhaps(
            "at",
            "duration, within the safety phase",
            "`when` instead",
            "when it strikes, from the start of the run",
        ),
        Key::perhaps(
            "when",
            "table, see `fault.when`",
            "`at` instead",
            "it strikes right after a milestone is reached",
        ),
    ],
    forms: &[
        form(
            Key::form("crash", "target", "the machine crashes, and what is not durable is lost"),
            &[
                RESTART_AFTER,
                Key::perhaps("restart", "`\"never\"`", "it restarts", "it stays down"),
            ],
            Kind::Crash,
        ),
        form(
            Key::form("pause", "target", "the machine stops and goes on; messages wait"),
            &[FOR],
            Kind::Pause,
        ),
        form(Key::form("isolate", "target", "all its links are cut"), &[FOR], Kind::Isolate),
        form(
            Key::form(
                "partition",
                "array of arrays of machines",
                "links between these groups are cut; a machine in no group talks to all",
            ),
            &[
                Key::usually(
                    "one_way",
                    "`true`, `false`",
                    "false",
                    "of two groups: only from the first to the second",
                ),
                FOR,
            ],
            Kind::Partition,
        ),
        form(
            Key::form("clog", "table, see `fault.clog`", "one direction of one link is cut"),
            &[FOR],
            Kind::Clog,
        ),
        form(
            Key::form(
                "majorities_ring",
                "`true`",
                "each storage node talks to a majority of them, each to another one; of 4 or more",
            ),
            &[FOR],
            Kind::MajoritiesRing,
        ),
        form(
            Key::form("bump", "target", "its clock jumps ahead"),
            &[Key::needed("by", "duration above zero", "how far")],
            Kind::Bump,
        ),
        form(
            Key::form(
                "bit_rot",
                "target with a log, which no client has",
                "the machine crashes and finds a bit of its log wrong",
            ),
            &[RESTART_AFTER],
            Kind::BitRot,
        ),
        form(
            Key::form(
                "wipe",
                "target that is a storage node (*)",
                "the machine crashes, and its disk is empty",
            ),
            &[RESTART_AFTER],
            Kind::Wipe,
        ),
        form(
            Key::form("rolling_restart", "`true`", "all storage nodes crash, one after the other"),
            &[
                Key::usually("down", "duration", "\"500ms\"", "how long each is down"),
                Key::usually(
                    "pause",
                    "duration",
                    "\"2s\"",
                    "from the start of one to the crash of the next",
                ),
            ],
            Kind::RollingRestart,
        ),
        form(
            Key::form(
                "attrition",
                "whole number, up to all storage nodes",
                "so many storage nodes crash, drawn from the seed",
            ),
            &[
                Key::usually("pause", "duration", "\"0ms\"", "from one crash to the next"),
                RESTART_AFTER,
            ],
            Kind::Attrition,
        ),
        form(
            Key::form("join", "storage node (*)", "the operator wants it as a member"),
            &[],
            Kind::Join,
        ),
        form(
            Key::form("leave", "storage node (*)", "the operator wants it as a member no more"),
            &[],
            Kind::Leave,
        ),
        form(
            Key::form("set", "table, see `fault.set` (*)", "the operator changes settings"),
            &[],
            Kind::Set,
        ),
        form(
            Key::form(
                "accept_loss",
                "`true` (*)",
                "the operator gives up what only lost disks could prove",
            ),
            &[],
            Kind::AcceptLoss,
        ),
    ],
    notes: &[
        "Exactly one of `at` and `when` is there.",
        "(*) needs `membership = \"managed\"`.",
        "Where the central node is down or paused, the operator tries again every second, in \
         order, and the fault has struck when it is told.",
        "At the end of the safety phase everything is healed: links are mended, machines go on and \
         start again, but those with `restart = \"never\"`.",
    ],
    example: r#"
[[fault]]
at = "2s"
partition = [["n1", "c1"], ["n2", "n3"]]
for = "5s"

[[fault]]
when = { milestone = "all_voted", nth = 2 }
crash = "coordinator"
restart_after = "3s"
"#,
};

pub(in crate::scenario) const WHEN: TableGrammar = TableGrammar {
    name: "fault.when",
    style: Style::Inline,
    meaning: "the milestone that a fault waits for",
    keys: &[
        Key::needed("milestone", "milestone", "which; `seedbed milestones` lists them"),
        Key::usually("nth", "whole number, at least 1", "1", "which occurrence"),
        Key::perhaps("node", "machine", "any", "counts only what happens there"),
    ],
    forms: &[],
    notes: &["Only what happens in the safety phase counts."],
    example: r#"
[[fault]]
when = { milestone = "prepare_received", nth = 3, node = "n2" }
isolate = "n2"
for = "2s"
"#,
};

pub(in crate::scenario) const CLOG: TableGrammar = TableGrammar {
    name: "fault.clog",
    style: Style::Inline,
    meaning: "one direction of one link",
    keys: &[
        Key::needed("from", "machine", "the machine that sends"),
        Key::needed("to", "machine", "the machine that receives"),
    ],
    forms: &[],
    notes: &[],
    example: r#"
[[fault]]
at = "1s"
clog = { from = "c1", to = "control" }
for = "10s"
"#,
};

pub(in crate::scenario) const SET: TableGrammar = TableGrammar {
    name: "fault.set",
    style: Style::Inline,
    meaning: "settings that the operator changes",
    keys: &[
        Key::perhaps("replicas", "whole number", "not changed", "owners of a path"),
        Key::perhaps(
            "virtual_nodes",
            "whole number, 1 to 10000",
            "not changed",
            "points of a node on the ring",
        ),
        Key::perhaps("lock_lease", "duration, 1us to one day", "not changed", "of every lock"),
        Key::perhaps(
            "membership_lease",
            "duration, 1us to one day",
            "not changed",
            "of every member",
        ),
    ],
    forms: &[],
    notes: &["At least one key is there. It needs `membership = \"managed\"`."],
    example: r#"
[cluster]
membership = "managed"

[[fault]]
at = "3s"
set = { replicas = 3, membership_lease = "1s" }
"#,
};
