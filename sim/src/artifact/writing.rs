//! An artifact as the text of its file.

use std::path::Path;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::{Build, Closing, Ending, Header, Hex, Recorder, ScenarioText, VERSION};
use crate::scenario::Scenario;
use crate::text::quoted;
use crate::under_test::UnderTest;
use crate::verdict::RunReport;

/// A run that has failed, and has been run once more to be recorded.
#[derive(Debug)]
pub struct Failing<'a, S: UnderTest> {
    /// What was run.
    pub scenario: &'a Scenario<S>,
    /// What its file says.
    pub text: &'a str,
    /// How the recorded run ended.
    pub run: &'a RunReport<S>,
    /// What has watched it.
    pub recorder: &'a Recorder<S>,
}

impl<S: UnderTest> Failing<'_, S> {
    /// The artifact.
    pub fn artifact(&self) -> String {
        let mut text = String::new();
        line(&mut text, &self.header());
        line(&mut text, &ScenarioText { scenario: self.text.to_owned() });
        self.recorder.steps().for_each(|step| line(&mut text, &step));
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() as u64;
        let closing = Closing { lines, xxh3: Hex(xxh3_64(text.as_bytes())) };
        line(&mut text, &closing);
        text
    }

    /// Why the run is not the same as the one before, which `first` reports, if it is not: then the
    /// system is not deterministic, and the artifact is of the second run.
    pub fn not_the_same(&self, first: &RunReport<S>) -> Option<String> {
        let of = |run: &RunReport<S>| (run.digest, run.steps, run.verdict.name());
        (of(first) != of(self.run)).then(|| {
            let said =
                |run: &RunReport<S>| format!("{} with digest {}", run.verdict, Hex(run.digest));
            format!("run twice, and not the same: {}, then {}", said(first), said(self.run))
        })
    }

    fn header(&self) -> Header {
        Header {
            seedbed_artifact: VERSION,
            system: S::COMMAND.name.to_owned(),
            build: Build::this().clone(),
            file: self.scenario.file.clone(),
            seed: self.run.seed,
            ending: Ending::of(self.run, self.recorder.digest()),
        }
    }

    /// The name of its file: the end of the path of the scenario, the seed, and a number that is
    /// another one for another system, path or text. It is a name on every file system.
    pub fn file_name(&self) -> String {
        let file = &self.scenario.file;
        let all = format!("{}\n{file}\n{}", S::COMMAND.name, self.text);
        let number = xxh3_64(all.as_bytes()) >> 32;
        format!("{}-seed{}-{number:08x}.jsonl", stem(file), self.run.seed)
    }
}

/// The command that replays the artifact at `path`.
pub fn replay_line<S: UnderTest>(path: &Path) -> String {
    format!("{} replay {}", S::COMMAND.name, quoted(&path.display().to_string()))
}

fn line(text: &mut String, object: &impl Serialize) {
    text.push_str(&serde_json::to_string(object).expect("strings and numbers"));
    text.push('\n');
}

/// Of `scenarios/mixed/files.toml` that is `mixed-files`.
fn stem(file: &str) -> String {
    const LONGEST: usize = 60;
    let file = file.strip_suffix(".toml").unwrap_or(file);
    let parts: Vec<&str> = file.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let last = parts[parts.len().saturating_sub(2)..].join("-");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let plain: String = last.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let plain = plain.trim_start_matches('-');
    // All are of one byte each.
    let end = &plain[plain.len().saturating_sub(LONGEST)..];
    if end.is_empty() { "stdin".to_owned() } else { end.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stem_is_a_name_on_every_file_system() {
        assert_eq!(stem("scenarios/mixed/files.toml"), "mixed-files");
        assert_eq!(stem("files.toml"), "files");
        assert_eq!(stem("-"), "stdin");
        assert_eq!(stem("--x.toml"), "x");
        assert_eq!(stem("a\\b: c?.toml"), "a-b__c_");
        assert_eq!(stem("é/日本.toml"), "_-__");
        assert_eq!(stem(&"x".repeat(300)).len(), 60);
    }
}
