//! What kind of failure a run is: what has to stay while all else is taken away.

use crate::under_test::UnderTest;
use crate::verdict::Verdict;

/// A verdict, and the kind of its evidence: those sentences without the names of machines, paths,
/// requests, and without numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The verdict, and the rule that is broken, if one is.
    pub verdict: String,
    evidence: Vec<String>,
}

impl Kind {
    /// The kind of a run that ended like this; `None` if it passed.
    pub fn of<S: UnderTest>(verdict: &Verdict<S>) -> Option<Kind> {
        let (rule, evidence) = match verdict {
            Verdict::Pass => return None,
            Verdict::Violation(violation) | Verdict::Starved(violation) => {
                let facts = [&violation.breach.earlier.is, &violation.breach.now.is];
                (violation.invariant.to_string(), facts.map(|fact| without_names(fact)).to_vec())
            }
            Verdict::Blocked(waits) => {
                let mut kinds: Vec<String> =
                    waits.iter().map(|wait| wait.kind.0.to_owned()).collect();
                kinds.sort_unstable();
                kinds.dedup();
                (String::new(), kinds)
            }
            Verdict::Spinning(_) => (String::new(), Vec::new()),
            Verdict::Unexpected(finding) => {
                let said = [&finding.expected, &finding.found];
                (without_names(&finding.of), said.map(|it| without_names(it)).to_vec())
            }
            Verdict::RuledOut { milestone, .. } => (milestone.to_string(), Vec::new()),
            Verdict::Panic(message) => (String::new(), vec![without_names(message)]),
        };
        Some(Kind { verdict: format!("{} {rule}", verdict.name()).trim().to_owned(), evidence })
    }
}

/// The words of `text` without those that name something of one run: however many names follow one
/// another, `_` stands for them. What stands in quotes is one name.
fn without_names(text: &str) -> String {
    let is_name = |word: &str| {
        word.starts_with('/') || word == "control" || word.chars().any(|c| c.is_ascii_digit())
    };
    let mut words: Vec<&str> = Vec::new();
    for (place, part) in text.split('"').enumerate() {
        let quoted = place % 2 == 1;
        let parts = part.split_whitespace().map(|word| if is_name(word) { "_" } else { word });
        words.extend(quoted.then_some("_"));
        words.extend(parts.filter(|_| !quoted));
    }
    words.dedup_by(|next, last| next == last && *next == "_");
    words.join(" ")
}
