//! What is wrong with a scenario file, said so that it can be put right without another look
//! elsewhere.
//!
//! All errors of a file are told together. A part that is wrong is noted, and reading goes on with
//! the next: what could not be read is [`Refused`] from there on, and what looks at it says
//! nothing, so that no error follows from another.

use std::cell::RefCell;
use std::fmt;

use crate::text::{Thousands, nearest};

/// What reading gives.
pub type Result<T> = std::result::Result<T, Refused>;

/// Something was refused, and why has been noted: nothing else makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused(());

/// What is wrong with a scenario file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1; `None` where the fault is no line's, such as a file that cannot be read.
    pub line: Option<usize>,
    /// The key with its tables, dotted: `network.link[0].from`.
    pub key: Option<String>,
    /// What was expected and what was found.
    pub message: String,
    /// The known name that the unknown one resembles.
    pub nearest: Option<String>,
}

impl ScenarioError {
    /// An error of the whole file.
    pub fn of_file(file: &str, message: impl Into<String>) -> ScenarioError {
        let message = message.into();
        ScenarioError { file: file.to_owned(), line: None, key: None, message, nearest: None }
    }

    /// The error with the one of `known` that `found` resembles, if any does.
    pub fn or_rather<'a>(
        mut self,
        found: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> ScenarioError {
        self.nearest = nearest(found, known).map(str::to_owned);
        self
    }
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        write!(f, ": {}", self.message)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a scenario file, in the order of lines: one error at least.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioErrors {
    first: Vec<ScenarioError>,
    more: usize,
}

impl ScenarioErrors {
    /// So many are told; of the others it is said how many there are.
    pub const TOLD: usize = 20;

    /// The first of them, [`ScenarioErrors::TOLD`] at most.
    pub fn told(&self) -> &[ScenarioError] {
        &self.first
    }

    /// How many there are beside those.
    pub fn more(&self) -> usize {
        self.more
    }

    /// One line for each, and one for those that are not told.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let more = (self.more > 0).then(|| {
            let (more, s) = (Thousands(self.more as u64), if self.more == 1 { "" } else { "s" });
            format!("{}: {more} more error{s}", self.first[0].file)
        });
        self.first.iter().map(ScenarioError::to_string).chain(more)
    }
}

impl fmt::Display for ScenarioErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().collect::<Vec<_>>().join("\n"))
    }
}

impl From<ScenarioError> for ScenarioErrors {
    fn from(error: ScenarioError) -> ScenarioErrors {
        ScenarioErrors { first: vec![error], more: 0 }
    }
}

/// The errors of a file as they are found, each with the byte that it is about.
#[derive(Debug, Default)]
pub struct Noted(RefCell<Vec<(Option<usize>, ScenarioError)>>);

impl Noted {
    /// Notes an error about byte `at`.
    pub fn note(&self, at: Option<usize>, error: ScenarioError) -> Refused {
        self.0.borrow_mut().push((at, error));
        Refused(())
    }

    /// Fails if anything is noted.
    pub fn check(&self) -> Result<()> {
        if self.0.borrow().is_empty() { Ok(()) } else { Err(Refused(())) }
    }

    /// What is noted, in the order of bytes, each once and with its line; none if nothing is.
    pub fn told(self, line_of: impl Fn(usize) -> usize) -> Option<ScenarioErrors> {
        let mut all = self.0.into_inner();
        all.sort_by_key(|(at, _)| *at);
        all.dedup();
        let more = all.len().saturating_sub(ScenarioErrors::TOLD);
        let lined = |(at, error): (Option<usize>, ScenarioError)| {
            let line = at.map(&line_of).or(error.line);
            ScenarioError { line, ..error }
        };
        let first: Vec<_> = all.into_iter().take(ScenarioErrors::TOLD).map(lined).collect();
        (!first.is_empty()).then_some(ScenarioErrors { first, more })
    }
}

/// All that was read, or that some of it was refused. Each is read whatever became of the others.
pub fn all<T>(read: impl IntoIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut all = Ok(Vec::new());
    for one in read {
        match (one, &mut all) {
            (Ok(one), Ok(all)) => all.push(one),
            (Err(refused), _) => all = Err(refused),
            (Ok(_), Err(_)) => {}
        }
    }
    all
}
