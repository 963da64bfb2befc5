//! Which build has written an artifact.

use std::fmt;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Hex;

/// A build of a command, or of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// The version of the testbed.
    pub version: String,
    /// `debug` or `release`.
    pub profile: String,
    /// The xxh3-64 of the bytes of the executable; nothing if they cannot be read any more.
    pub executable: Option<Hex>,
}

impl Build {
    /// The build that is running. The first call reads the executable, some 100 MiB where it has
    /// information for a debugger.
    pub fn this() -> &'static Build {
        static THIS: OnceLock<Build> = OnceLock::new();
        THIS.get_or_init(|| {
            let executable = std::env::current_exe().and_then(std::fs::read).ok();
            Build {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                profile: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
                executable: executable.map(|bytes| Hex(xxhash_rust::xxh3::xxh3_64(&bytes))),
            }
        })
    }
}

impl fmt::Display for Build {
    /// `0.1.0 (release, executable 9f2c1b7e00d34a51)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Build { version, profile, executable } = self;
        match executable {
            Some(executable) => write!(f, "{version} ({profile}, executable {executable})"),
            None => write!(f, "{version} ({profile})"),
        }
    }
}
