//! The mistakes under `tests/mutants/` still fit the protocols. Only that is looked at here:
//! `scripts/mutants` builds and sweeps each, which takes hours.

use std::collections::BTreeSet;

#[test]
fn each_planted_mistake_fits_one_place_of_its_file() {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let mistakes_of = |file: &str| {
        let mut table: toml::Table = read(file).parse().expect("it is TOML");
        table.remove("planted").expect("a list of tables").try_into::<Vec<toml::Table>>()
    };
    let files = ["tests/mutants/planted.toml", "tests/mutants/named.toml"];
    let mut ids = BTreeSet::new();
    for mistake in files.iter().flat_map(|file| mistakes_of(file).expect("a list of tables")) {
        let key = |key: &str| mistake[key].as_str().expect("each key is a text");
        let (id, file) = (key("id"), format!("src/proto/{}", key("file")));
        assert!(ids.insert(id.to_owned()), "two mistakes are `{id}`");
        let places = read(&file).matches(key("old")).count();
        assert_eq!(places, 1, "`old` of `{id}` in {file}: adapt it to the code, not the mistake");
    }
}
