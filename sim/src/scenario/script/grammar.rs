//! What a `[[script]]` may say.

use crate::scenario::grammar::{Form, Key, Style, TableGrammar};
use crate::scenario::occasion::{AT, when, when_key};

const STEPS_KEY: Key = Key::form(
    "steps",
    "array of tables, see `script.steps`",
    "these requests, each asked when the one before is answered",
);

pub(in crate::scenario) const STEPS_FORM: Form<()> = Form { key: STEPS_KEY, beside: &[], is: () };

pub(in crate::scenario) const STEPS: TableGrammar = TableGrammar {
    name: "script.steps",
    style: Style::InlineMany,
    meaning: "one request of a script that has several",
    keys: &[Key::usually(
        "pause",
        "duration",
        "\"0s\"",
        "how long the client waits before it, after the answer to the one before",
    )],
    forms: &[],
    notes: &["Whatever the answer is, the next step follows. If the client crashes, none does."],
    example: r#"
[[script]]
client = "c1"
at = "1s"
steps = [
    { {request} },
    { {request}, pause = "2s" },
]
"#,
};

pub(in crate::scenario) const SCRIPT: TableGrammar = TableGrammar {
    name: "script",
    style: Style::Many,
    meaning: "what one client asks for, as written",
    keys: &[
        Key::needed("client", "client or role", "the client that asks"),
        AT,
        when_key("table, see `script.when`"),
        Key::perhaps("name", "one line of text", "none", "what filters call its requests"),
        Key::perhaps("repeat", "whole number, 1 to 100000", "once", "how often all of it is asked"),
        Key::perhaps(
            "pause",
            "duration",
            "none",
            "with `repeat`: from the last answer of a round to the next round",
        ),
        Key::perhaps(
            "every",
            "duration above zero",
            "after the answer",
            "with `repeat`: from the beginning of a round to that of the next, answered or not",
        ),
    ],
    forms: &[],
    notes: &["Exactly one of `at` and `when` is there. Nothing is asked after the safety phase."],
    example: r#"
[[script]]
name = "again"
client = "c1"
at = "2s"
{request}
repeat = 5
pause = "100ms"
"#,
};

pub(in crate::scenario) const WHEN: TableGrammar = when(
    "script.when",
    r#"
[[script]]
when = { milestone = "request_done", after = "1s" }
client = "c1"
{request}

[[script]]
client = "c1"
at = "1s"
{request}
"#,
);
