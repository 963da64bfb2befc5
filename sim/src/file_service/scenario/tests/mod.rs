//! What a file says, what is wrong with one, and what no file can do.

mod any_bytes;
mod grammar;
mod refused;
mod sample;
mod swarm;

use super::*;
use crate::scenario::{LONGEST, ScenarioErrors};

const SAMPLE: &str = include_str!("sample.toml");

fn sample() -> Scenario {
    Scenario::parse("sample.toml", SAMPLE).unwrap_or_else(|error| panic!("{error}"))
}

/// A file that is complete but for `lines`, which begin at line 2.
fn around(lines: &str) -> String {
    format!("title = \"t\"\n{lines}\n[workload]\nkind = \"files\"\n")
}

/// What is wrong with `lines`, without the name of the file.
fn wrong(lines: &str) -> String {
    wrong_text(&around(lines))
}

fn wrong_text(text: &str) -> String {
    let error = Scenario::parse("x.toml", text).expect_err(text).to_string();
    error.strip_prefix("x.toml:").expect("the name of the file").to_owned()
}
