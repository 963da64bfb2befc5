//! What a `[[script]]` of the file service may ask for.

use crate::scenario::reading::{Extra, Form, Key, Style, TableGrammar};

/// What an operation does.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Verb {
    Read,
    Create,
    Write,
    Delete,
    Rename,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug)]
pub enum Ask {
    /// One operation.
    Operation(Verb),
    /// Several, all of them or none.
    Transaction,
    /// A lock.
    Acquire,
    /// To release a lock.
    Release,
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
    "node or role",
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

pub(in crate::file_service) const OPERATION: TableGrammar<Verb> = TableGrammar {
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
    Key::perhaps("owner", "node or role", "the client chooses", "the owner that is asked");
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
pub(in crate::file_service) const REQUESTS: &[Form<Ask>] = &[
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

/// What `[[script]]` says beside.
pub(in crate::file_service) const SCRIPT: Extra = Extra {
    keys: &[],
    notes: &[
        "A client that holds the lock of a path sends its token with what it writes there.",
        "One `read` is asked of an owner, without a transaction.",
        "What makes no sense is asked all the same, and refused: a rename of a path to itself, a \
         transaction without operations, or what is beyond `[limits]`.",
    ],
    example: None,
};
