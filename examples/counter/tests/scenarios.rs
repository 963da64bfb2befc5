use std::path::Path;

use counter::Counter;
use datatest_stable::Result;
use seedbed_sim::scenario_test;

datatest_stable::harness! {
    { test = holds, root = "scenarios", pattern = r"\.toml$" },
    { test = is_explained, root = "scenarios", pattern = r"\.explained$" },
}

fn holds(file: &Path) -> Result<()> {
    Ok(scenario_test::holds::<Counter>(file)?)
}

fn is_explained(file: &Path) -> Result<()> {
    Ok(scenario_test::is_explained::<Counter>(file)?)
}
