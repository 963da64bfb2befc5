//! A history as Jepsen writes one: one JSON object a line.
//!
//! | field | what stands there |
//! |---|---|
//! | `index` | the line, from 0 |
//! | `type` | `invoke`; then `ok` (done), `fail` (refused: it has no effect, ever) or `info` (unknown, or the client has crashed) |
//! | `process` | a single-threaded user, as below |
//! | `f` | `txn`, `acquire` or `release` |
//! | `value` | of `txn` its operations, as below; of the others the path of the lock |
//! | `time` | nanoseconds of true time since the start |
//! | `request` | the name that traces give the request |
//! | `wait` | of an `acquire`: does it wait in the queue? |
//! | `versions` | of a `txn` that is `ok`: the version of each operation's path after it |
//! | `token` | of an `acquire` that is `ok`: its fencing token |
//! | `error` | why it is `fail` or `info` |
//!
//! The operations are `["r", PATH, CONTENTS]`, `["w", PATH, CONTENTS]`,
//! `["create", PATH, CONTENTS]`, `["delete", PATH]` and `["rename", PATH, TO]`. One with a
//! condition ends with `{"if_version": N}`. What a read found is `null` in `invoke`, and where
//! there is no file. Contents that are not UTF-8 are a list of bytes.
//!
//! A client may have several requests open, each of which is a thread of its own. With N threads in
//! all, a thread is process 0, 1, ... N - 1 at first, and its number grows by N with each `info`,
//! because what it asked may still happen (Jepsen's `interpreter`). A request that is open at the
//! end of the run has no second line.

use std::collections::BTreeMap;
use std::io::{self, Write};

use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{Action, Contents, Operation, Outcome, Reply, Request};
use serde::Serialize;
use serde_json::{Value, json};

use seedbed::proto::FileService;

use super::{Event, Fact, Step, World};
use crate::under_test::{HistoryOption, WrittenHistory};
use crate::world::Watcher;

/// `run --history`
pub(super) const OPTION: HistoryOption<FileService> =
    HistoryOption { help: HELP, empty: || Box::<JepsenHistory>::default() };

const HELP: &str = "\
With --history: what users asked and were told, in the order of time, one JSON object a line, with
the fields of Jepsen: index, type (invoke; ok, fail, info), process, f (txn, acquire, release),
value, time in nanoseconds; beside them request, versions, token, wait and error. After an info the
process goes on under a new number. With `-` standard output has these lines alone: --trace and
--json are refused.

Examples:
  {command} run {file} --seed 17 --history history.jsonl
  {command} run {file} --history - | jq -c 'select(.type == \"info\")'";

/// What users asked and were told in a run.
#[derive(Debug, Default)]
pub struct JepsenHistory {
    entries: Vec<Entry>,
    open: BTreeMap<RequestId, Open>,
    /// How many threads each client has had at once.
    threads: BTreeMap<NodeId, usize>,
}

/// A request without an answer.
#[derive(Debug)]
struct Open {
    thread: usize,
    wanted: Request,
}

/// A line, but for what is only known when all are.
#[derive(Debug)]
struct Entry {
    client: NodeId,
    thread: usize,
    line: Line,
}

#[derive(Debug, Serialize)]
struct Line {
    index: usize,
    #[serde(rename = "type")]
    kind: Kind,
    process: usize,
    f: &'static str,
    value: Value,
    time: u64,
    request: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<Vec<u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Invoke,
    Ok,
    Fail,
    Info,
}

impl Watcher<FileService> for JepsenHistory {
    fn watch(&mut self, _world: &World, step: &Step) {
        if let Some(client) = step.event.takes_down() {
            self.on_crashed(step.at.as_nanos(), client);
        }
        for fact in &step.facts {
            match (fact, &step.event) {
                (Fact::Requested { request }, Event::Request { request: wanted, .. }) => {
                    self.on_requested(step.at.as_nanos(), *request, wanted);
                }
                (Fact::Replied { request, reply }, _) => {
                    self.on_replied(step.at.as_nanos(), *request, reply);
                }
                _ => {} // no user sees it
            }
        }
    }
}

impl WrittenHistory<FileService> for JepsenHistory {
    fn write(&mut self, to: &mut dyn Write) -> io::Result<()> {
        let all: usize = self.threads.values().sum();
        let mut first = BTreeMap::new();
        let mut before = 0;
        for (client, threads) in &self.threads {
            first.insert(*client, before);
            before += threads;
        }
        // By thread: how often what it asked has ended as unknown.
        let mut unknown = vec![0; all];
        for (index, Entry { client, thread, line }) in self.entries.iter_mut().enumerate() {
            let thread = first[client] + *thread;
            (line.index, line.process) = (index, thread + all * unknown[thread]);
            unknown[thread] += usize::from(line.kind == Kind::Info);
            serde_json::to_writer(&mut *to, line)?;
            to.write_all(b"\n")?;
        }
        to.flush()
    }
}

impl JepsenHistory {
    fn on_requested(&mut self, time: u64, request: RequestId, wanted: &Request) {
        let client = request.client;
        let is_free = |thread: &usize| {
            let mut open = self.open.iter();
            !open.any(|(other, open)| other.client == client && open.thread == *thread)
        };
        let thread = (0..).find(is_free).expect("one of them is free");
        let threads = self.threads.entry(client).or_default();
        *threads = (*threads).max(thread + 1);
        let open = Open { thread, wanted: wanted.clone() };
        let mut line = line(time, Kind::Invoke, request, &open);
        if let Request::Acquire { wait, .. } = wanted {
            line.wait = Some(*wait);
        }
        self.entries.push(Entry { client, thread, line });
        self.open.insert(request, open);
    }

    fn on_replied(&mut self, time: u64, request: RequestId, reply: &Reply) {
        let Some(open) = self.open.remove(&request) else { return };
        let kind = match reply {
            Reply::Done(_) | Reply::Acquired(_) | Reply::Released => Kind::Ok,
            Reply::Refused(_) => Kind::Fail,
            Reply::Unknown => Kind::Info,
        };
        let mut line = line(time, kind, request, &open);
        match (reply, &open.wanted) {
            (Reply::Done(answer), Request::Files { operations, .. }) => {
                let all = operations.iter().zip(answer.iter());
                line.value = all.map(|(asked, gave)| operation(asked, Some(gave))).collect();
                line.versions = Some(answer.iter().map(version).collect());
            }
            (Reply::Acquired(token), _) => line.token = Some(token.0),
            (Reply::Refused(refusal), _) => line.error = Some(refusal.to_string()),
            (Reply::Unknown, _) => line.error = Some("the outcome is not known".to_owned()),
            (Reply::Done(_) | Reply::Released, _) => {}
        }
        self.entries.push(Entry { client: request.client, thread: open.thread, line });
    }

    fn on_crashed(&mut self, time: u64, client: NodeId) {
        let of_client = |request: &RequestId| request.client == client;
        let lost: Vec<RequestId> = self.open.keys().copied().filter(of_client).collect();
        for request in lost {
            let Some(open) = self.open.remove(&request) else { continue };
            let mut line = line(time, Kind::Info, request, &open);
            line.error = Some("the client has crashed".to_owned());
            self.entries.push(Entry { client, thread: open.thread, line });
        }
    }
}

fn line(time: u64, kind: Kind, request: RequestId, open: &Open) -> Line {
    let (f, value) = match &open.wanted {
        Request::Files { operations, .. } => {
            ("txn", operations.iter().map(|asked| operation(asked, None)).collect())
        }
        Request::Acquire { path, .. } => ("acquire", json!(path)),
        Request::Release { path } => ("release", json!(path)),
    };
    let (index, process) = (0, 0); // until all lines are known
    let request = request.to_string();
    let (wait, versions, token, error) = (None, None, None, None);
    Line { index, kind, process, f, value, time, request, wait, versions, token, error }
}

/// An operation, with what it gave if that is known.
fn operation(asked: &Operation, gave: Option<&Outcome>) -> Value {
    let path = &asked.path;
    let condition = |mut all: Vec<Value>, version: &Option<seedbed::proto::Version>| {
        all.extend(version.map(|version| json!({ "if_version": version.0 })));
        Value::Array(all)
    };
    match &asked.action {
        Action::Read => match gave {
            Some(Outcome::Found(_, found)) => json!(["r", path, found.as_ref().map(contents)]),
            Some(Outcome::Changed(_) | Outcome::Lost) | None => json!(["r", path, null]),
        },
        Action::Create(new) => json!(["create", path, contents(new)]),
        Action::Write(new, version) => {
            condition(vec![json!("w"), json!(path), contents(new)], version)
        }
        Action::Delete(version) => condition(vec![json!("delete"), json!(path)], version),
        Action::Rename(to, _) => json!(["rename", path, to]),
        Action::Place(new) => json!(["place", path, contents(new)]),
        Action::Remove(version) => condition(vec![json!("remove"), json!(path)], &Some(*version)),
        Action::Claim => json!(["claim", path]),
    }
}

fn contents(contents: &Contents) -> Value {
    match std::str::from_utf8(contents.as_bytes()) {
        Ok(text) => json!(text),
        Err(_) => json!(contents.as_bytes()),
    }
}

fn version(gave: &Outcome) -> u64 {
    match gave {
        Outcome::Found(version, _) | Outcome::Changed(version) => version.0,
        Outcome::Lost => 0, // no client is told this
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::Stage;
    use crate::world::Tear;
    use seedbed::proto::{Config, Path, Settings};

    fn path(text: &str) -> Path {
        Path::new(text).expect("a path")
    }

    fn asks(action: Action) -> Request {
        let operation = Operation { path: path("/a"), action, token: None };
        Request::Files { operations: [operation].into(), coordinator: None }
    }

    fn lines(history: &mut JepsenHistory) -> Vec<Value> {
        let mut written = Vec::new();
        history.write(&mut written).expect("memory takes it");
        let text = String::from_utf8(written).expect("JSON is UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("one object")).collect()
    }

    /// `type`, `process`, `f` and `value` of each line.
    fn in_brief(history: &mut JepsenHistory) -> Vec<String> {
        let brief = |line: Value| {
            let word = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {} {}", line["process"], word("type"), word("f"), line["value"])
        };
        lines(history).into_iter().map(brief).collect()
    }

    fn stage() -> Stage<JepsenHistory> {
        let config = Config::new(Settings::default()).expect("sound settings");
        let mut stage = Stage::new(World::of_config(config, 2), JepsenHistory::default());
        stage.start_all();
        stage
    }

    #[test]
    fn what_is_asked_and_told_is_written_in_the_order_of_time() {
        let mut stage = stage();
        let c1 = NodeId::client(1);
        for wanted in [
            asks(Action::Write("x".into(), None)),
            asks(Action::Create("y".into())),
            asks(Action::Read),
            Request::Acquire { path: path("/a"), wait: false },
            Request::Release { path: path("/a") },
            asks(Action::Delete(Some(seedbed::proto::Version(1)))),
        ] {
            stage.request(c1, wanted);
            stage.settle();
        }
        let expected = [
            r#"0 invoke txn [["w","/a","x"]]"#,
            r#"0 ok txn [["w","/a","x"]]"#,
            r#"0 invoke txn [["create","/a","y"]]"#,
            r#"0 fail txn [["create","/a","y"]]"#,
            r#"0 invoke txn [["r","/a",null]]"#,
            r#"0 ok txn [["r","/a","x"]]"#,
            r#"0 invoke acquire "/a""#,
            r#"0 ok acquire "/a""#,
            r#"0 invoke release "/a""#,
            r#"0 ok release "/a""#,
            r#"0 invoke txn [["delete","/a",{"if_version":1}]]"#,
        ];
        assert_eq!(in_brief(&mut stage.watcher)[..expected.len()], expected);
        let lines = lines(&mut stage.watcher);
        let indices: Vec<_> = lines.iter().filter_map(|line| line["index"].as_u64()).collect();
        assert_eq!(indices, (0..lines.len() as u64).collect::<Vec<_>>());
        assert!(lines.is_sorted_by_key(|line| line["time"].as_u64()));
        assert_eq!(lines[1]["versions"], json!([1]));
        assert_eq!(lines[3]["error"], "a file is there already");
        assert_eq!((&lines[6]["wait"], &lines[7]["token"]), (&json!(false), &json!(1)));
        assert_eq!(lines[0]["request"], lines[1]["request"]);
    }

    #[test]
    fn what_is_unknown_ends_a_process_and_two_at_once_are_two() {
        let mut stage = stage();
        let (c1, c2) = (NodeId::client(1), NodeId::client(2));
        stage.request(c1, asks(Action::Read));
        stage.request(c1, asks(Action::Read));
        stage.request(c2, asks(Action::Read));
        stage.apply(Event::Crash {
            node: c1,
            kept: 0,
            torn: 0,
            tear: Tear::default(),
            checkpointed: false,
        });
        stage.apply(Event::Start { node: c1, rot: None });
        stage.request(c1, asks(Action::Read));
        stage.settle();
        let mut brief = in_brief(&mut stage.watcher);
        brief.iter_mut().for_each(|line| line.truncate(line.find(" txn").unwrap_or_default()));
        let begun = ["0 invoke", "1 invoke", "2 invoke", "0 info", "1 info", "3 invoke"];
        assert_eq!(brief[..6], begun);
        brief[6..].sort();
        assert_eq!(brief[6..], ["2 ok", "3 ok"]);
    }
}
