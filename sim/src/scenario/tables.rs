//! The tables of a scenario file, in the order in which a reader wants them.

use super::grammar::{Key, Style, TableGrammar};
use super::{
    FILE, chaos, cluster, environment, expect, fault, limits, message, script, swarm, sync,
    workload,
};

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
    pub keys: &'static [Key],
    /// Its forms: the key that tells each, and the keys that go with that one.
    pub forms: Vec<(Key, &'static [Key])>,
    /// What no single key says.
    pub notes: &'static [&'static str],
    /// Lines of a file that show it.
    pub example: &'static str,
}

impl<F> From<&TableGrammar<F>> for TableReference {
    fn from(of: &TableGrammar<F>) -> TableReference {
        let &TableGrammar { name, style, meaning, keys, forms, notes, example } = of;
        let forms = forms.iter().map(|form| (form.key, form.beside)).collect();
        TableReference { name, style, meaning, keys, forms, notes, example }
    }
}

/// Every table there is.
pub fn tables() -> Vec<TableReference> {
    vec![
        (&FILE).into(),
        (&expect::grammar::SEEDS).into(),
        (&cluster::grammar::CLUSTER).into(),
        (&cluster::grammar::TIMING).into(),
        (&limits::LIMITS).into(),
        (&environment::NETWORK).into(),
        (&environment::LINK).into(),
        (&environment::DISK).into(),
        (&environment::CLOCK).into(),
        (&workload::WORKLOAD).into(),
        (&script::grammar::SCRIPT).into(),
        (&script::grammar::WHEN).into(),
        (&script::grammar::STEPS).into(),
        (&script::grammar::OPERATION).into(),
        (&expect::answer::ANSWER).into(),
        (&fault::grammar::FAULT).into(),
        (&fault::grammar::WHEN).into(),
        (&fault::grammar::UNTIL).into(),
        (&fault::grammar::CLOG).into(),
        (&fault::grammar::SIDES[0]).into(),
        (&fault::grammar::SIDES[1]).into(),
        (&fault::grammar::SIDES[2]).into(),
        (&fault::grammar::SET).into(),
        (&message::MESSAGE).into(),
        (&message::WHEN).into(),
        (&sync::SYNC).into(),
        (&chaos::CHAOS).into(),
        (&chaos::BUDGET).into(),
        (&swarm::SWARM).into(),
        (&expect::grammar::PHASES).into(),
        (&expect::grammar::EXPECT).into(),
        (&expect::grammar::REACHED).into(),
        (&expect::grammar::STORED).into(),
    ]
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
