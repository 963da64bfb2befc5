//! The text of a file: parsed as TOML, and the lines that errors speak of.

use toml::de::DeTable;
use toml_parser::lexer::TokenKind;

use super::error::{Noted, Refused, Result, ScenarioError, ScenarioErrors};

/// The file that errors speak of.
pub(super) struct Source<'a> {
    name: &'a str,
    pub(super) text: &'a str,
    /// The command that lists names.
    pub(super) command: &'static str,
    /// What is wrong with it, as far as is known.
    pub(super) noted: Noted,
}

impl<'a> Source<'a> {
    /// A file with nothing noted.
    pub(super) fn new(name: &'a str, text: &'a str, command: &'static str) -> Source<'a> {
        Source { name, text, command, noted: Noted::default() }
    }

    /// Parses the text as TOML, without looking at what it says.
    pub(super) fn document(&self) -> Result<DeTable<'_>> {
        self.check_depth()?;
        match DeTable::parse(self.text) {
            Ok(document) => Ok(document.into_inner()),
            Err(e) => {
                let at = e.span().map(|span| span.start);
                let why = e.message().lines().next().unwrap_or_default();
                Err(self.error(at, "", format!("not TOML: {why}")))
            }
        }
    }

    /// Refuses keys of many parts.
    ///
    /// toml limits brackets to 80 within each other and a key to 80 parts, but multiplies the two,
    /// and to drop 6400 tables within each other takes more stack than a thread may have.
    fn check_depth(&self) -> Result<()> {
        const PARTS: usize = 8;
        let mut parts = 1;
        for token in toml_parser::Source::new(self.text).lex() {
            match token.kind() {
                TokenKind::Dot => parts += 1,
                TokenKind::Atom
                | TokenKind::LiteralString
                | TokenKind::BasicString
                | TokenKind::MlLiteralString
                | TokenKind::MlBasicString
                | TokenKind::Whitespace => {}
                // Everything else ends a key.
                _ => parts = 1,
            }
            if parts > PARTS {
                let at = Some(token.span().start());
                return Err(self.error(at, "", format!("a key of more than {PARTS} parts")));
            }
        }
        Ok(())
    }

    /// Everything that is noted; none if nothing is.
    pub(super) fn errors(self) -> Option<ScenarioErrors> {
        let text = self.text.as_bytes();
        self.noted.told(|at| line_of(text, at))
    }

    /// Notes an error at byte `at`; `key` is empty where there is none.
    pub(super) fn error(
        &self,
        at: Option<usize>,
        key: &str,
        message: impl Into<String>,
    ) -> Refused {
        self.error_near(at, key, message, "", [])
    }

    /// Notes an error at byte `at`, with the one of `known` that `found` resembles.
    pub(super) fn error_near<'b>(
        &self,
        at: Option<usize>,
        key: &str,
        message: impl Into<String>,
        found: &str,
        known: impl IntoIterator<Item = &'b str>,
    ) -> Refused {
        let key = (!key.is_empty()).then(|| key.to_owned());
        let error = ScenarioError { key, ..ScenarioError::of_file(self.name, message) };
        self.noted.note(at, error.or_rather(found, known))
    }
}

/// The line of byte `at`, from 1.
pub(super) fn line_of(text: &[u8], at: usize) -> usize {
    1 + text.iter().take(at).filter(|byte| **byte == b'\n').count()
}
