//! A strict reader of TOML: every key is declared before it is read, every error knows where it is.
//!
//! serde is not used: its `flatten` and `untagged` lose the line and the key, and its defaults take
//! a misspelt key for an absent one. Here a [`Table`] is opened with the keys it may have, so that
//! no value is read before all keys are known to be right; a table that comes in several [`Form`]s
//! says which keys go with which.

use toml::de::DeTable;

use super::error::ScenarioError;
use super::source::Source;
use super::value::Value;
use crate::text::{one_of, shorten};

pub(super) use super::error::Result;

/// A table whose keys are all known. One that the file leaves out is empty.
pub(super) struct Table<'a> {
    source: &'a Source<'a>,
    key: String,
    at: Option<usize>,
    entries: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
}

/// One of several ways to write a table: the key that tells it, and the keys that go with that one.
pub(super) struct Form<T> {
    pub(super) key: &'static str,
    pub(super) beside: &'static [&'static str],
    pub(super) is: T,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(
        source: &'a Source<'a>,
        document: &'a DeTable<'a>,
        known: &[&'static str],
    ) -> Result<Table<'a>> {
        Table::open(source, String::new(), None, Some(document), known)
    }

    /// A table with these entries, which must all have known keys.
    pub(super) fn open(
        source: &'a Source<'a>,
        key: String,
        at: Option<usize>,
        entries: Option<&'a DeTable<'a>>,
        known: &[&'static str],
    ) -> Result<Table<'a>> {
        Table { source, key, at, entries, known: known.to_vec() }.checked()
    }

    /// Fails at the first key that is not known.
    fn checked(self) -> Result<Table<'a>> {
        let keys = self.entries.into_iter().flatten().map(|(key, _)| key);
        let unknown = keys.filter(|key| !self.known.contains(&key.get_ref().as_ref()));
        let Some(first) = unknown.min_by_key(|key| key.span().start) else {
            return Ok(self);
        };
        let (at, name) = (Some(first.span().start), first.get_ref().as_ref());
        let known = self.known.iter().copied();
        let error = self.source.error(at, &self.key_of(&shorten(name)), "unknown key");
        let mut error = error.or_rather(name, known.clone());
        if error.nearest.is_none() {
            error.message = format!("unknown key, expected {}", one_of(known));
        }
        Err(error)
    }

    fn key_of(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    /// The value of `key`, if the file gives one.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        assert!(self.known.contains(&key), "`{key}` is read and was not declared");
        let value = self.entries?.get(key)?;
        let key = self.key_of(key);
        Some(Value { source: self.source, key, at: value.span(), value: value.get_ref() })
    }

    /// The value of `key`, if that is a known key and the file gives one.
    pub(super) fn known_value(&self, key: &str) -> Option<Value<'a>> {
        self.known.iter().copied().find(|known| *known == key).and_then(|key| self.get(key))
    }

    /// The value of `key`, which must be there.
    pub(super) fn need(&self, key: &'static str, expected: &str) -> Result<Value<'a>> {
        self.get(key).ok_or_else(|| self.error(key, format!("missing, expected {expected}")))
    }

    /// What `read` makes of the value of `key`, if the file gives one.
    pub(super) fn maybe<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Value<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.get(key).map(read).transpose()
    }

    /// What `read` makes of the value of `key`, or `default`.
    pub(super) fn or<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(Value<'a>) -> Result<T>,
    ) -> Result<T> {
        Ok(self.maybe(key, read)?.unwrap_or(default))
    }

    /// The table at `key`; an empty one if the file has none.
    pub(super) fn section(&self, key: &'static str, known: &[&'static str]) -> Result<Table<'a>> {
        match self.get(key) {
            Some(value) => value.table(known),
            None => Table::open(self.source, self.key_of(key), None, None, known),
        }
    }

    /// What `read` makes of each table of the array at `key`; nothing if the file has none.
    pub(super) fn each<T>(
        &self,
        key: &'static str,
        read: impl FnMut(Value<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        if value.value.is_table() {
            let key = &value.key;
            return Err(value.error(format!("one table, expected any number: write `[[{key}]]`")));
        }
        value.list()?.into_iter().map(read).collect()
    }

    /// Which of `forms` the table has, and the value of the key that tells it.
    pub(super) fn form<T: Copy>(
        &self,
        common: &[&str],
        forms: &[Form<T>],
    ) -> Result<(T, Value<'a>)> {
        let given = |key: &&str| self.entries.is_some_and(|entries| entries.contains_key(*key));
        let mut present: Vec<_> = forms.iter().filter(|form| given(&form.key)).collect();
        // The key of one form may stand beside the key of another, and then means something else.
        let beside: Vec<&str> = present.iter().flat_map(|form| form.beside).copied().collect();
        present.retain(|form| !beside.contains(&form.key));
        let [form] = present[..] else {
            let found = match present.len() {
                0 => "none".to_owned(),
                _ => one_of(present.iter().map(|form| form.key)).replace(" or ", " and "),
            };
            let all = one_of(forms.iter().map(|form| form.key));
            return Err(self.fault(format!("expected exactly one of {all}, found {found}")));
        };
        let goes =
            |key: &&str| common.contains(key) || form.beside.contains(key) || *key == form.key;
        match self.known.iter().copied().find(|key| given(key) && !goes(key)) {
            Some(key) => Err(self.error(key, format!("does not go with `{}`", form.key))),
            None => Ok((form.is, self.need(form.key, "a value")?)),
        }
    }

    /// An error at the value of `key`, or at the table where it is missing.
    pub(super) fn error(&self, key: &'static str, message: impl Into<String>) -> ScenarioError {
        match self.get(key) {
            Some(value) => value.error(message),
            None => self.source.error(self.at, &self.key_of(key), message),
        }
    }

    /// An error of the table as a whole.
    pub(super) fn fault(&self, message: impl Into<String>) -> ScenarioError {
        self.source.error(self.at, &self.key, message)
    }
}

/// A value may be a table, and a table is made of values: this half stands on the upper side.
impl<'a> Value<'a> {
    /// A table that may have the keys `known`.
    pub(super) fn table(&self, known: &[&'static str]) -> Result<Table<'a>> {
        let entries = Some(self.value.as_table().ok_or_else(|| self.not("a table"))?);
        Table::open(self.source, self.key.clone(), Some(self.at.start), entries, known)
    }

    /// A table that has one of `forms`, and whatever its form the keys `common`.
    pub(super) fn table_of<T: Copy>(
        &self,
        common: &[&'static str],
        forms: &[Form<T>],
    ) -> Result<(Table<'a>, T, Value<'a>)> {
        let mut known = common.to_vec();
        for key in forms.iter().flat_map(|form| [&[form.key], form.beside].concat()) {
            if !known.contains(&key) {
                known.push(key);
            }
        }
        let table = self.table(&known)?;
        let (form, value) = table.form(common, forms)?;
        Ok((table, form, value))
    }
}
