//! One test for each file under `scenarios/`: its seeds are run, and what must come of them does.

use std::path::Path;

use seedbed::proto::FileService;
use seedbed_sim::scenario_test;

datatest_stable::harness! {
    { test = holds, root = "scenarios", pattern = r"\.toml$" },
}

fn holds(file: &Path) -> datatest_stable::Result<()> {
    Ok(scenario_test::holds::<FileService>(file)?)
}
