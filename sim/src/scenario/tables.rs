//! The tables of a scenario file, in the order in which a reader wants them.

use super::grammar::{Extended, Grammar, Key, NoForm, Style, TableGrammar};
use super::occasion::when_of;
use super::{FILE, chaos, cluster, environment, expect, fault, message, script, swarm, sync};
use crate::name::Name;
use crate::under_test::UnderTest;

/// A table, for those that print it.
#[derive(Clone, Debug)]
pub struct TableReference {
    /// The keys that lead to it: `network.link`; empty for the file itself.
    pub name: &'static str,
    /// How it is written.
    pub style: Style,
    /// What it is about, in one line.
    pub meaning: &'static str,
    /// The keys that it may have whatever its form.
    pub keys: Vec<Key>,
    /// Its forms: the key that tells each, and the keys that go with that one.
    pub forms: Vec<(Key, &'static [Key])>,
    /// What no single key says.
    pub notes: Vec<&'static str>,
    /// Lines of a file that show it.
    pub example: String,
}

impl<F> From<&TableGrammar<F>> for TableReference {
    fn from(of: &TableGrammar<F>) -> TableReference {
        let &TableGrammar { name, style, meaning, keys, forms, notes, example } = of;
        let forms = forms.iter().map(|form| (form.key, form.beside)).collect();
        let (keys, notes) = (keys.to_vec(), notes.to_vec());
        let example = example.to_owned();
        TableReference { name, style, meaning, keys, forms, notes, example }
    }
}

impl<F> From<Extended<F>> for TableReference {
    fn from(of: Extended<F>) -> TableReference {
        TableReference {
            name: of.name(),
            style: of.style,
            meaning: of.meaning,
            keys: of.keys().to_vec(),
            forms: of.forms().iter().map(|form| (form.key, form.beside)).collect(),
            notes: of.notes.clone(),
            example: of.example.to_owned(),
        }
    }
}

/// Every table there is: behind one of the testbed those of the system that belong to it.
pub fn tables<S: UnderTest>() -> Vec<TableReference> {
    let of = |grammar: &TableGrammar| TableReference::from(grammar.of::<S>());
    let when = |grammar: &TableGrammar<NoForm>| TableReference::from(when_of::<S>(grammar));
    let all = vec![
        file::<S>().into(),
        of(&expect::grammar::SEEDS),
        of(&cluster::CLUSTER),
        of(&environment::NETWORK),
        of(&environment::LINK),
        of(&environment::DISK),
        of(&environment::CLOCK),
        script::table::<S>().into(),
        when(&script::grammar::WHEN),
        script::steps::<S>().into(),
        fault::table::<S>().into(),
        when(&fault::grammar::WHEN),
        when(&fault::grammar::UNTIL),
        of(&fault::grammar::CLOG),
        of(&fault::grammar::SIDES[0]),
        of(&fault::grammar::SIDES[1]),
        of(&fault::grammar::SIDES[2]),
        message::table::<S>().into(),
        when(&message::WHEN),
        of(&sync::SYNC),
        of(&chaos::CHAOS),
        of(&chaos::BUDGET),
        of(&swarm::SWARM),
        of(&expect::grammar::PHASES),
        expect::grammar::EXPECT.of::<S>().into(),
        of(&expect::grammar::REACHED),
    ];
    let own = S::tables();
    let behind = |table: TableReference| {
        let more = own.iter().filter(|(place, _)| *place == table.name);
        let more: Vec<_> = more.map(|(_, table)| table.clone()).collect();
        [table].into_iter().chain(more)
    };
    let with_example =
        |table: TableReference| TableReference { example: told::<S>(&table.example), ..table };
    all.into_iter().flat_map(behind).map(with_example).collect()
}

/// An example of the testbed, told with what the system has.
fn told<S: UnderTest>(example: &str) -> String {
    let message = S::MessageKind::ALL.first().map_or("", |kind| kind.name());
    let record = S::RecordKind::ALL.first().map_or("", |kind| kind.name());
    example
        .replace("{request}", S::COMMAND.request)
        .replace("{message}", message)
        .replace("{record}", record)
}

/// The keys of the file itself, with the tables of the system among them.
pub(super) fn file<S: UnderTest>() -> Extended<NoForm> {
    let file = FILE.of::<S>();
    let own = S::tables().into_iter().map(|(_, table)| table);
    let own = own.filter(|table| !table.name.contains('.') && !file.known().contains(&table.name));
    let keys = own.map(|TableReference { name, style, meaning, .. }| match style {
        Style::Many => Key::perhaps(name, "tables", "none", meaning),
        Style::File | Style::Single | Style::Inline | Style::InlineMany => {
            Key::perhaps(name, "table", "as if empty", meaning)
        }
    });
    let keys: Vec<Key> = keys.collect();
    file.with_keys(keys)
}

impl TableReference {
    /// The key that leads to it from the table that it stands in.
    pub fn key(&self) -> &'static str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// All its keys, each with the key of the form that it goes with, if it goes with one only.
    pub fn all_keys(&self) -> impl Iterator<Item = (Option<Key>, Key)> + '_ {
        let common = self.keys.iter().map(|key| (None, *key));
        let of_forms = self.forms.iter().flat_map(|(form, beside)| {
            let beside = beside.iter().map(|key| (Some(*form), *key));
            [(None, *form)].into_iter().chain(beside)
        });
        common.chain(of_forms)
    }
}
