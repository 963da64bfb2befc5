//! Examples of the tables of the testbed, told with files, locks and transactions.

/// Lines of a file that show the table, where the file service has its own.
pub(super) fn example(table: &str) -> Option<&'static str> {
    Some(match table {
        "" => {
            r#"
title = "a coordinator crashes"
about = "Its participants are in doubt until it is back."
seeds = { start = 0, count = 50 }

[cluster]
nodes = 3
clients = 2

[workload]
kind = "files"
operations = 50

[[fault]]
when = { milestone = "decided", nth = 3 }
crash = "coordinator"
restart_after = "2s"

[expect]
reached = ["participant_in_doubt", "restarted"]
"#
        }
        "message" => {
            r#"
[[message]]
kind = "commit"
path = "/a"
to = "participant"
every = 3
at = "2s"
for = "5s"
drop = true
"#
        }
        "message.when" => {
            r#"
[[script]]
client = "c1"
at = "1s"
acquire = "/a"

[[message]]
kind = "keep_alive"
when = { milestone = "lock_granted", lock = "/a" }
from = "holder"
drop = true
"#
        }
        "sync" => {
            r#"
[[sync]]
node = "n2"
record = "voted"
nth = 1
takes = "2s"
"#
        }
        "expect" => {
            r#"
[expect]
verdict = "pass"
reached = ["decided", { milestone = "conflict", at_least = 3 }]
never = ["lease_expired"]
unknown = 0.1
"#
        }
        "expect.reached" => {
            r#"
[expect]
reached = [
    { milestone = "conflict", at_least = 3 },
    { milestone = "decided", at_least = 1, at_most = 1 },
]
"#
        }
        "fault" => {
            r#"
[[fault]]
at = "2s"
partition = [["n1", "c1"], ["n2", "n3"]]
for = "5s"

[[fault]]
when = { milestone = "all_voted", nth = 2 }
crash = "coordinator"
restart_after = "3s"
"#
        }
        "fault.when" => {
            r#"
[[fault]]
when = { milestone = "decided", path = "/a", nth = 3, after = "2ms" }
partition = [["coordinator"], ["participants"]]
for = "2s"
"#
        }
        "fault.until" => {
            r#"
[[script]]
name = "write"
client = "c1"
at = "1s"
write = "/a"
data = "new"

[[fault]]
when = { milestone = "decided", path = "/a" }
isolate = "coordinator"
until = { milestone = "request_retried", request = "write" }
"#
        }
        "fault.loss" => {
            r#"
[[fault]]
when = { milestone = "participant_in_doubt" }
loss = { from = "coordinator", to = "participant" }
share = 0.5
for = "10s"
"#
        }
        "script.steps" => {
            r#"
[[script]]
client = "c1"
at = "1s"
steps = [
    { acquire = "/a", answer = "done" },
    { write = "/a", data = "1", pause = "2s" },
    { release = "/a" },
]
"#
        }
        "script" => {
            r#"
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
"#
        }
        "script.when" => {
            r#"
[[script]]
client = "c1"
at = "1s"
acquire = "/a"

[[script]]
when = { milestone = "lock_granted", lock = "/a", after = "1s" }
client = "holder"
release = "/a"
"#
        }
        "swarm" => {
            r#"
[chaos]
kinds = ["crash", "partition", "pause"]

[swarm]
nodes = [3, 6]
replicas = [2, 3]
commit = "any"
loss = [0.0, 0.05]
latency_max = ["1ms", "50ms"]
kinds = "any"
"#
        }
        _ => return None,
    })
}
