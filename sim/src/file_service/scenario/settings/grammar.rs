//! What `[cluster]` and `[timing]` may say.

use crate::scenario::grammar::{Extra, Key, Style, TableGrammar};

/// What is promised or waited for.
const LEASE: &str = "duration, 1us to one day";

/// What `[cluster]` says beside its machines.
pub(in crate::file_service) const CLUSTER: Extra = Extra {
    keys: &[
        Key::usually(
            "replicas",
            "whole number, 1 to `nodes`",
            "2",
            "owners of a path; 1 where there is one node",
        ),
        Key::usually(
            "membership",
            "`\"fixed\"`, `\"managed\"`",
            "\"fixed\"",
            "how it is decided which storage nodes are members: once and for all, or by the \
             central node, in views",
        ),
        Key::usually(
            "virtual_nodes",
            "whole number, 1 to 10000",
            "100",
            "points of a node on the ring",
        ),
        Key::usually("hash", "`\"sha1\"`, `\"md5\"`", "\"sha1\"", "what places points and paths"),
        Key::usually("ring_bits", "whole number, 1 to 64", "64", "how many bits of a hash count"),
        Key::usually(
            "commit",
            "`\"staged\"`, `\"two_phase\"`",
            "\"staged\"",
            "how a transaction commits: participants pin, say that they are ready, execute and \
             vote; or the classic two phases",
        ),
        Key::usually(
            "checkpoint_records",
            "whole number, at least 1",
            "10000",
            "records of a log between two checkpoints",
        ),
        Key::usually(
            "chunk_paths",
            "whole number, at least 1",
            "64",
            "paths in a chunk of a hand-over, at most",
        ),
    ],
    notes: &[
        "`spare` needs `membership = \"managed\"`; a fault `join` lets such a node in.",
        "`nodes` and `spare` are 1000 together at most; so many times `virtual_nodes` is 1000000 \
         at most.",
    ],
    example: Some(
        r#"
[cluster]
nodes = 4
clients = 2
replicas = 3
membership = "managed"
spare = 1
"#,
    ),
};

pub(in crate::file_service) const TIMING: TableGrammar = TableGrammar {
    name: "timing",
    style: Style::Single,
    meaning: "leases, timeouts and the drift of clocks",
    keys: &[
        Key::usually(
            "lock_lease",
            LEASE,
            "\"10s\"",
            "how long a lock is held without a keep-alive",
        ),
        Key::usually(
            "membership_lease",
            "duration, 10ms to one day",
            "\"2s\"",
            "how long a storage node serves without a heartbeat that is answered",
        ),
        Key::usually(
            "request_timeout",
            LEASE,
            "\"30s\"",
            "after which a client answers a request as unknown",
        ),
        Key::usually("attempt_timeout", LEASE, "\"2s\"", "after which a client tries again"),
        Key::usually("retry_delay", LEASE, "\"20ms\"", "from a refused attempt to the next"),
        Key::usually("vote_timeout", LEASE, "\"1s\"", "after which a coordinator aborts"),
        Key::usually(
            "inquiry_interval",
            LEASE,
            "\"500ms\"",
            "from one question of a participant in doubt to the next",
        ),
        Key::usually("chunk_pause", LEASE, "\"5ms\"", "between two chunks of a hand-over"),
        Key::usually(
            "drift_max_ppm",
            "whole number, below 500000",
            "500",
            "bound of every clock's drift, in parts per million",
        ),
    ],
    forms: &[],
    notes: &[],
    example: r#"
[timing]
lock_lease = "4s"
vote_timeout = "300ms"
"#,
};
