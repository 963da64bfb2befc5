//! Values of the file, each read as what is expected there, or refused where it stands.

use std::ops::{Range, RangeInclusive};

use seedbed::machine::Span;
use toml::de::DeValue;

use super::error::{Refused, Result, all};
use super::source::Source;
use crate::quantity::{Ppb, SpanRange, parse_span};
use crate::text::{one_of, shorten};

/// A value of the scenario file, with its position there for messages.
pub struct Value<'a> {
    pub(super) source: &'a Source<'a>,
    pub(super) key: String,
    pub(super) at: Range<usize>,
    /// As TOML has it.
    pub value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    /// Notes an error here.
    pub fn error(&self, message: impl Into<String>) -> Refused {
        self.source.error(Some(self.at.start), &self.key, message)
    }

    /// Notes an error here, with the one of `known` that `found` resembles.
    pub fn error_near<N: AsRef<str>>(
        &self,
        message: impl Into<String>,
        found: &str,
        known: impl IntoIterator<Item = N>,
    ) -> Refused {
        let known: Vec<N> = known.into_iter().collect();
        let known = known.iter().map(AsRef::as_ref);
        self.source.error_near(Some(self.at.start), &self.key, message, found, known)
    }

    /// Notes that something else was expected here.
    pub fn not(&self, expected: &str) -> Refused {
        self.error(format!("expected {expected}, found {}", self.found()))
    }

    /// What stands here, as the file writes it.
    pub fn found(&self) -> String {
        match self.value {
            DeValue::Array(_) => "an array".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {
                let written = self.source.text.get(self.at.clone()).unwrap_or_default();
                format!("`{}`", shorten(written))
            }
        }
    }

    /// A string.
    pub fn string(&self) -> Result<&'a str> {
        self.value.as_str().ok_or_else(|| self.not("a string"))
    }

    /// A string of one line that is not blank.
    pub fn line(&self) -> Result<&'a str> {
        let text = self.string()?.trim();
        let ok = !text.is_empty() && !text.contains(char::is_control);
        if ok { Ok(text) } else { Err(self.not("one line of text")) }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool> {
        self.value.as_bool().ok_or_else(|| self.not("`true` or `false`"))
    }

    /// `true`: a key that says all by being there.
    pub fn yes(&self) -> Result<()> {
        if self.boolean()? { Ok(()) } else { Err(self.not("`true`, or no such key")) }
    }

    /// A whole number within `range`.
    pub fn integer<T: TryFrom<i64>>(&self, range: RangeInclusive<i64>) -> Result<T> {
        let number = self.value.as_integer();
        let number = number.and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        let number = number.filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok());
        number.ok_or_else(|| match (*range.start(), *range.end()) {
            (start, i64::MAX) => self.not(&format!("a whole number, at least {start}")),
            (start, end) => self.not(&format!("a whole number, {start} to {end}")),
        })
    }

    /// A probability.
    pub fn probability(&self) -> Result<Ppb> {
        let number = match self.value {
            DeValue::Float(n) => n.as_str().parse().ok(),
            DeValue::Integer(n) => n.as_str().parse().ok(),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        let probability = number.and_then(Ppb::from_fraction);
        probability.ok_or_else(|| self.not("a probability, 0 to 1 and not finer than 1e-9"))
    }

    /// A duration.
    pub fn span(&self) -> Result<Span> {
        let expected = "a duration such as \"250ms\"";
        let text = self.value.as_str().ok_or_else(|| self.not(expected))?;
        parse_span(text).map_err(|why| {
            self.error(format!("expected {expected}, found {}: {why}", self.found()))
        })
    }

    /// A duration that is not zero.
    pub fn some_span(&self) -> Result<Span> {
        let span = self.span()?;
        if span == Span::ZERO { Err(self.not("a duration above zero")) } else { Ok(span) }
    }

    /// A duration of 1us to one day.
    pub fn bounded_span(&self) -> Result<Span> {
        let span = self.span()?;
        let ok = (1_000..=86_400_000_000_000).contains(&span.as_nanos());
        if ok { Ok(span) } else { Err(self.not("1us to one day")) }
    }

    /// Two durations, the shorter one first.
    pub fn spans(&self) -> Result<SpanRange> {
        let expected = "two durations such as [\"1ms\", \"10ms\"]";
        let items = self.value.as_array().ok_or_else(|| self.not(expected))?;
        if items.len() != 2 {
            let found = items.len();
            return Err(self.error(format!("expected {expected}, found {found} values")));
        }
        let range = all(self.list()?.iter().map(Value::span))?;
        match range[..] {
            [min, max] if min <= max => Ok(SpanRange { min, max }),
            _ => Err(self.error("expected the shorter duration first")),
        }
    }

    /// The value of `key`, if this is a table that has it.
    pub fn inside(&self, key: &str) -> Option<Value<'a>> {
        let value = self.value.as_table()?.get(key)?;
        let key = format!("{}.{key}", self.key);
        Some(Value { source: self.source, key, at: value.span(), value: value.get_ref() })
    }

    /// The value of this number, if this is an array that has it.
    pub fn item(&self, number: usize) -> Option<Value<'a>> {
        self.list().ok()?.into_iter().nth(number)
    }

    /// The values of an array.
    pub fn list(&self) -> Result<Vec<Value<'a>>> {
        let items = self.value.as_array().ok_or_else(|| self.not("an array"))?;
        let item = |(i, item): (usize, &'a toml::Spanned<DeValue<'a>>)| Value {
            source: self.source,
            key: format!("{}[{i}]", self.key),
            at: item.span(),
            value: item.get_ref(),
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The values of an array that is not empty, each of them once.
    pub fn distinct<T: PartialEq>(
        &self,
        mut read: impl FnMut(&Value<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let values = self.list()?;
        if values.is_empty() {
            return Err(self.error("expected at least one, found none"));
        }
        let mut known = Vec::new();
        let mut refused = Ok(());
        for value in values {
            match read(&value) {
                Ok(item) if known.contains(&item) => {
                    refused = Err(value.error(format!("{} is there twice", value.found())));
                }
                Ok(item) => known.push(item),
                Err(why) => refused = Err(why),
            }
        }
        refused.map(|()| known)
    }

    /// One of a few names; what they are names of is `what`.
    pub fn pick<N: AsRef<str>, T>(
        &self,
        what: &str,
        names: impl IntoIterator<Item = (N, T)>,
    ) -> Result<T> {
        self.pick_or(what, names, |names| one_of(names.iter().map(AsRef::as_ref)))
    }

    /// One of many names, which the command lists when it is asked for `list`.
    pub fn pick_listed<N: AsRef<str>, T>(
        &self,
        what: &str,
        list: &str,
        names: impl IntoIterator<Item = (N, T)>,
    ) -> Result<T> {
        let command = self.source.command;
        self.pick_or(what, names, |_| format!("one that `{command} {list}` lists"))
    }

    fn pick_or<N: AsRef<str>, T>(
        &self,
        what: &str,
        names: impl IntoIterator<Item = (N, T)>,
        expected: impl FnOnce(&[N]) -> String,
    ) -> Result<T> {
        let found = self.string()?;
        let mut known = Vec::new();
        for (name, is) in names {
            if name.as_ref() == found {
                return Ok(is);
            }
            known.push(name);
        }
        let expected = expected(&known);
        let message = format!("unknown {what} `{}`, expected {expected}", shorten(found));
        Err(self.error_near(message, found, known))
    }
}
