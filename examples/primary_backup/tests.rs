//! One test for each scenario of the example, and one for each explanation that is kept.
//!
//! `UPDATE_EXPECT=1` writes the explanations anew.

#[allow(dead_code)]
mod protocol;
mod testbed;

use std::path::Path;

use datatest_stable::Result;
use protocol::Register;
use seedbed_sim::scenario_test;

datatest_stable::harness! {
    { test = holds, root = "../examples/primary_backup/scenarios", pattern = r"\.toml$" },
    { test = is_explained, root = "../examples/primary_backup/scenarios", pattern = r"\.explained$" },
    { test = examples_are_read, root = "../examples/primary_backup/scenarios", pattern = r"^the_primary_crashes\.toml$" },
}

fn holds(file: &Path) -> Result<()> {
    Ok(scenario_test::holds::<Register>(file)?)
}

fn is_explained(file: &Path) -> Result<()> {
    Ok(scenario_test::is_explained::<Register>(file)?)
}

fn examples_are_read(file: &Path) -> Result<()> {
    Ok(scenario_test::examples_are_read::<Register>(file)?)
}
