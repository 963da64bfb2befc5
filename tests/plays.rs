//! Golden plays: one test for each file of `tests/plays`, which must say what comes of its
//! directions. `tests/plays/README.md` tells how to read and how to write one.

mod play;

use std::path::Path;

use expect_test::expect_file;

datatest_stable::harness! {
    { test = is_what_comes_of_it, root = "tests/plays", pattern = r"\.play$" },
}

fn is_what_comes_of_it(file: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(file)?;
    let written = play::written(file, &text)?;
    expect_file![std::path::absolute(file)?].assert_eq(&written);
    Ok(())
}
