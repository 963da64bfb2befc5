//! Where `--history` writes to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::output::{Output, complain};
use crate::under_test::{UnderTest, WrittenHistory};
use crate::world::{Step, Watcher, World};

/// A file that takes a history, or standard output.
pub(super) enum HistoryFile {
    Stdout,
    File(PathBuf, File),
}

/// It watches only if it is wanted.
impl<S: UnderTest> Watcher<S> for Option<Box<dyn WrittenHistory<S>>> {
    fn watch(&mut self, world: &World<S>, step: &Step<S>) {
        if let Some(history) = self {
            history.watch(world, step);
        }
    }
}

impl HistoryFile {
    /// Opens a file before anything is run, or complains. What is in the file stays there until the
    /// history is written.
    pub fn open(path: &Path) -> Option<HistoryFile> {
        if path == Path::new("-") {
            return Some(HistoryFile::Stdout);
        }
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let opened = opened.map_err(|error| not_written(path, &error)).ok()?;
        Some(HistoryFile::File(path.to_owned(), opened))
    }

    pub fn is_stdout(&self) -> bool {
        matches!(self, HistoryFile::Stdout)
    }

    /// Writes the history; says whether all of it is in the file, and complains if not.
    pub fn write<S: UnderTest>(
        self,
        history: &mut dyn WrittenHistory<S>,
        output: &mut Output,
    ) -> io::Result<bool> {
        match self {
            HistoryFile::Stdout => {
                let mut lines = Vec::new();
                history.write(&mut lines)?;
                let text = String::from_utf8_lossy(&lines);
                text.lines().try_for_each(|line| output.line(line)).map(|()| true)
            }
            HistoryFile::File(path, file) => {
                let written = replace(file, history);
                Ok(written.map_err(|error| not_written(&path, &error)).is_ok())
            }
        }
    }
}

fn replace<S: UnderTest>(mut file: File, history: &mut dyn WrittenHistory<S>) -> io::Result<()> {
    // A device or a pipe has no length.
    if file.metadata()?.is_file() {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
    }
    history.write(&mut BufWriter::new(file))
}

fn not_written(path: &Path, error: &io::Error) {
    complain(&format!("error: --history {}: not written: {error}", path.display()));
}
