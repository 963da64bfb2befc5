//! Golden plays: one test for each file of `tests/plays`, which must say what comes of its
//! directions. `tests/plays/README.md` tells how to read and how to write one.
//!
//! With `UPDATE_EXPECT` set to anything, what came of the directions is written into the files.

mod play;

use std::path::Path;

use seedbed_sim::scenario_test::Failure;
use similar::TextDiff;

datatest_stable::harness! {
    { test = is_what_comes_of_it, root = "tests/plays", pattern = r"\.play$" },
}

fn is_what_comes_of_it(file: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(file)?;
    let written = play::written(file, &text).map_err(Failure)?;
    if text == written {
        return Ok(());
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        // Another play may go on from this one, and read it at this moment.
        let beside = file.with_extension("play.new");
        std::fs::write(&beside, written)?;
        return Ok(std::fs::rename(beside, file)?);
    }
    let difference = TextDiff::from_lines(&text, &written);
    let difference = difference.unified_diff().header("the file", "what comes of it").to_string();
    let how = "With `UPDATE_EXPECT=1 cargo test --test plays` the file would be changed so:";
    Err(Failure(format!("{how}\n{difference}")).into())
}
