//! Which scenario files a command is given: files, folders, `-` for standard input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::output;
use crate::scenario::{Scenario, ScenarioErrors, text_from, text_of};
use crate::under_test::UnderTest;

/// Standard input.
const STDIN: &str = "-";

/// A scenario, and what its file says.
pub(super) struct Loaded<S: UnderTest> {
    pub scenario: Scenario<S>,
    pub text: String,
}

/// Reads every file, and complains of each that is wrong; none if one is.
pub(super) fn load_all<S: UnderTest>(arguments: &[PathBuf]) -> Option<Vec<Loaded<S>>> {
    let read: Vec<Option<Loaded<S>>> = named_by(arguments).into_iter().map(load_text).collect();
    read.into_iter().collect()
}

/// Reads one file, or complains.
pub(super) fn load_one<S: UnderTest>(argument: &Path) -> Option<Scenario<S>> {
    let is_folder = argument != Path::new(STDIN) && argument.is_dir();
    let message = || format!("{}: a folder, expected one file", argument.display());
    load(if is_folder { Err(message()) } else { Ok(argument.to_owned()) })
}

/// The files that `arguments` name, in their order, or what is wrong with an argument.
pub(super) fn named_by(arguments: &[PathBuf]) -> Vec<Result<PathBuf, String>> {
    let mut is_stdin_taken = false;
    let mut files = Vec::new();
    for argument in arguments {
        if argument == Path::new(STDIN) {
            let again = || format!("{STDIN}: standard input can be read only once");
            files.push(if is_stdin_taken { Err(again()) } else { Ok(argument.clone()) });
            is_stdin_taken = true;
        } else if argument.is_dir() {
            match in_folder(argument) {
                Ok(found) => files.extend(found.into_iter().map(Ok)),
                Err(message) => files.push(Err(format!("{}: {message}", argument.display()))),
            }
        } else {
            files.push(Ok(argument.clone()));
        }
    }
    files
}

/// Reads a file, or complains of it or of the argument that should have named one.
pub(super) fn load<S: UnderTest>(file: Result<PathBuf, String>) -> Option<Scenario<S>> {
    load_text(file).map(|loaded| loaded.scenario)
}

fn load_text<S: UnderTest>(file: Result<PathBuf, String>) -> Option<Loaded<S>> {
    let complain = |line: String| output::complain(&format!("error: {line}"));
    let file = file.map_err(complain).ok()?;
    read(&file).map_err(|errors| errors.lines().for_each(complain)).ok()
}

fn read<S: UnderTest>(file: &Path) -> Result<Loaded<S>, ScenarioErrors> {
    let text = match file == Path::new(STDIN) {
        true => text_from(STDIN, io::stdin().lock()),
        false => text_of(file),
    }?;
    Ok(Loaded { scenario: Scenario::parse(&file.display().to_string(), &text)?, text })
}

/// The scenario files in a folder and below, in the order of names. Links to folders are not
/// followed: they may lead in a circle.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let inside = entries(&folder).map_err(|error| format!("not read: {error}"))?;
        for (path, is_folder) in inside {
            if is_folder {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "toml") && path.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() { Err("no `*.toml` in it or below".to_owned()) } else { Ok(files) }
}

/// What lies in a folder, and whether that is a folder.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
    let entry = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?.is_dir()))
    };
    fs::read_dir(folder)?.map(entry).collect()
}
