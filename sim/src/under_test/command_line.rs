//! How the command of a system is called.

/// How the command of a system is called, and what its help shows.
#[derive(Clone, Copy, Debug)]
pub struct CommandLine {
    /// What is typed in front of the arguments: `seedbed`, `cargo run --`.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// A folder with scenario files, for the examples of the help.
    pub folder: &'static str,
    /// A scenario file, for the examples of the help.
    pub file: &'static str,
    /// A request as a script says it, for the examples of the reference: `write = "x"`.
    pub request: &'static str,
    /// What its help says of `run --history`; empty where nothing writes a history down. Here and
    /// below `{command}` and `{file}` stand for the two above.
    pub history: &'static str,
    /// What its help says of `check --owners`; empty where [`UnderTest::owners`] has nothing.
    ///
    /// [`UnderTest::owners`]: super::UnderTest::owners
    pub owners: &'static str,
}

impl CommandLine {
    /// A command without a history and without owners.
    pub const fn new(
        name: &'static str,
        about: &'static str,
        folder: &'static str,
        file: &'static str,
        request: &'static str,
    ) -> CommandLine {
        CommandLine { name, about, folder, file, request, history: "", owners: "" }
    }
}
