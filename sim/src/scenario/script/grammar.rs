//! What a `[[script]]` may say.

use crate::scenario::grammar::{Form, Key, Style, TableGrammar};
use crate::scenario::occasion::{AT, when, when_key};

#[derive(Clone, Copy)]
pub(in crate::scenario) enum Verb {
    Read,
    Create,
    Write,
    Delete,
    Rename,
}

#[derive(Clone, Copy)]
pub(in crate::scenario) enum Ask {
    Operation(Verb),
    Transaction,
    Acquire,
    Release,
    Steps,
}

const DATA: Key = Key::needed("data", "text", "the contents");
const IF_VERSION: Key = Key::perhaps(
    "if_version",
    "whole number",
    "whatever the version",
    "only if the path is still at this version",
);
const TO: Key = Key::needed("to", "path", "the new path");
const COORDINATOR: Key = Key::perhaps(
    "coordinator",
    "storage node or role",
    "the client chooses",
    "the node that is asked first",
);

const fn operation_key(name: &'static str, meaning: &'static str) -> Key {
    Key::form(name, "path", meaning)
}

const READ: Key = operation_key("read", "reads the file");
const CREATE: Key = operation_key("create", "makes a file; refused if there is one");
const WRITE: Key =
    operation_key("write", "replaces the contents, and makes a file that is not there");
const DELETE: Key = operation_key("delete", "deletes the file; refused if there is none");
const RENAME: Key =
    operation_key("rename", "moves the contents; refused if there are none, or a file at `to`");

pub(in crate::scenario) const OPERATION: TableGrammar<Verb> = TableGrammar {
    name: "script.transaction",
    style: Style::InlineMany,
    meaning: "one operation of a transaction",
    keys: &[],
    forms: &[
        Form { key: READ, beside: &[], is: Verb::Read },
        Form { key: CREATE, beside: &[DATA], is: Verb::Create },
        Form { key: WRITE, beside: &[DATA, IF_VERSION], is: Verb::Write },
        Form { key: DELETE, beside: &[IF_VERSION], is: Verb::Delete },
        Form { key: RENAME, beside: &[TO], is: Verb::Rename },
    ],
    notes: &[],
    example: r#"
[[script]]
client = "c1"
at = "1s"
transaction = [{ write = "/a", data = "1" }, { read = "/b" }, { rename = "/c", to = "/d" }]
"#,
};

const ANSWER: Key = Key::perhaps(
    "answer",
    "`\"done\"`, `\"refused\"`, `\"unknown\"` or a table, see `script.answer`",
    "anything",
    "what must be answered",
);
const OWNER: Key =
    Key::perhaps("owner", "storage node or role", "the client chooses", "the owner that is asked");
const WAIT: Key = Key::usually(
    "wait",
    "`true`, `false`",
    "true",
    "whether it stands in line for a lock that is held",
);

const fn form(key: Key, beside: &'static [Key], is: Ask) -> Form<Ask> {
    Form { key, beside, is }
}

// One read needs no transaction, and there is one lock server only: neither has a coordinator.
const REQUESTS: [Form<Ask>; 8] = [
    form(READ, &[OWNER, ANSWER], Ask::Operation(Verb::Read)),
    form(CREATE, &[DATA, COORDINATOR, ANSWER], Ask::Operation(Verb::Create)),
    form(WRITE, &[DATA, IF_VERSION, COORDINATOR, ANSWER], Ask::Operation(Verb::Write)),
    form(DELETE, &[IF_VERSION, COORDINATOR, ANSWER], Ask::Operation(Verb::Delete)),
    form(RENAME, &[TO, COORDINATOR, ANSWER], Ask::Operation(Verb::Rename)),
    form(
        Key::form(
            "transaction",
            "array of tables, see `script.transaction`",
            "all of these operations or none",
        ),
        &[COORDINATOR, ANSWER],
        Ask::Transaction,
    ),
    form(operation_key("acquire", "takes the lock of the path"), &[WAIT, ANSWER], Ask::Acquire),
    form(operation_key("release", "gives the lock of the path back"), &[ANSWER], Ask::Release),
];

const STEPS_KEY: Key = Key::form(
    "steps",
    "array of tables, see `script.steps`",
    "these requests, each asked when the one before is answered",
);

pub(in crate::scenario) const STEPS: TableGrammar<Ask> = TableGrammar {
    name: "script.steps",
    style: Style::InlineMany,
    meaning: "one request of a script that has several",
    keys: &[Key::usually(
        "pause",
        "duration",
        "\"0s\"",
        "how long the client waits before it, after the answer to the one before",
    )],
    forms: &REQUESTS,
    notes: &["Whatever the answer is, the next step follows. If the client crashes, none does."],
    example: r#"
[[script]]
client = "c1"
at = "1s"
steps = [
    { acquire = "/a", answer = "done" },
    { write = "/a", data = "1", pause = "2s" },
    { release = "/a" },
]
"#,
};

const SCRIPT_FORMS: [Form<Ask>; 9] = {
    let [read, create, write, delete, rename, transaction, acquire, release] = REQUESTS;
    let steps = form(STEPS_KEY, &[], Ask::Steps);
    [read, create, write, delete, rename, transaction, acquire, release, steps]
};

pub(in crate::scenario) const SCRIPT: TableGrammar<Ask> = TableGrammar {
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
    forms: &SCRIPT_FORMS,
    notes: &[
        "Exactly one of `at` and `when` is there. Nothing is asked after the safety phase.",
        "A client that holds the lock of a path sends its token with what it writes there.",
        "One `read` is asked of an owner, without a transaction.",
    ],
    example: r#"
[[script]]
client = "c1"
at = "1s"
write = "/a"
data = "new"
coordinator = "n2"

[[script]]
name = "reads"
client = "c1"
at = "2s"
read = "/a"
answer = { contents = "new" }
repeat = 5
pause = "100ms"
"#,
};

pub(in crate::scenario) const WHEN: TableGrammar = when(
    "script.when",
    r#"
[[script]]
client = "c1"
at = "1s"
acquire = "/a"

[[script]]
when = { milestone = "lock_granted", lock = "/a", after = "1s" }
client = "holder"
release = "/a"
"#,
);
