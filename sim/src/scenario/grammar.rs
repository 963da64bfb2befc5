//! The grammar of a scenario file as data: which keys a table has, and what stands at each.
//!
//! Each table is declared beside the code that reads it, and that code knows its keys from the
//! declaration alone: a key that is read is documented, and one that is not declared cannot be
//! read. `tables.rs` lists the tables.

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
    pub(super) const fn needed(
        name: &'static str,
        value: &'static str,
        meaning: &'static str,
    ) -> Key {
        Key { name, value, absent: Absent::Needed, meaning }
    }

    /// A key that tells the form of its table.
    pub(super) const fn form(
        name: &'static str,
        value: &'static str,
        meaning: &'static str,
    ) -> Key {
        Key { name, value, absent: Absent::Form, meaning }
    }

    /// A key that is `usual` where it is left out, written as in TOML.
    pub(super) const fn usually(
        name: &'static str,
        value: &'static str,
        usual: &'static str,
        meaning: &'static str,
    ) -> Key {
        Key { name, value, absent: Absent::Is(usual), meaning }
    }

    /// A key without which it is as `otherwise` says in words.
    pub(super) const fn perhaps(
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
pub(super) struct Form<F> {
    pub(super) key: Key,
    pub(super) beside: &'static [Key],
    pub(super) is: F,
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
pub(super) enum NoForm {}

/// What a table may say.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableGrammar<F: 'static = NoForm> {
    /// The keys that lead to it: `network.link`; empty for the file itself.
    pub(super) name: &'static str,
    pub(super) style: Style,
    /// What it is about, in one line.
    pub(super) meaning: &'static str,
    /// The keys that it may have whatever its form.
    pub(super) keys: &'static [Key],
    /// If there are any, it has exactly one of these.
    pub(super) forms: &'static [Form<F>],
    /// What no single key says: what goes with what.
    pub(super) notes: &'static [&'static str],
    /// Lines of a file that show it. A test reads them.
    pub(super) example: &'static str,
}

impl<F> TableGrammar<F> {
    /// The key that leads to it from the table that it stands in.
    pub(super) fn key(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// The names of all keys it may have in any form, each once.
    pub(super) fn known(&self) -> Vec<&'static str> {
        let of_forms =
            self.forms.iter().flat_map(|form| [&form.key].into_iter().chain(form.beside));
        let mut known = Vec::new();
        for key in self.keys.iter().chain(of_forms) {
            if !known.contains(&key.name) {
                known.push(key.name);
            }
        }
        known
    }
}
