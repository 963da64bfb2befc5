//! One test for each scenario of the example, and one for each explanation that is kept.
//!
//! With `UPDATE_EXPECT` set to anything, explanations are written into the files.

#[allow(dead_code)]
mod protocol;
mod testbed;

use std::path::Path;

use protocol::Register;
use seedbed_sim::scenario::Scenario;
use seedbed_sim::scenario::tables::tables;
use seedbed_sim::scenario_test::{self, Failure};

datatest_stable::harness! {
    { test = holds, root = "../examples/primary_backup/scenarios", pattern = r"\.toml$" },
    { test = examples_are_read, root = "../examples/primary_backup/scenarios", pattern = r"^the_primary_crashes\.toml$" },
    { test = is_explained, root = "../examples/primary_backup/scenarios", pattern = r"\.explained$" },
}

fn holds(file: &Path) -> datatest_stable::Result<()> {
    scenario_test::holds::<Register>(file).map_err(|Failure(why)| Failure(from_the_root(&why)))?;
    Ok(())
}

/// Tests run in the folder of their package, commands in that of the workspace.
fn from_the_root(text: &str) -> String {
    text.replace("../examples/", "examples/")
}

/// The examples of the reference are read, each in place of what this scenario says there.
fn examples_are_read(file: &Path) -> datatest_stable::Result<()> {
    let scenario: toml::Table = std::fs::read_to_string(file)?.parse()?;
    for table in tables::<Register>() {
        let mut scenario = scenario.clone();
        scenario.remove("expect");
        scenario.extend(table.example.parse::<toml::Table>()?);
        let text = toml::to_string(&scenario)?;
        Scenario::<Register>::parse(table.name, &text)?;
    }
    Ok(())
}

/// What `run` prints of the scenario beside `file` is what stands there.
fn is_explained(file: &Path) -> datatest_stable::Result<()> {
    let scenario = file.with_extension("toml");
    let name = from_the_root(&scenario.display().to_string());
    let scenario = Scenario::<Register>::parse(&name, &std::fs::read_to_string(scenario)?)?;
    let explained = scenario_test::explained(&scenario);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(file, &explained)?;
    }
    if std::fs::read_to_string(file)? == explained {
        return Ok(());
    }
    Err(Failure(format!("with `UPDATE_EXPECT=1` the file would say:\n{explained}")).into())
}
