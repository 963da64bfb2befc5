//! A copy of the working tree in which mistakes are planted; nothing is ever changed in the tree
//! itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Failed;
use super::sweep::Found;

/// The copy, and what it is built into.
pub struct Tree {
    root: PathBuf,
    target: PathBuf,
}

/// The commit of the working tree; behind it `+` if something that is measured differs from it.
pub fn commit() -> Result<String, Failed> {
    let git = |arguments: &[&str]| -> Result<String, Failed> {
        let ran = Command::new("git").args(arguments).output();
        let ran = ran.map_err(|error| format!("git: {error}"))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match ran.status.success() {
            true => Ok(text(&ran.stdout)),
            false => Err(format!("git {}: {}", arguments.join(" "), text(&ran.stderr))),
        }
    };
    let changed = git(&["status", "--porcelain", "--", "src", "sim", "scenarios", "Cargo.lock"])?;
    let hash = git(&["rev-parse", "--short=12", "HEAD"])?;
    Ok(if changed.is_empty() { hash } else { hash + "+" })
}

impl Tree {
    /// Makes the copy what the working tree is now. A file that has not changed is left alone, so
    /// that only what has changed is built.
    pub fn copy() -> Result<Tree, Failed> {
        let at = Path::new("target/mutants");
        fs::create_dir_all(at).map_err(|error| format!("{}: {error}", at.display()))?;
        let at = fs::canonicalize(at).map_err(|error| format!("{}: {error}", at.display()))?;
        let tree = Tree { root: at.join("tree"), target: at.join("build") };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()
            .map_err(|error| format!("git: {error}"))?;
        if !listed.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr)));
        }
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        let files: BTreeSet<&Path> = listed.split_terminator('\0').map(Path::new).collect();
        for file in &files {
            let Ok(bytes) = fs::read(file) else { continue }; // deleted and not committed
            tree.put(file, &bytes)?;
        }
        tree.drop_all_but(&tree.root, &files)?;
        Ok(tree)
    }

    fn put(&self, file: &Path, bytes: &[u8]) -> Result<(), Failed> {
        let to = self.root.join(file);
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let failed = |error| format!("{}: {error}", to.display());
        to.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(&to, bytes).map_err(failed)
    }

    fn drop_all_but(&self, folder: &Path, files: &BTreeSet<&Path>) -> Result<(), Failed> {
        let failed = |error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.strip_prefix(&self.root).expect("the folder is in the tree");
            match path.is_dir() {
                true => self.drop_all_but(&path, files)?,
                false if !files.contains(name) || !name.exists() => {
                    fs::remove_file(&path).map_err(failed)?;
                }
                false => {}
            }
        }
        Ok(())
    }

    /// Puts `new` in the place of `old` in one file until the work is done.
    pub fn with<T>(
        &self,
        file: &Path,
        old: &str,
        new: &str,
        work: impl FnOnce() -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        self.put(file, text.replacen(old, new, 1).as_bytes())?;
        let done = work();
        self.put(file, text.as_bytes())?;
        done
    }

    /// Builds the sweeping program of the copy, as tests are built: a release runs not twice as
    /// fast and takes five times as long to build.
    pub fn build(&self) -> Result<PathBuf, Failed> {
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["test", "--no-run", "--locked", "--test", "mutants", "--quiet"])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        if !built.status.success() {
            return Err(format!("it does not build:\n{}", String::from_utf8_lossy(&built.stderr)));
        }
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let programs = messages.split("\"executable\":\"").skip(1);
        let program = programs.last().and_then(|rest| rest.split('"').next());
        program.map(PathBuf::from).ok_or_else(|| "cargo has named no program".to_owned())
    }

    /// Keeps a program when others are built.
    pub fn keep(&self, program: &Path) -> Result<PathBuf, Failed> {
        let kept = self.target.join("healthy");
        fs::copy(program, &kept).map_err(|error| format!("{}: {error}", kept.display()))?;
        // Programs are started in the folder of the copy.
        std::path::absolute(&kept).map_err(|error| format!("{}: {error}", kept.display()))
    }

    /// Sweeps with such a program; what it finds beside what `healthy` finds. A program that dies
    /// has found something too.
    pub fn sweep(
        &self,
        program: &Path,
        healthy: &Path,
        seeds: u64,
        jobs: usize,
    ) -> Result<Option<Found>, Failed> {
        let swept = Command::new(program)
            .args(["sweep", "--seeds", &format!("0..{seeds}"), "-j", &jobs.to_string()])
            .arg("--healthy")
            .arg(healthy)
            .current_dir(&self.root)
            .output()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let (printed, said) =
            (String::from_utf8_lossy(&swept.stdout), String::from_utf8_lossy(&swept.stderr));
        match swept.status.code() {
            Some(0) => Ok(None),
            Some(1) => Found::of(&printed).map(Some).ok_or_else(|| format!("nothing said: {said}")),
            Some(_) => Err(said.into_owned()),
            None => Ok(Some(Found {
                scenario: "(the process died)".to_owned(),
                seed: 0,
                verdict: "died".to_owned(),
                what: said.lines().next().unwrap_or_default().to_owned(),
            })),
        }
    }
}
