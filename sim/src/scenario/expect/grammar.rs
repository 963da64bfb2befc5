//! What `seeds`, `[phases]` and `[expect]` may say.

use super::Kind;
use crate::scenario::grammar::{Form, Key, Style, TableGrammar};

pub(in crate::scenario) const SEEDS: TableGrammar = TableGrammar {
    name: "seeds",
    style: Style::Inline,
    meaning: "the seeds that the file is run with",
    keys: &[
        Key::usually("start", "whole number, at least 0", "0", "the first"),
        Key::usually("count", "whole number, at least 1", "100", "how many"),
    ],
    forms: &[],
    notes: &[],
    example: r#"
seeds = { start = 40, count = 20 }
"#,
};

pub(in crate::scenario) const PHASES: TableGrammar = TableGrammar {
    name: "phases",
    style: Style::Single,
    meaning: "how long the parts of a run are",
    keys: &[
        Key::usually(
            "safety",
            "duration above zero",
            "\"30s\"",
            "things break and nothing bad may happen; then everything is healed",
        ),
        Key::perhaps(
            "liveness",
            "duration",
            "twice `request_timeout`, at least 30s",
            "everything must get done; not shorter than a request may take",
        ),
        Key::usually(
            "probes",
            "`true`, `false`",
            "true",
            "whether clients are asked once more after that, as the system has it, which shows that \
             everything still works",
        ),
    ],
    forms: &[],
    notes: &[
        "A file that says `blocks` has no probes, nor one that `violates` anything but what is \
         about progress.",
    ],
    example: r#"
[phases]
safety = "10s"
liveness = "60s"
"#,
};

const UNKNOWN: Key = Key::usually(
    "unknown",
    "probability",
    "0.05",
    "share of requests that may be answered unknown, over all seeds, if there are 100 or more; \
     requests of a `[[script]]` with `answer` do not count",
);

pub(in crate::scenario) const EXPECT: TableGrammar<Kind> = TableGrammar {
    name: "expect",
    style: Style::Single,
    meaning: "how a run must end, and what it must have reached",
    keys: &[
        Key::perhaps(
            "reached",
            "array of milestones, or `{ milestone, at_least, at_most }`",
            "none",
            "some run must reach each of them, or none too often; see `expect.reached`",
        ),
        Key::perhaps("never", "array of milestones", "none", "no run may reach any of them"),
        Key::perhaps(
            "covered",
            "array of cells",
            "none",
            "some seed must see each of them; the command `cells` lists them",
        ),
    ],
    forms: &[
        Form {
            key: Key::form("verdict", "`\"pass\"`", "every run passes"),
            beside: &[UNKNOWN],
            is: Kind::Verdict,
        },
        // A run ends with its violation, so the share of unknown says nothing of the system.
        Form {
            key: Key::form(
                "violates",
                "invariant",
                "some run violates it, and none another; the command `invariants` lists them",
            ),
            beside: &[],
            is: Kind::Violates,
        },
        Form {
            key: Key::form("blocks", "milestone", "some run reaches it and does not get further"),
            beside: &[UNKNOWN],
            is: Kind::Blocks,
        },
    ],
    notes: &[
        "Without `verdict`, `violates` and `blocks` it is `verdict = \"pass\"`.",
        "`blocks` needs a `[[fault]]` with `restart = \"never\"`, or what the system says beside.",
        "A milestone, a violation, an answer or a state at the end that is impossible in every \
         run of the file is refused.",
        "A file also fails if a `[[fault]]` never strikes or a `[[message]]` rule never applies.",
    ],
    example: r#"
[expect]
verdict = "pass"
reached = ["request_done", { milestone = "{message}_sent", at_least = 3 }]
never = ["request_unknown"]
unknown = 0.1
"#,
};

pub(in crate::scenario) const REACHED: TableGrammar = TableGrammar {
    name: "expect.reached",
    style: Style::InlineMany,
    meaning: "how often a milestone is reached",
    keys: &[
        Key::needed("milestone", "milestone", "which; the command `milestones` lists them"),
        Key::perhaps(
            "at_least",
            "whole number, at least 1",
            "no demand; one of the two is there",
            "how often some run must reach it",
        ),
        Key::perhaps(
            "at_most",
            "whole number, at least 1",
            "no bound; one of the two is there",
            "how often any run may reach it",
        ),
    ],
    forms: &[],
    notes: &[
        "A name alone stands for `at_least = 1`. With both keys the same some run reaches it \
         exactly that often.",
    ],
    example: r#"
[expect]
reached = [
    { milestone = "{message}_sent", at_least = 3 },
    { milestone = "request_done", at_least = 1, at_most = 100 },
]
"#,
};
