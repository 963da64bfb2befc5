//! Where artifacts are kept, and how many.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// A folder of artifacts. It is bounded: when one is put in and there are more than
/// [`Folder::MOST`], or more than [`Folder::MOST_BYTES`], the oldest go. What is no artifact stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// Names a folder; empty for none.
const VARIABLE: &str = "SEEDBED_ARTIFACTS";

impl Folder {
    /// How many artifacts a folder has at most.
    pub const MOST: usize = 200;

    /// How many bytes they have together at most; the newest stays whatever its size.
    pub const MOST_BYTES: u64 = 256 << 20;

    /// The folder at `path`, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// The folder that the environment names: `SEEDBED_ARTIFACTS`, and none if that is empty; else
    /// `seedbed` in the target folder of Cargo. That is `CARGO_TARGET_DIR`, or the nearest one at
    /// or above the current folder, or `target`.
    pub fn of_environment() -> Option<Folder> {
        match env::var_os(VARIABLE) {
            Some(named) if named.is_empty() => None,
            Some(named) => Some(Folder::at(named)),
            None => Some(Folder(target().join("seedbed"))),
        }
    }

    /// Where the file `name` would be.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Puts a file in. Its reader sees all of it or nothing: it is written under another name.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn put(&self, name: &str, text: &str) -> io::Result<PathBuf> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(&self.0)?;
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let draft = self.path_of(&format!("{name}.{process}-{count}.tmp"));
        let path = self.path_of(name);
        let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        self.bound(&path);
        Ok(path)
    }

    /// Takes the oldest artifacts out, but not the one at `newest`. If that fails, so be it: the
    /// next one that is put in tries again.
    fn bound(&self, newest: &Path) {
        let Ok(entries) = fs::read_dir(&self.0) else { return };
        let mut files: Vec<Kept> = entries.filter_map(|entry| Kept::of(&entry.ok()?)).collect();
        files.sort_by(|one, other| other.cmp(one));
        let mut bytes = 0;
        for (place, file) in files.iter().enumerate() {
            bytes += file.bytes;
            let is_too_much = place >= Self::MOST || bytes > Self::MOST_BYTES;
            if is_too_much && file.path != newest {
                let _ = fs::remove_file(&file.path);
            }
        }
    }
}

/// An artifact of the folder, or the draft of one that a process has left behind.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    changed: SystemTime,
    path: PathBuf,
    bytes: u64,
}

impl Kept {
    fn of(entry: &DirEntry) -> Option<Kept> {
        if !is_name(&entry.file_name()) {
            return None;
        }
        let data = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some(Kept { changed: data.modified().ok()?, path: entry.path(), bytes: data.len() })
    }
}

/// Is this a name that artifacts or their drafts have?
fn is_name(name: &OsStr) -> bool {
    let Some((name, rest)) = name.to_str().and_then(|name| name.rsplit_once(".jsonl")) else {
        return false;
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let has_number = name.rsplit_once('-').is_some_and(|(front, number)| {
        let is_hex = number.len() == 8 && number.bytes().all(|it| it.is_ascii_hexdigit());
        is_hex && front.rsplit_once("-seed").is_some_and(|(_, seed)| is_digits(seed))
    });
    has_number && (rest.is_empty() || rest.ends_with(".tmp"))
}

/// The folder into which Cargo builds.
fn target() -> PathBuf {
    if let Some(named) = env::var_os("CARGO_TARGET_DIR").filter(|named| !named.is_empty()) {
        return named.into();
    }
    let here = env::current_dir().unwrap_or_default();
    let mut targets = here.ancestors().map(|folder| folder.join("target"));
    let found = targets.find(|target| target.join("CACHEDIR.TAG").is_file());
    // As short as it can be said here.
    let is_here = |found: &PathBuf| found.parent() == Some(&here);
    found.filter(|found| !is_here(found)).unwrap_or_else(|| "target".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_artifacts_and_their_drafts_are_ever_taken_out() {
        for name in [
            "files-seed4-0123abcd.jsonl",
            "a-seed1-b-seed18446744073709551615-0123abcd.jsonl",
            "files-seed4-0123abcd.jsonl.77-3.tmp",
        ] {
            assert!(is_name(OsStr::new(name)), "{name}");
        }
        for name in [
            "files-seed4.jsonl",
            "files-0123abcd.jsonl",
            "files-seedx-0123abcd.jsonl",
            "files-seed4-0123abcd.json",
            "files-seed4-0123abcd.jsonl.bak",
            "history.jsonl",
        ] {
            assert!(!is_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_and_nothing_else_does() {
        let path = tempfile::tempdir().unwrap();
        let path = path.path();
        let folder = Folder::at(path);
        let name = |seed: usize| format!("files-seed{seed}-0123abcd.jsonl");
        folder.put(&name(0), "the first").unwrap();
        fs::write(path.join("notes.txt"), "mine").unwrap();
        let old = SystemTime::now() - std::time::Duration::from_secs(60);
        fs::File::open(folder.path_of(&name(0))).unwrap().set_modified(old).unwrap();
        for seed in 1..=Folder::MOST {
            folder.put(&name(seed), "another").unwrap();
        }
        let left: Vec<_> = fs::read_dir(path).unwrap().map(|it| it.unwrap().file_name()).collect();
        assert_eq!(left.len(), Folder::MOST + 1);
        assert!(path.join("notes.txt").is_file() && !folder.path_of(&name(0)).exists());
        let large = fs::File::create(folder.path_of(&name(1))).unwrap();
        large.set_len(Folder::MOST_BYTES).unwrap();
        folder.put(&name(2), "the newest").unwrap();
        assert_eq!(fs::read_to_string(folder.path_of(&name(2))).unwrap(), "the newest");
        assert!(!folder.path_of(&name(1)).exists(), "more bytes than there may be");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let folder = Folder::at(file.path().join("below"));
        assert!(folder.put("a-seed1-0123abcd.jsonl", "").is_err());
    }
}
