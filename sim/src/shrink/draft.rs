//! A scenario file as a document that can be taken apart.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use seedbed::machine::Span;
use toml::{Table, Value};

use crate::quantity::parse_span;

/// The document of a scenario file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draft(Table);

/// A part of the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The value of a key.
    Key(String),
    /// The item of this number, from 0.
    Item(usize),
}

/// The way to a value that keys alone lead to.
pub(super) fn way(keys: &[&str]) -> Vec<Place> {
    keys.iter().map(|key| Place::Key((*key).to_owned())).collect()
}

impl Draft {
    /// The document of `text`, which is a scenario file.
    ///
    /// # Errors
    /// It is no TOML.
    pub(super) fn parse(text: &str) -> Result<Draft, toml::de::Error> {
        text.parse().map(Draft)
    }

    /// A file of it, for machines.
    pub(super) fn text(&self) -> String {
        toml::to_string(&self.0).expect("a document of values can be written")
    }

    /// A file of it, for readers: a table for each key of the file, and what is in that on one line
    /// for each key.
    pub(super) fn file(&self) -> String {
        let mut text = String::new();
        let is_table = |(name, value): &(&String, &Value)| match value {
            Value::Table(_) => *name != "seeds",
            Value::Array(items) => items.first().is_some_and(Value::is_table),
            _ => false,
        };
        for (key, value) in self.0.iter().filter(|entry| !is_table(entry)) {
            put_key(&mut text, key, value);
        }
        for (name, value) in self.0.iter().filter(is_table) {
            match value {
                Value::Table(table) => put_table(&mut text, &format!("[{name}]"), table),
                Value::Array(items) => {
                    for table in items.iter().filter_map(Value::as_table) {
                        put_table(&mut text, &format!("[[{name}]]"), table);
                    }
                }
                _ => unreachable!("it is a table, or an array of them"),
            }
        }
        text
    }

    /// Sets `table.key`, or `key` of the file itself.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        let (table, key) = match key.rsplit_once('.') {
            None => (&mut self.0, key),
            Some((name, key)) => (self.table(name), key),
        };
        table.insert(key.to_owned(), value);
    }

    fn table(&mut self, name: &str) -> &mut Table {
        name.split('.').fold(&mut self.0, |table, part| {
            let inner = table.entry(part).or_insert_with(|| Table::new().into());
            inner.as_table_mut().expect("a table of a scenario file")
        })
    }

    /// Puts a key of the file in front of all others.
    pub(super) fn put_first(&mut self, key: &str, value: Value) {
        let others = std::mem::take(&mut self.0).into_iter().filter(|(other, _)| other != key);
        let all = [(key.to_owned(), value)].into_iter().chain(others);
        self.0 = all.collect();
    }

    /// Puts a table of the file behind all others, if it is there.
    pub(super) fn put_last(&mut self, name: &str) {
        if let Some(table) = self.0.remove(name) {
            self.0.insert(name.to_owned(), table);
        }
    }

    /// Removes a table of the file, or all tables of this name.
    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The same document with no defect, and without what it expects of the one it has; `None` if
    /// it has none.
    pub(super) fn without_defects(&self) -> Option<Draft> {
        let defects = way(&["cluster", "defects"]);
        (self.count(&defects) > 0).then(|| {
            let mut mended = self.without_key(&defects);
            mended.remove("expect");
            mended
        })
    }

    /// Adds tables of this name behind those that are there.
    pub(super) fn add(&mut self, name: &str, tables: Vec<Table>) {
        if tables.is_empty() {
            return;
        }
        let all = self.0.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        let all = all.as_array_mut().expect("an array of tables");
        all.extend(tables.into_iter().map(Value::Table));
    }

    /// The value at `way`.
    pub(super) fn get(&self, way: &[Place]) -> Option<&Value> {
        let (Place::Key(first), rest) = way.split_first()? else { return None };
        rest.iter().try_fold(self.0.get(first)?, |value, place| match place {
            Place::Key(key) => value.get(key),
            Place::Item(at) => value.get(at),
        })
    }

    fn get_mut(&mut self, way: &[Place]) -> Option<&mut Value> {
        let (Place::Key(first), rest) = way.split_first()? else { return None };
        rest.iter().try_fold(self.0.get_mut(first)?, |value, place| match place {
            Place::Key(key) => value.get_mut(key),
            Place::Item(at) => value.get_mut(at),
        })
    }

    /// How many items the list at `way` has.
    pub(super) fn count(&self, way: &[Place]) -> usize {
        self.get(way).and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// The same document with another value at `way`.
    #[must_use]
    pub(super) fn with(&self, way: &[Place], value: Value) -> Draft {
        let mut draft = self.clone();
        if let Some(place) = draft.get_mut(way) {
            *place = value;
        }
        draft
    }

    /// The same document without these items of the list at `way`, and without the list if no item
    /// is left.
    #[must_use]
    pub(super) fn without_items(&self, way: &[Place], items: Range<usize>) -> Draft {
        let mut draft = self.clone();
        if let Some(Value::Array(all)) = draft.get_mut(way) {
            all.drain(items);
        }
        if draft.count(way) == 0 { draft.without_key(way) } else { draft }
    }

    /// The same document without this key.
    #[must_use]
    pub(super) fn without_key(&self, way: &[Place]) -> Draft {
        let mut draft = self.clone();
        let Some((Place::Key(key), table)) = way.split_last() else { return draft };
        let table = match table {
            [] => Some(&mut draft.0),
            _ => draft.get_mut(table).and_then(Value::as_table_mut),
        };
        table.and_then(|table| table.remove(key));
        draft
    }

    /// The same document without scripts, faults and rules that begin at `end` or later.
    #[must_use]
    pub(super) fn without_later(&self, end: Span) -> Draft {
        let is_later = |item: &Value| {
            let at = item.get("at").and_then(Value::as_str);
            at.and_then(|at| parse_span(at).ok()).is_some_and(|at| at >= end)
        };
        self.keeping(|_, _, item| !is_later(item))
    }

    /// The same document with only those items of its lists of which `is_kept` holds.
    #[must_use]
    pub(super) fn keeping(&self, mut is_kept: impl FnMut(&str, usize, &Value) -> bool) -> Draft {
        let mut draft = self.clone();
        for list in ["fault", "message", "sync", "script"] {
            if let Some(Value::Array(items)) = draft.0.get_mut(list) {
                let mut next = 0;
                items.retain(|item| {
                    next += 1;
                    is_kept(list, next - 1, item)
                });
                if items.is_empty() {
                    draft.0.remove(list);
                }
            }
        }
        draft
    }

    /// The same document in which the fault `number` strikes at this time, and not at a milestone;
    /// `None` if it waits for none.
    pub(super) fn striking_at(&self, number: usize, at: Value) -> Option<Draft> {
        let fault = [way(&["fault"]), vec![Place::Item(number)]].concat();
        let mut keys = self.get(&fault)?.as_table()?.clone();
        keys.remove("when")?;
        let keys = [("at".to_owned(), at)].into_iter().chain(keys).collect();
        Some(self.with(&fault, Value::Table(keys)))
    }

    /// The numbers of the machines that it names with this letter, the lowest first.
    pub(super) fn numbers(&self, letter: char) -> BTreeSet<u16> {
        let number = |way: Vec<Place>| self.get(&way)?.as_str()?.strip_prefix(letter)?.parse().ok();
        self.ways().into_iter().filter_map(number).collect()
    }

    /// The same document with another name for a machine, also where a request of it is named:
    /// `c3#1`, `c3.2#1`.
    #[must_use]
    pub(super) fn renamed(&self, machine: &str, name: &str) -> Draft {
        let mut draft = self.clone();
        for way in self.ways() {
            let Some(text) = self.get(&way).and_then(Value::as_str) else { continue };
            match text.strip_prefix(machine) {
                Some(rest) if rest.is_empty() || rest.starts_with(['#', '.']) => {
                    draft = draft.with(&way, format!("{name}{rest}").into());
                }
                _ => {} // it is about something else
            }
        }
        draft
    }

    /// The ways to everything in the document; that to a table comes before those into it.
    pub(super) fn ways(&self) -> Vec<Vec<Place>> {
        let mut ways = Vec::new();
        for (key, value) in &self.0 {
            add_ways(vec![Place::Key(key.clone())], value, &mut ways);
        }
        ways
    }
}

fn add_ways(way: Vec<Place>, value: &Value, ways: &mut Vec<Vec<Place>>) {
    ways.push(way.clone());
    let into = |place: Place| [way.as_slice(), &[place]].concat();
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                add_ways(into(Place::Key(key.clone())), value, ways);
            }
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                add_ways(into(Place::Item(at)), value, ways);
            }
        }
        _ => {} // nothing is in it
    }
}

fn put_table(text: &mut String, head: &str, table: &Table) {
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{gap}{head}");
    for (key, value) in table {
        put_key(text, key, value);
    }
}

fn put_key(text: &mut String, key: &str, value: &Value) {
    let _ = writeln!(text, "{key} = {value}");
}
