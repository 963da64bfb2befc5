//! `docs/scenario-reference.md` says what the grammar of scenario files says.
//!
//! With `UPDATE_EXPECT` set to anything, it is written.

use seedbed::proto::FileService;
use seedbed_sim::reference;
use similar::TextDiff;

#[test]
fn the_reference_is_what_the_grammar_says() {
    let path = "docs/scenario-reference.md";
    let (text, written) =
        (std::fs::read_to_string(path).unwrap_or_default(), reference::markdown::<FileService>());
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(path, &written).expect("a file that can be written");
        return;
    }
    let difference = TextDiff::from_lines(&text, &written);
    let difference = difference.unified_diff().header(path, "the grammar").to_string();
    let how = "`UPDATE_EXPECT=1 cargo test --test suite scenario_reference` would change it so:";
    assert!(text == written, "{how}\n{difference}");
}
