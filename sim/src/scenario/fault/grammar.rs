//! What a `[[fault]]` may say.

use super::Kind;
use crate::scenario::grammar::{Form, Key, Style, TableGrammar};
use crate::scenario::occasion::{AT, when, when_key};

const FOR: Key = Key::perhaps("for", "duration above zero", "until healed", "how long it lasts");
const SHARE: Key = Key::needed("share", "probability above 0", "how many of the messages");
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
        AT,
        when_key("table, see `fault.when`"),
        Key::perhaps(
            "until",
            "table, see `fault.until`",
            "`for` or `restart_after` instead",
            "it is over when this milestone is reached: the link is mended, the machine goes on or \
             starts",
        ),
    ],
    forms: &[
        form(
            Key::form("crash", "target", "the machine crashes, and what is not durable is lost"),
            &[
                RESTART_AFTER,
                Key::perhaps("restart", "`\"never\"`", "it restarts", "it stays down"),
                Key::perhaps(
                    "keeps",
                    "whole number, `\"all\"`, `\"none\"`",
                    "drawn",
                    "records that were not synced and are on the disk all the same",
                ),
                Key::perhaps(
                    "torn",
                    "`\"prefix\"`, `\"zeros\"`, `\"hole\"`, `\"none\"`",
                    "drawn",
                    "what is left of the record after those: its beginning; all of its length with \
                     zeros at the end; a hole with whole records behind it",
                ),
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
                "array of groups; a group is an array of machines, roles, all that play one, `\"rest\"`",
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
            Key::form("clog", "table, see `fault.clog`", "links are cut in one direction"),
            &[FOR],
            Kind::Clog,
        ),
        form(
            Key::form("delay", "table, see `fault.delay`", "links are slow"),
            &[Key::needed("by", "range of durations", "is added to the latency"), FOR],
            Kind::Delay,
        ),
        form(
            Key::form("loss", "table, see `fault.loss`", "links lose messages"),
            &[SHARE, FOR],
            Kind::Loss,
        ),
        form(
            Key::form("duplicate", "table, see `fault.duplicate`", "links deliver messages twice"),
            &[SHARE, FOR],
            Kind::Duplicate,
        ),
        form(
            Key::form(
                "drop",
                "target",
                "of the messages that it has in flight each is lost or not, drawn",
            ),
            &[],
            Kind::Drop,
        ),
        form(
            Key::form(
                "majorities_ring",
                "`true`",
                "each node talks to a majority of them, each to another one; of 4 or more",
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
            Key::form("drift", "target", "its clock runs fast, or slow"),
            &[
                Key::needed(
                    "ppm",
                    "whole number, within the bound of every drift either way",
                    "how many microseconds it gains a second",
                ),
                FOR,
            ],
            Kind::Drift,
        ),
        form(
            Key::form("slow_disk", "target with a log", "a sync takes longer"),
            &[Key::needed("sync", "range of durations", "how long a sync takes"), FOR],
            Kind::SlowDisk,
        ),
        form(
            Key::form("stalled_disk", "target with a log", "no sync ends before this is over"),
            &[FOR],
            Kind::StalledDisk,
        ),
        form(
            Key::form(
                "full_disk",
                "target with a log",
                "its disk has room only for what was begun or promised",
            ),
            &[FOR],
            Kind::FullDisk,
        ),
        form(
            Key::form(
                "bit_rot",
                "target with a log, which no client has",
                "the machine crashes and finds a bit of its log wrong",
            ),
            &[
                Key::perhaps(
                    "record",
                    "whole number, at least 1",
                    "drawn",
                    "number of the record, from the head of the log; only records count that a later \
                     one proves to have been durable, and after the last the first comes again",
                ),
                Key::perhaps(
                    "bit",
                    "whole number",
                    "drawn",
                    "number of the bit in that record, from 0; after the last the first comes again",
                ),
                RESTART_AFTER,
            ],
            Kind::BitRot,
        ),
        form(
            Key::form(
                "wipe",
                "target that is a node",
                "the machine crashes, and its disk is empty",
            ),
            &[RESTART_AFTER],
            Kind::Wipe,
        ),
        form(
            Key::form("rolling_restart", "`true`", "all nodes crash, one after the other"),
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
                "whole number, up to all nodes",
                "so many nodes crash, drawn from the seed",
            ),
            &[
                Key::usually("pause", "duration", "\"0ms\"", "from one crash to the next"),
                RESTART_AFTER,
            ],
            Kind::Attrition,
        ),
    ],
    notes: &[
        "Exactly one of `at` and `when` is there. With `every` in `when` the fault strikes again \
         and again.",
        "`until` counts its milestone from the moment in which the fault strikes, and from each next \
         one anew. It ends all that the fault has done so far. It goes with what lasts, and with \
         `crash`, `bit_rot` and `wipe`, and not with `for`, `restart` or `restart_after`. If it comes \
         in no run, the file is vacuous.",
        "At the end of the safety phase everything is healed: links are mended, machines go on and \
         start again, but those with `restart = \"never\"`.",
    ],
    example: r#"
[[fault]]
at = "2s"
partition = [["n1", "c1"], ["n2"]]
for = "5s"

[[fault]]
when = { milestone = "request_done", nth = 2 }
crash = "n1"
restart_after = "3s"
"#,
};

/// What is said of the table where there is an operator.
pub(super) const OPERATOR: &str = "Where the control node is down or paused, the operator tries \
                                   again every second, in order, and the fault has struck when it \
                                   is told.";

pub(in crate::scenario) const WHEN: TableGrammar = when(
    "fault.when",
    r#"
[[fault]]
when = { milestone = "request_done", nth = 3, after = "2ms" }
partition = [["n1"], ["n2"]]
for = "2s"
"#,
);

pub(in crate::scenario) const UNTIL: TableGrammar = when(
    "fault.until",
    r#"
[[script]]
name = "first"
client = "c1"
at = "1s"
{request}

[[fault]]
at = "500ms"
isolate = "n1"
until = { milestone = "{message}_sent", request = "first" }
"#,
);

const SIDE_KEYS: [Key; 2] = [
    Key::needed("from", "target, or an array of them", "the machines that send"),
    Key::needed(
        "to",
        "target, or an array of them; `\"rest\"`",
        "the machines that receive; the rest are all that `from` does not name",
    ),
];

const fn sides(name: &'static str, example: &'static str) -> TableGrammar {
    TableGrammar {
        name,
        style: Style::Inline,
        meaning: "links of one direction",
        keys: &SIDE_KEYS,
        forms: &[],
        notes: &[],
        example,
    }
}

pub(in crate::scenario) const CLOG: TableGrammar = sides(
    "fault.clog",
    r#"
[[fault]]
at = "1s"
clog = { from = "c1", to = ["n1"] }
for = "10s"
"#,
);

/// The tables of `delay`, `loss` and `duplicate`.
pub(in crate::scenario) const SIDES: [TableGrammar; 3] = [
    sides(
        "fault.delay",
        r#"
[[fault]]
at = "1s"
delay = { from = "n1", to = "rest" }
by = ["100ms", "2s"]
for = "10s"
"#,
    ),
    sides(
        "fault.loss",
        r#"
[[fault]]
when = { milestone = "request_done" }
loss = { from = "n1", to = "rest" }
share = 0.5
for = "10s"
"#,
    ),
    sides(
        "fault.duplicate",
        r#"
[[fault]]
at = "1s"
duplicate = { from = ["c1"], to = "rest" }
share = 1
"#,
    ),
];
