//! What a scenario of the register says: its settings and its requests.

use seedbed::machine::Span;
use seedbed_sim::cast::Cast;
use seedbed_sim::scenario::reading::{Form, Key, Result, Style, Table, TableGrammar};

use crate::protocol::Config;

pub const TIMING: TableGrammar = TableGrammar {
    name: "timing",
    style: Style::Single,
    meaning: "how long a client waits",
    keys: &[
        Key::usually("retry", "duration", "\"200ms\"", "after which it asks the other replica"),
        Key::usually("request_timeout", "duration", "\"5s\"", "after which it answers: unknown"),
    ],
    forms: &[],
    notes: &[],
    example: "[timing]\nretry = \"1s\"\n",
};

/// What a script asks for.
#[derive(Clone, Copy)]
pub enum Ask {
    Read,
    Write,
}

/// A text is the value that is written or found; two of them stand for no value.
const ANSWER: Key =
    Key::perhaps("answer", "text, `\"unknown\"`, `\"busy\"`", "anything", "what must be answered");

pub const REQUESTS: &[Form<Ask>] = &[
    Form {
        key: Key::form("read", "`true`", "reads the register"),
        beside: &[ANSWER],
        is: Ask::Read,
    },
    Form { key: Key::form("write", "text", "writes this"), beside: &[ANSWER], is: Ask::Write },
];

impl Default for Config {
    fn default() -> Config {
        Config {
            retry: Span::from_millis(200),
            request_timeout: Span::from_secs(5),
            goes_on_alone: false,
            answers_before_copied: false,
            reads_alone: false,
        }
    }
}

pub fn config(file: &Table<'_>, cluster: &Table<'_>, cast: Result<Cast>) -> Result<Config> {
    let (timing, usual) = (file.section(&TIMING), Config::default());
    let span = |key, usual| timing.or(key, usual, |value| value.some_span());
    let retry = span("retry", usual.retry);
    let request_timeout = span("request_timeout", usual.request_timeout);
    if cast?.all_nodes() != 2 {
        return Err(cluster.error("nodes", "expected 2: a primary and a backup"));
    }
    Ok(Config { retry: retry?, request_timeout: request_timeout?, ..usual })
}
