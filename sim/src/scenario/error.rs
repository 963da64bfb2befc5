//! What is wrong with a scenario file, said so that it can be put right without another look
//! elsewhere.

use std::fmt;

use crate::text::nearest;

/// What reading gives.
pub(super) type Result<T> = std::result::Result<T, ScenarioError>;

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
    pub(super) fn of_file(file: &str, message: impl Into<String>) -> ScenarioError {
        let message = message.into();
        ScenarioError { file: file.to_owned(), line: None, key: None, message, nearest: None }
    }

    /// The error with the one of `known` that `found` resembles, if any does.
    pub(super) fn or_rather<'a>(
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
