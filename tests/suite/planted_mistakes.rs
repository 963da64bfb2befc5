//! The mistakes of `tests/mutants/planted.toml` still fit the protocols. Only that is looked at here:
//! `scripts/mutants` builds and sweeps each, which takes hours.

use std::collections::BTreeSet;

#[test]
fn each_planted_mistake_fits_one_place_of_its_file() {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    let planted: toml::Table = read("tests/mutants/planted.toml").parse().expect("it is TOML");
    let mut ids = BTreeSet::new();
    for mistake in planted["planted"].as_array().expect("a list of tables") {
        let key = |key: &str| mistake[key].as_str().expect("each key is a text");
        let (id, file) = (key("id"), format!("src/proto/{}", key("file")));
        assert!(ids.insert(id), "two mistakes are `{id}`");
        let places = read(&file).matches(key("old")).count();
        assert_eq!(places, 1, "`old` of `{id}` in {file}: adapt it to the code, not the mistake");
    }
}
