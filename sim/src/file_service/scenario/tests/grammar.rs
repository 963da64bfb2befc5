//! What the grammar declares is what is read.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::*;
use crate::scenario::grammar::{Absent, Key, Style};
use crate::scenario::tables::{TableReference, tables};

fn read(file: &Table) -> std::result::Result<Scenario, ScenarioErrors> {
    Scenario::parse("x.toml", &toml::to_string(file).unwrap())
}

fn file(text: &str) -> Table {
    text.parse().unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The example of a table as a file, with what a file needs beside it.
fn example(table: &TableReference) -> Table {
    let mut file: Table = self::file(&table.example);
    file.entry("title").or_insert("t".into());
    if !file.contains_key("script") {
        file.entry("workload").or_insert(self::file("kind = 'files'").into());
    }
    file
}

/// What one file cannot say together with the sample, and no example of a table says.
const REST: [&str; 12] = [
    "[expect]\nnever = ['lease_expired']\nviolates = 'tokens_grow'",
    "[expect]\nverdict = 'pass'",
    "[[script]]\nclient = 'c1'\nat = '1s'\nread = '/a'\nanswer = { absent = true }",
    "[[script]]\nclient = 'c1'\nat = '1s'\ntransaction = [{ read = '/a' }]\nanswer = { reads = ['x'] }",
    "fault = [{ at = '1s', isolate = 'n1', for = '1s' },\
     { at = '1s', loss = { from = 'n1', to = 'n2' }, share = 1, for = '1s' },\
     { at = '1s', duplicate = { from = 'n1', to = 'n2' }, share = 1, for = '1s' },\
     { at = '1s', drift = 'n1', ppm = 1, for = '1s' },\
     { at = '1s', stalled_disk = 'n1', for = '1s' }]",
    "fault = [{ at = '1s', isolate = 'n1', until = { milestone = 'crashed', node = 'n1', nth = 2,\
     every = 3, after = '1s' } }, { at = '1s', crash = 'n1', until = { milestone = 'request_done',\
     path = '/a', request = 'c1#1' } }, { at = '1s', pause = 'n1', until = { milestone = 'decided',\
     transaction = 'n1.1/1' } }, { at = '1s', pause = 'n1', until = { milestone = 'lock_granted',\
     lock = '/a' } }]",
    "[chaos]\nkinds = ['crash']\naimed = 0.5\nmoments = ['decided', 'view_announced']\ntogether = 0.5",
    "script = [{ client = 'c1', at = '1s', create = '/a', data = 'x', coordinator = 'n1' },\
     { client = 'c1', at = '1s', delete = '/a', if_version = 1, coordinator = 'n1' },\
     { client = 'c1', at = '1s', transaction = [{ write = '/a', data = 'x', if_version = 1 }] }]",
    "script = [{ client = 'c1', at = '1s', read = '/a', owner = 'n1', answer = 'done' },\
     { client = 'c1', at = '1s', create = '/a', data = 'x', coordinator = 'n1', answer = 'done' },\
     { client = 'c1', at = '1s', write = '/a', data = 'x', if_version = 1, coordinator = 'n1', answer = 'done' },\
     { client = 'c1', at = '1s', delete = '/a', if_version = 1, coordinator = 'n1', answer = 'done' },\
     { client = 'c1', at = '1s', rename = '/a', to = '/b', coordinator = 'n1', answer = 'done' },\
     { client = 'c1', at = '1s', transaction = [{ read = '/a' }], coordinator = 'n1', answer = 'done' },\
     { client = 'c1', at = '1s', acquire = '/a', wait = true, answer = 'done' },\
     { client = 'c1', at = '1s', release = '/a', answer = 'done' }]",
    "[[script]]\nclient = 'c1'\nat = '1s'\nsteps = [{ read = '/a', owner = 'n1', answer = 'done', pause = '1s' },\
     { create = '/a', data = 'x', coordinator = 'n1', answer = 'done', pause = '1s' },\
     { write = '/a', data = 'x', if_version = 1, coordinator = 'n1', answer = 'done', pause = '1s' },\
     { delete = '/a', if_version = 1, coordinator = 'n1', answer = 'done', pause = '1s' },\
     { rename = '/a', to = '/b', coordinator = 'n1', answer = 'done', pause = '1s' },\
     { transaction = [{ read = '/a' }], coordinator = 'n1', answer = 'done', pause = '1s' },\
     { acquire = '/a', wait = true, answer = 'done', pause = '1s' },\
     { release = '/a', answer = 'done', pause = '1s' }]",
    "[[script]]\nclient = 'c1'\nread = '/a'\nwhen = { milestone = 'decided', nth = 2, every = 3, after = '1s', node = 'n1', path = '/a', request = 'c1#1', transaction = 'n1.1/2' }\n[[message]]\nkind = 'commit'\ndrop = true\n\
     when = { milestone = 'decided', nth = 2, every = 3, after = '1s', node = 'n1', path = '/a', request = 'c1#1', transaction = 'n1.1/2' }\n[[fault]]\ncrash = 'n1'\nwhen = { milestone = 'decided', nth = 2, every = 3, after = '1s', node = 'n1', path = '/a', request = 'c1#1', transaction = 'n1.1/2' }",
    "[[script]]\nclient = 'c1'\nread = '/a'\nwhen = { milestone = 'lock_granted', lock = '/a', request = 'c1#1', node = 'control' }\n[[message]]\nkind = 'acquire'\ndrop = true\n\
     lock = '/a'\nrequest = 'c1#1'\nwhen = { milestone = 'lock_granted', lock = '/a', request = 'c1#1', node = 'control' }\n[[message]]\nkind = 'commit'\ndrop = true\n\
     transaction = 'n1.1/2'\n[[fault]]\ncrash = 'n1'\nwhen = { milestone = 'lock_granted', lock = '/a', request = 'c1#1', node = 'control' }",
];

/// Files that show the keys of a table.
fn files_with(table: &TableReference) -> Vec<Table> {
    let rest = REST.iter().map(|lines| self::file(&around(lines)));
    [self::file(SAMPLE), example(table)].into_iter().chain(rest).collect()
}

/// Does `found` have the key, and where that goes with one form, that form?
fn has(found: &Table, (form, key): (Option<Key>, Key)) -> bool {
    found.contains_key(key.name) && form.is_none_or(|form| found.contains_key(form.name))
}

/// Every table of this name in the file.
fn all<'a>(file: &'a mut Table, name: &str) -> Vec<&'a mut Table> {
    let mut found = vec![file];
    for key in name.split('.').filter(|key| !key.is_empty()) {
        let inside = found.into_iter().filter_map(|table| table.get_mut(key));
        found = inside.flat_map(tables_in).collect();
    }
    found
}

fn tables_in(value: &mut Value) -> Vec<&mut Table> {
    match value {
        Value::Table(table) => vec![table],
        Value::Array(items) => items.iter_mut().filter_map(Value::as_table_mut).collect(),
        Value::String(_) | Value::Integer(_) | Value::Float(_) => Vec::new(),
        Value::Boolean(_) | Value::Datetime(_) => Vec::new(),
    }
}

#[test]
fn every_table_is_listed_once_and_every_key_that_says_table_leads_to_one() {
    let names: Vec<&str> = tables::<FileService>().iter().map(|table| table.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for table in tables::<FileService>() {
        for (_, key) in table.all_keys().filter(|(_, key)| key.value.contains("table")) {
            let inner = [table.name, key.name].map(str::to_owned).join(".");
            // A step of a script has the tables of a script.
            let inner = inner.trim_start_matches('.').replace("script.steps.", "script.");
            assert!(names.contains(&&*inner), "{inner} is no table");
        }
    }
}

#[test]
fn every_key_is_read() {
    let mut unseen = Vec::new();
    for table in tables::<FileService>() {
        for key in table.all_keys() {
            let mut refused = 0;
            for mut file in files_with(&table) {
                let found = all(&mut file, table.name).into_iter().filter(|found| has(found, key));
                let first: Option<&mut Table> = found.into_iter().next();
                let Some(found) = first else { continue };
                found.insert(key.1.name.to_owned(), Value::Datetime("1979-05-27".parse().unwrap()));
                let errors = read(&file).expect_err("no key may be a date");
                let [error] = errors.told() else {
                    panic!("one error, and none that follows: {errors}")
                };
                let named = error.key.clone().unwrap_or_default();
                assert!(named.ends_with(key.1.name) && named.contains(table.key()), "{error}");
                refused += 1;
            }
            if refused == 0 {
                unseen.push(format!("{}.{}", table.name, key.1.name));
            }
        }
    }
    assert_eq!(unseen, [""; 0], "no sample has these");
}

#[test]
fn every_example_is_read() {
    for table in tables::<FileService>() {
        let mut file = example(&table);
        read(&file).unwrap_or_else(|error| panic!("{}: {error}", table.name));
        let found = all(&mut file, table.name);
        let shows =
            |found: &&mut Table| table.all_keys().any(|(_, key)| found.contains_key(key.name));
        assert!(found.iter().any(shows), "the example of {} does not show it", table.name);
    }
}

/// Those of the form that the key goes with, if it goes with one only.
fn goes_with(form: Option<Key>, found: Vec<&mut Table>) -> impl Iterator<Item = &mut Table> {
    found.into_iter().filter(move |found| form.is_none_or(|form| found.contains_key(form.name)))
}

/// A default that is shown is what is read in its place: with it and without it a file is the same.
#[test]
fn every_default_is_what_the_reader_fills_in() {
    for table in tables::<FileService>() {
        for (form, key) in table.all_keys() {
            let Absent::Is(usual) = key.absent else { continue };
            let usual = file(&format!("usual = {usual}")).remove("usual").unwrap();
            let compared =
                files_with(&table).into_iter().chain([self::file(&around(""))]).filter(|file| {
                    let (mut with, mut without) = (file.clone(), file.clone());
                    if table.style == Style::Single {
                        with.entry(table.name).or_insert(Table::new().into());
                    }
                    for found in goes_with(form, all(&mut with, table.name)) {
                        found.insert(key.name.to_owned(), usual.clone());
                    }
                    for found in goes_with(form, all(&mut without, table.name)) {
                        found.remove(key.name);
                    }
                    if with == without {
                        return false; // it has no such table
                    }
                    let (Ok(with), Ok(without)) = (read(&with), read(&without)) else {
                        return false;
                    };
                    assert_eq!(
                        with, without,
                        "{}.{} is not {usual} by default",
                        table.name, key.name
                    );
                    true
                });
            assert!(compared.count() > 0, "nothing to compare {}.{} in", table.name, key.name);
        }
    }
}
