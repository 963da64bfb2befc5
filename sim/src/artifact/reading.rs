//! The bytes of a file as an artifact, or what is wrong with them.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::{Artifact, Closing, Header, Hex, RecordedStep, ScenarioText, VERSION};

/// The longest file that is read, in bytes: none that is written is as long.
pub const LONGEST: u64 = 64 << 20;

/// What every artifact begins with.
const BEGIN: &[u8] = b"{\"seedbed_artifact\":";

/// Why a file is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The name of the file.
    pub file: String,
    /// The line that is wrong, counted from 1, if it is one.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for Unreadable {}

impl Artifact {
    /// Does the file at `path` begin as an artifact does? A scenario file does not.
    pub fn is_at(path: &Path) -> bool {
        let mut begin = Vec::new();
        let length = BEGIN.len() as u64;
        let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut begin));
        read.is_ok() && begin == BEGIN
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or as for [`Artifact::parse`].
    pub fn load(path: &Path) -> Result<Artifact, Unreadable> {
        let name = path.display().to_string();
        let unread = |error| of_file(&name, format!("not read: {error}"));
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unread)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
        if bytes.len() as u64 > LONGEST {
            return Err(of_file(&name, format!("longer than {LONGEST} bytes, not read")));
        }
        Artifact::parse(&name, &bytes)
    }

    /// Reads `bytes`, the contents of the file `name`.
    ///
    /// # Errors
    /// It is no artifact, is of another version, or was cut or changed after it was written.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Artifact, Unreadable> {
        Lines::new(name, bytes)?.artifact()
    }
}

fn of_file(name: &str, what: impl Into<String>) -> Unreadable {
    Unreadable { file: name.to_owned(), line: None, what: what.into() }
}

/// The lines of a file that is an artifact of a version that is read.
struct Lines<'a> {
    name: &'a str,
    bytes: &'a [u8],
    lines: Vec<&'a [u8]>,
}

/// The lines that have a number have one of these forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Numbered {
    Step(RecordedStep),
    Closing(Closing),
}

impl<'a> Lines<'a> {
    fn new(name: &'a str, bytes: &'a [u8]) -> Result<Lines<'a>, Unreadable> {
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let this = Lines { name, bytes, lines };
        let is_not = || of_file(name, "not an artifact: its first line has no `seedbed_artifact`");
        let first = this.lines.first().ok_or_else(is_not)?;
        let header = serde_json::from_slice::<Value>(first).ok();
        if header.is_none() && first.starts_with(BEGIN) {
            return this.parsed::<Value>(0).and_then(|_| Err(is_not()));
        }
        let version = header.as_ref().and_then(|header| header.get("seedbed_artifact"));
        match version.ok_or_else(is_not)? {
            version if *version == VERSION => Ok(this),
            other => Err(this.wrong(
                0,
                format!("format {other} of artifacts; this build reads format {VERSION}"),
            )),
        }
    }

    fn artifact(&self) -> Result<Artifact, Unreadable> {
        let header: Header = self.parsed(0)?;
        let ScenarioText { scenario } = self.parsed(1)?;
        let mut steps: Vec<RecordedStep> = Vec::new();
        for place in 2.. {
            match self.parsed(place)? {
                Numbered::Closing(closing) => {
                    self.must_close(place, &closing)?;
                    break;
                }
                Numbered::Step(step) => steps.push(step),
            }
        }
        let is_sorted = steps.is_sorted_by(|one, next| one.step < next.step);
        let is_sound = is_sorted && steps.iter().rev().skip(1).all(|step| step.digest.is_some());
        if !is_sound {
            return Err(of_file(self.name, "corrupt: its steps make no run"));
        }
        Ok(Artifact { header, scenario, steps })
    }

    /// The line at `place`, counted from 0.
    fn parsed<T: DeserializeOwned>(&self, place: usize) -> Result<T, Unreadable> {
        let cut = || self.wrong(place, "cut: the file ends before its last line");
        let line = self.lines.get(place).ok_or_else(cut)?;
        if !line.ends_with(b"\n") {
            return Err(self.wrong(place, "cut: the file ends within this line"));
        }
        serde_json::from_slice(line)
            .map_err(|_| self.wrong(place, "corrupt: no such line is written"))
    }

    fn must_close(&self, place: usize, closing: &Closing) -> Result<(), Unreadable> {
        if self.lines.len() > place + 1 {
            return Err(self.wrong(place + 1, "corrupt: something follows the last line"));
        }
        let above = self.bytes.len() - self.lines[place].len();
        let checksum = Hex(xxh3_64(&self.bytes[..above]));
        if (closing.lines, closing.xxh3) != (place as u64, checksum) {
            let what = format!(
                "corrupt: the {place} lines above were changed, their checksum is {checksum}"
            );
            return Err(self.wrong(place, what));
        }
        Ok(())
    }

    fn wrong(&self, place: usize, what: impl Into<String>) -> Unreadable {
        Unreadable { line: Some(place + 1), ..of_file(self.name, what) }
    }
}
