//! A strict reader of TOML: every key is declared before it is read, every error knows where it is.
//!
//! serde is not used: its `flatten` and `untagged` lose the line and the key, and its defaults take
//! a misspelt key for an absent one. Here a [`Table`] is opened with its [`TableGrammar`], which
//! says what keys it may have and, where it has several forms, which keys go with which.
//!
//! An error is noted, and reading goes on. In a table with an unknown key that resembles a known
//! one, or none, the known one counts as refused and not as absent.

use toml::de::DeTable;

use super::error::{Refused, all};
use super::grammar::{Form, Grammar, Key, NoForm};
use super::source::Source;
use super::value::Value;
use crate::text::{nearest, one_of, shorten};

use super::error::Result;

/// A table of the file. One that the file leaves out is empty.
pub struct Table<'a> {
    source: &'a Source<'a>,
    key: String,
    at: Option<usize>,
    entries: Option<&'a DeTable<'a>>,
    known: Vec<&'static str>,
    /// What stands at its key is no table, or its key is misspelt.
    broken: Option<Refused>,
    misspelt: Vec<Misspelt>,
}

/// An unknown key of a table, and the known one that it resembles.
struct Misspelt {
    nearest: Option<&'static str>,
    refused: Refused,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn root(
        source: &'a Source<'a>,
        document: &'a DeTable<'a>,
        grammar: &impl Grammar<NoForm>,
    ) -> Table<'a> {
        Table::open(source, String::new(), None, Some(document), grammar)
    }

    /// A table with these entries; of those that are not known it is noted that they are not.
    fn open<F>(
        source: &'a Source<'a>,
        key: String,
        at: Option<usize>,
        entries: Option<&'a DeTable<'a>>,
        grammar: &impl Grammar<F>,
    ) -> Table<'a> {
        assert!(is_at(&key, grammar.name()), "`{key}` is read with its own grammar");
        let (known, broken, misspelt) = (grammar.known(), None, Vec::new());
        let mut table = Table { source, key, at, entries, known, broken, misspelt };
        let keys = entries.into_iter().flatten().map(|(key, _)| key);
        let unknown = keys.filter(|key| !table.known.contains(&key.get_ref().as_ref()));
        let noted = unknown.map(|key| {
            let (name, at) = (key.get_ref(), key.span().start);
            match grammar.why_not(name) {
                Some(why) => table.lacking(name, at, why),
                None => table.misspelt(name, at),
            }
        });
        table.misspelt = noted.collect();
        table
    }

    /// Notes why no file of this system has the key `name`, which stands at byte `at`.
    fn lacking(&self, name: &str, at: usize, why: &str) -> Misspelt {
        let refused = self.source.error(Some(at), &self.key_of(name), why);
        Misspelt { nearest: None, refused }
    }

    /// Notes that the key `name` at byte `at` is unknown.
    fn misspelt(&self, name: &str, at: usize) -> Misspelt {
        let known = || self.known.iter().copied();
        let nearest = nearest(name, known());
        let message = match nearest {
            Some(_) => "unknown key".to_owned(),
            None => format!("unknown key, expected {}", one_of(known())),
        };
        let key = self.key_of(&shorten(name));
        let refused = self.source.error_near(Some(at), &key, message, name, known());
        Misspelt { nearest, refused }
    }

    /// Fails where `key` may be there and was not recognised: nothing is said of its absence then.
    fn is_absent(&self, key: &str) -> Result<()> {
        let is_it = |it: &&Misspelt| it.nearest.is_none_or(|nearest| nearest == key);
        let misspelt = self.misspelt.iter().find(is_it).map(|it| it.refused);
        self.broken.or(misspelt).map_or(Ok(()), Err)
    }

    /// Fails where anything is noted about the file.
    pub fn is_sound(&self) -> Result<()> {
        self.source.noted.check()
    }

    /// Fails where any key may be there and was not recognised.
    pub fn is_understood(&self) -> Result<()> {
        let misspelt = self.misspelt.first().map(|it| it.refused);
        self.broken.or(misspelt).map_or(Ok(()), Err)
    }

    fn key_of(&self, key: &str) -> String {
        if self.key.is_empty() { key.to_owned() } else { format!("{}.{key}", self.key) }
    }

    /// Which table it is, for whatever should declare its keys.
    fn called(&self) -> String {
        match &*self.key {
            "" => "the file: `UnderTest::tables` names the tables of a system".to_owned(),
            key => format!("`{key}`"),
        }
    }

    /// The value of `key`, if the file gives one.
    pub fn get(&self, key: &'static str) -> Option<Value<'a>> {
        assert!(
            self.known.contains(&key),
            "`{key}` is read and was not declared as a key of {}",
            self.called()
        );
        let value = self.entries?.get(key)?;
        let key = self.key_of(key);
        Some(Value { source: self.source, key, at: value.span(), value: value.get_ref() })
    }

    /// The value of `key`, if that is a known key and the file gives one.
    pub fn known_value(&self, key: &str) -> Option<Value<'a>> {
        self.known.iter().copied().find(|known| *known == key).and_then(|key| self.get(key))
    }

    /// The value of `key`, which must be there.
    pub fn need(&self, key: &'static str, expected: &str) -> Result<Value<'a>> {
        match self.get(key) {
            Some(value) => Ok(value),
            None => {
                self.is_absent(key)?;
                Err(self.error(key, format!("missing, expected {expected}")))
            }
        }
    }

    /// What `read` makes of the value of `key`, if the file gives one.
    pub fn maybe<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Value<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        match self.get(key) {
            Some(value) => read(value).map(Some),
            None => self.is_absent(key).map(|()| None),
        }
    }

    /// What `read` makes of the value of `key`, which only some systems have, if it is there.
    pub fn maybe_known<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(Value<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.known.contains(&key) { self.maybe(key, read) } else { Ok(None) }
    }

    /// What `read` makes of the value of `key`, or `default`.
    pub fn or<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(Value<'a>) -> Result<T>,
    ) -> Result<T> {
        Ok(self.maybe(key, read)?.unwrap_or(default))
    }

    /// The table of `grammar` in this one; an empty one if the file has none.
    pub fn section<F>(&self, grammar: &impl Grammar<F>) -> Table<'a> {
        let empty = || {
            let key = self.key_of(grammar.key());
            Table::open(self.source, key, None, None, grammar)
        };
        match self.maybe(grammar.key(), |value| value.table(grammar)) {
            Ok(Some(table)) => table,
            Ok(None) => empty(),
            Err(refused) => Table { broken: Some(refused), ..empty() },
        }
    }

    /// What `read` makes of each table of the array at `key`; nothing if the file has none.
    pub fn each<T>(
        &self,
        key: &'static str,
        read: impl FnMut(Value<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(value) = self.get(key) else { return self.is_absent(key).map(|()| Vec::new()) };
        if value.value.is_table() {
            let key = &value.key;
            return Err(value.error(format!("one table, expected any number: write `[[{key}]]`")));
        }
        all(value.list()?.into_iter().map(read))
    }

    /// Which form of `grammar` the table has, and the value of the key that tells it.
    pub fn form<F: Copy>(&self, grammar: &impl Grammar<F>) -> Result<(F, Value<'a>)> {
        let form = self.only_form(grammar.forms())?;
        let goes = [grammar.keys(), form.beside, &[form.key]].concat();
        let goes = |name: &str| goes.iter().any(|key| key.name == name);
        for name in self.known.iter().filter(|name| self.has(name) && !goes(name)) {
            self.error(name, format!("does not go with `{}`", form.key.name));
        }
        Ok((form.is, self.need(form.key.name, "a value")?))
    }

    /// The one form whose key is there.
    fn only_form<'f, F>(&self, forms: &'f [Form<F>]) -> Result<&'f Form<F>> {
        let mut present: Vec<_> = forms.iter().filter(|form| self.has(form.key.name)).collect();
        // The key of one form may stand beside the key of another, and then means something else.
        let beside: Vec<&Key> = present.iter().flat_map(|form| form.beside).collect();
        present.retain(|form| !beside.iter().any(|key| key.name == form.key.name));
        let [form] = present[..] else {
            if present.is_empty() {
                self.is_understood()?;
            }
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

    /// Notes an error at the value of `key`, or at the table where it is missing.
    pub fn error(&self, key: &'static str, message: impl Into<String>) -> Refused {
        match self.get(key) {
            Some(value) => value.error(message),
            None => self.source.error(self.at, &self.key_of(key), message),
        }
    }

    /// Notes an error of the table as a whole.
    pub fn fault(&self, message: impl Into<String>) -> Refused {
        self.source.error(self.at, &self.key, message)
    }
}

/// A value may be a table, and a table is made of values: this half stands on the upper side.
impl<'a> Value<'a> {
    /// A table that may have the keys of `grammar`, in any of its forms.
    pub fn table<F>(&self, grammar: &impl Grammar<F>) -> Result<Table<'a>> {
        let entries = Some(self.value.as_table().ok_or_else(|| self.not("a table"))?);
        Ok(Table::open(self.source, self.key.clone(), Some(self.at.start), entries, grammar))
    }
}

/// Is this the place of the table `name`? A step of a script has the tables of a script.
fn is_at(key: &str, name: &str) -> bool {
    let key = without_numbers(key);
    key == name
        || key
            .strip_prefix("script.steps.")
            .is_some_and(|of_step| name.strip_prefix("script.") == Some(of_step))
}

/// `fault.when` for `fault[3].when`.
fn without_numbers(key: &str) -> String {
    key.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest)).collect()
}
