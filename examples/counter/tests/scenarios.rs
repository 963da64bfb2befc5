use std::path::Path;

use counter::Counter;
use seedbed_sim::scenario_test;

datatest_stable::harness! {
    { test = holds, root = "scenarios", pattern = r"\.toml$" },
}

fn holds(file: &Path) -> datatest_stable::Result<()> {
    Ok(scenario_test::holds::<Counter>(file)?)
}
