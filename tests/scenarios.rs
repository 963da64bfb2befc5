//! One test for each file under `scenarios/`: its seeds are run, and what must come of them does.
//! One more for each text that is kept of how a file is explained.

use std::path::Path;

use seedbed::proto::FileService;
use seedbed_sim::scenario_test;

datatest_stable::harness! {
    { test = holds, root = "scenarios", pattern = r"\.toml$" },
    { test = is_explained, root = "scenarios", pattern = r"\.explained$" },
}

fn holds(file: &Path) -> datatest_stable::Result<()> {
    Ok(scenario_test::holds::<FileService>(file)?)
}

fn is_explained(kept: &Path) -> datatest_stable::Result<()> {
    Ok(scenario_test::is_explained::<FileService>(kept)?)
}
