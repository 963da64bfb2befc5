//! A strict reader of TOML: every key is declared before it is read, every error knows where it is.
//!
//! serde is not used: its `flatten` and `untagged` lose the line and the key, and its defaults take
//! a misspelt key for an absent one. Here a [`Table`] is opened with its [`TableGrammar`], so that
//! no value is read before all keys are known to be right; where that has several forms, it says
//! which keys go with which.

use toml::de::DeTable;

use super::error::ScenarioError;
use super::grammar::{Form, Key, TableGrammar};
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

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(
        source: &'a Source<'a>,
        document: &'a DeTable<'a>,
        grammar: &TableGrammar,
    ) -> Result<Table<'a>> {
        Table::open(source, String::new(), None, Some(document), grammar)
    }

    /// A table with these entries, which must all have known keys.
    fn open<F>(
        source: &'a Source<'a>,
        key: String,
        at: Option<usize>,
        entries: Option<&'a DeTable<'a>>,
        grammar: &TableGrammar<F>,
    ) -> Result<Table<'a>> {
        assert_eq!(without_numbers(&key), grammar.name, "a table is read with its own grammar");
        Table { source, key, at, entries, known: grammar.known() }.checked()
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

    /// The table of `grammar` in this one; an empty one if the file has none.
    pub(super) fn section<F>(&self, grammar: &TableGrammar<F>) -> Result<Table<'a>> {
        match self.get(grammar.key()) {
            Some(value) => value.table(grammar),
            None => Table::open(self.source, self.key_of(grammar.key()), None, None, grammar),
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

    /// Which form of `grammar` the table has, and the value of the key that tells it.
    pub(super) fn form<F: Copy>(&self, grammar: &TableGrammar<F>) -> Result<(F, Value<'a>)> {
        let form = self.only_form(grammar.forms)?;
        let goes = [grammar.keys, form.beside, &[form.key]].concat();
        let goes = |name: &str| goes.iter().any(|key| key.name == name);
        match self.known.iter().find(|name| self.has(name) && !goes(name)) {
            Some(name) => Err(self.error(name, format!("does not go with `{}`", form.key.name))),
            None => Ok((form.is, self.need(form.key.name, "a value")?)),
        }
    }

    /// The one form whose key is there.
    fn only_form<F>(&self, forms: &'static [Form<F>]) -> Result<&'static Form<F>> {
        let mut present: Vec<_> = forms.iter().filter(|form| self.has(form.key.name)).collect();
        // The key of one form may stand beside the key of another, and then means something else.
        let beside: Vec<&Key> = present.iter().flat_map(|form| form.beside).collect();
        present.retain(|form| !beside.iter().any(|key| key.name == form.key.name));
        let [form] = present[..] else {
            let found = match present.len() {
                0 => "none".to_owned(),
                _ => one_of(present.iter().map(|form| form.key.name)).replace(" or ", " and "),
            };
            let all = one_of(forms.iter().map(|form| form.key.name));
            return Err(self.fault(format!("expected exactly one of {all}, found {found}")));
        };
        Ok(form)
    }

    /// Does the file give this key?
    fn has(&self, name: &str) -> bool {
        self.entries.is_some_and(|entries| entries.contains_key(name))
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
    /// A table that may have the keys of `grammar`, in any of its forms.
    pub(super) fn table<F>(&self, grammar: &TableGrammar<F>) -> Result<Table<'a>> {
        let entries = Some(self.value.as_table().ok_or_else(|| self.not("a table"))?);
        Table::open(self.source, self.key.clone(), Some(self.at.start), entries, grammar)
    }

    /// A table that has one of the forms of `grammar`.
    pub(super) fn table_of<F: Copy>(
        &self,
        grammar: &TableGrammar<F>,
    ) -> Result<(Table<'a>, F, Value<'a>)> {
        let table = self.table(grammar)?;
        let (form, value) = table.form(grammar)?;
        Ok((table, form, value))
    }
}

/// `fault.when` for `fault[3].when`.
fn without_numbers(key: &str) -> String {
    key.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}
