//! The grammar of a scenario file as data: which keys a table has, and what stands at each.
//!
//! Each table is declared beside the code that reads it, and that code knows its keys from the
//! declaration alone: a key that is read is documented, and one that is not declared cannot be
//! read. `tables.rs` lists the tables.

use crate::under_test::{UnderTest, has_operator};

/// A key of a table.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As the file writes it.
    pub name: &'static str,
    /// What is written there.
    pub value: &'static str,
    /// What it is where the file leaves it out.
    pub absent: Absent,
    /// What it says, in one line.
    pub meaning: &'static str,
}

/// What a key is where the file leaves it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// It must be there.
    Needed,
    /// It tells the form of its table: exactly one of these must be there.
    Form,
    /// As if the file said this, in TOML. A test reads it and compares.
    Is(&'static str),
    /// This, in words.
    Means(&'static str),
}

impl Key {
    /// A key that must be there.
    pub const fn needed(name: &'static str, value: &'static str, meaning: &'static str) -> Key {
        Key { name, value, absent: Absent::Needed, meaning }
    }

    /// A key that tells the form of its table.
    pub const fn form(name: &'static str, value: &'static str, meaning: &'static str) -> Key {
        Key { name, value, absent: Absent::Form, meaning }
    }

    /// A key that is `usual` where it is left out, written as in TOML.
    pub const fn usually(
        name: &'static str,
        value: &'static str,
        usual: &'static str,
        meaning: &'static str,
    ) -> Key {
        Key { name, value, absent: Absent::Is(usual), meaning }
    }

    /// A key without which it is as `otherwise` says in words.
    pub const fn perhaps(
        name: &'static str,
        value: &'static str,
        otherwise: &'static str,
        meaning: &'static str,
    ) -> Key {
        Key { name, value, absent: Absent::Means(otherwise), meaning }
    }
}

/// One of several ways to write a table: the key that tells it, and the keys that go with that one.
#[derive(Clone, Copy, Debug)]
pub struct Form<F> {
    /// The key that tells it.
    pub key: Key,
    /// The keys that go with that one.
    pub beside: &'static [Key],
    /// What it stands for.
    pub is: F,
}

impl<F> Form<F> {
    /// The same form, which stands for something else.
    pub fn map<G>(self, other: impl FnOnce(F) -> G) -> Form<G> {
        Form { key: self.key, beside: self.beside, is: other(self.is) }
    }
}

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The file itself: keys in front of the first table.
    File,
    /// `[name]`
    Single,
    /// `[[name]]`, any number of times.
    Many,
    /// `key = { ... }` in another table.
    Inline,
    /// `key = [{ ... }, ...]` in another table.
    InlineMany,
}

/// A table without forms has none of these.
#[derive(Clone, Copy, Debug)]
pub enum NoForm {}

/// What a table may say.
#[derive(Clone, Copy, Debug)]
pub struct TableGrammar<F: 'static = NoForm> {
    /// The keys that lead to it: `network.link`; empty for the file itself.
    pub name: &'static str,
    /// How it is written.
    pub style: Style,
    /// What it is about, in one line.
    pub meaning: &'static str,
    /// The keys that it may have whatever its form.
    pub keys: &'static [Key],
    /// If there are any, it has exactly one of these.
    pub forms: &'static [Form<F>],
    /// What no single key says: what goes with what.
    pub notes: &'static [&'static str],
    /// Lines of a file that show it. A test reads them.
    pub example: &'static str,
}

/// What a system adds to a table of the testbed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra {
    /// More keys.
    pub keys: &'static [Key],
    /// More of what no single key says.
    pub notes: &'static [&'static str],
    /// Lines of a file that show it, in place of those of the testbed.
    pub example: Option<&'static str>,
}

/// What a reader needs to know of a table.
pub trait Grammar<F> {
    /// The keys that lead to it: `network.link`; empty for the file itself.
    fn name(&self) -> &'static str;

    /// The keys that it may have whatever its form.
    fn keys(&self) -> &[Key];

    /// If there are any, it has exactly one of these.
    fn forms(&self) -> &[Form<F>];

    /// Why it has not got this key, which it has in other systems; `None` if no system has it.
    fn why_not(&self, _key: &str) -> Option<&'static str> {
        None
    }

    /// The key that leads to it from the table that it stands in.
    fn key(&self) -> &'static str {
        self.name().rsplit('.').next().unwrap_or(self.name())
    }

    /// The names of all keys it may have in any form, each once.
    fn known(&self) -> Vec<&'static str> {
        let of_forms =
            self.forms().iter().flat_map(|form| [&form.key].into_iter().chain(form.beside));
        let mut known = Vec::new();
        for key in self.keys().iter().chain(of_forms) {
            if !known.contains(&key.name) {
                known.push(key.name);
            }
        }
        known
    }
}

impl<F> Grammar<F> for TableGrammar<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn keys(&self) -> &[Key] {
        self.keys
    }

    fn forms(&self) -> &[Form<F>] {
        self.forms
    }
}

/// Why a file of `S` has no key of this name in a table of the testbed; `None` if it may have one.
pub(super) fn why_not<S: UnderTest>(key: &str) -> Option<&'static str> {
    match key {
        "spare" if !has_operator::<S>() => Some(
            "this system has no operator to let a spare node in: count it in `nodes`, or leave it out",
        ),
        "control_down" if !S::HAS_CONTROL => Some("this system has no control node: leave it out"),
        _ => None,
    }
}

/// A table of the testbed with what a system adds to it, and without what the system has no use
/// for.
#[derive(Clone, Debug)]
pub struct Extended<F> {
    name: &'static str,
    pub(super) style: Style,
    pub(super) meaning: &'static str,
    keys: Vec<Key>,
    /// The names of keys that it has in other systems, each with why not in this one.
    lacking: Vec<(&'static str, &'static str)>,
    forms: Vec<Form<F>>,
    pub(super) notes: Vec<&'static str>,
    pub(super) example: &'static str,
}

impl<F: Copy> TableGrammar<F> {
    /// The same with what the system `S` adds, and without what it has no use for.
    pub fn of<S: UnderTest>(&self) -> Extended<F> {
        let Extra { keys, notes, example } = S::extra(self.name);
        let is_lacking = |key: &Key| Some((key.name, why_not::<S>(key.name)?));
        let lacking: Vec<_> = self.keys.iter().filter_map(is_lacking).collect();
        let own = self.keys.iter().filter(|key| why_not::<S>(key.name).is_none());
        Extended {
            name: self.name,
            style: self.style,
            meaning: self.meaning,
            keys: own.chain(keys).copied().collect(),
            lacking,
            forms: self.forms.to_vec(),
            notes: [self.notes, notes].concat(),
            example: example.unwrap_or(self.example),
        }
    }
}

impl<F> Extended<F> {
    /// The same table, whose forms stand for something else.
    pub fn map<G>(self, mut other: impl FnMut(F) -> G) -> Extended<G> {
        let Extended { name, style, meaning, keys, lacking, forms, notes, example } = self;
        let forms = forms.into_iter();
        let forms = forms.map(|form| form.map(&mut other));
        Extended { name, style, meaning, keys, lacking, forms: forms.collect(), notes, example }
    }

    /// The same table, which has these keys as well.
    #[must_use]
    pub fn with_keys(mut self, keys: impl IntoIterator<Item = Key>) -> Extended<F> {
        self.keys.extend(keys);
        self
    }

    /// The same table, of which this is said as well.
    #[must_use]
    pub fn with_note(mut self, note: &'static str) -> Extended<F> {
        self.notes.push(note);
        self
    }

    /// The same table, which has these forms as well.
    #[must_use]
    pub fn or_else(mut self, forms: impl IntoIterator<Item = Form<F>>) -> Extended<F> {
        self.forms.extend(forms);
        self
    }
}

impl<F> Extended<F> {
    /// The same table, whose rows also say what something has to be about.
    #[must_use]
    pub fn filtered(mut self, filters: Extra) -> Extended<F> {
        self.keys.extend(filters.keys);
        self.notes.extend(filters.notes);
        self
    }
}

impl<F> Grammar<F> for Extended<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn forms(&self) -> &[Form<F>] {
        &self.forms
    }

    fn why_not(&self, key: &str) -> Option<&'static str> {
        self.lacking.iter().find(|(name, _)| *name == key).map(|(_, why)| *why)
    }
}
