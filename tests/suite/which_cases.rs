//! What a run of the tests covers: which scenario files, and all cases or a sample.

use std::path::PathBuf;

/// Every scenario file below `folder`, in the order of names.
pub fn scenario_files(folder: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Are all cases to be tested, as in `.ci/run`, and not a sample of them?
pub fn is_whole() -> bool {
    std::env::var_os("SEEDBED_TEST_WHOLE").is_some()
}
