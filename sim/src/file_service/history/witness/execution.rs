//! What transactions do to files and are told of it: only their effects, because a transaction with
//! a point has passed every condition that it was asked under.

/// One operation of a request, on files `P` that contain `V`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation<P, V> {
    /// Reads a file.
    Read(P),
    /// Replaces a file's contents, or makes the file.
    Write(P, V),
    /// Deletes a file.
    Delete(P),
    /// Moves the contents of the first file to the second.
    Rename(P, P),
    /// Leaves contents and version as they are, and is told the version as that of a change.
    Touch(P),
}

/// What one operation is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<V> {
    /// What a read found: the version, and the contents if there is a file.
    Found(u64, Option<V>),
    /// The version after a change.
    Changed(u64),
}

/// A file's state, as far as it is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State<V> {
    /// The version; `None` if it is uncertain.
    pub version: Option<u64>,
    /// The contents, `Some(None)` if there is no file; `None` if they are uncertain.
    pub contents: Option<Option<V>>,
}

/// A file that was never written has version 0 and no contents.
impl<V> Default for State<V> {
    fn default() -> Self {
        State { version: Some(0), contents: Some(None) }
    }
}

impl<V> State<V> {
    /// A state of which nothing is certain.
    pub const UNCERTAIN: State<V> = State { version: None, contents: None };

    pub(super) fn is_certain(&self) -> bool {
        self.version.is_some() && self.contents.is_some()
    }

    fn next(&self, contents: Option<Option<V>>) -> State<V> {
        State { version: self.version.map(|version| version + 1), contents }
    }
}

impl<V: PartialEq> State<V> {
    /// May a read of it be told this?
    pub(super) fn is_found_by(&self, told: &Outcome<V>) -> bool {
        let Outcome::Found(version, contents) = told else { return false };
        self.version.is_none_or(|expected| expected == *version)
            && self.contents.as_ref().is_none_or(|expected| expected == contents)
    }
}

/// What an operation must be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expected<V> {
    Found(State<V>),
    Changed(Option<u64>),
}

impl<V: Clone + PartialEq> Expected<V> {
    /// May the operation be told this?
    pub fn allows(&self, told: &Outcome<V>) -> bool {
        match (self, told) {
            (Expected::Found(state), told) => state.is_found_by(told),
            (Expected::Changed(expected), Outcome::Changed(version)) => {
                expected.is_none_or(|expected| expected == *version)
            }
            (Expected::Changed(_), Outcome::Found(..)) => false,
        }
    }

    /// The outcome, if all of it is certain.
    pub fn certain(&self) -> Option<Outcome<V>> {
        match self {
            Expected::Found(State { version, contents }) => {
                Some(Outcome::Found((*version)?, contents.clone()?))
            }
            Expected::Changed(version) => version.map(Outcome::Changed),
        }
    }
}

impl<P, V> Operation<P, V> {
    /// The file that it is on; for a rename the source.
    pub fn path(&self) -> &P {
        match self {
            Operation::Read(path) | Operation::Write(path, _) | Operation::Delete(path) => path,
            Operation::Rename(path, _) | Operation::Touch(path) => path,
        }
    }
}

/// The answer to some operations.
#[derive(Clone, Debug)]
pub(super) struct Executed<P, V> {
    /// What each must be told.
    pub expected: Vec<Expected<V>>,
    /// The last state of each file that they change.
    pub changed: Vec<(P, State<V>)>,
}

/// Executes `operations` one after the other, each on what those before it have left.
pub(super) fn execute<P: Clone + PartialEq, V: Clone>(
    operations: &[Operation<P, V>],
    current: impl Fn(&P) -> State<V>,
) -> Executed<P, V> {
    let mut changed: Vec<(P, State<V>)> = Vec::new();
    let mut expected = Vec::with_capacity(operations.len());
    for operation in operations {
        let now = |path: &P| {
            let own = changed.iter().find(|(other, _)| other == path);
            own.map_or_else(|| current(path), |(_, state)| state.clone())
        };
        let (changes, outcome): (Vec<(&P, State<V>)>, _) = match operation {
            Operation::Read(path) => (vec![], Expected::Found(now(path))),
            Operation::Touch(path) => (vec![], Expected::Changed(now(path).version)),
            Operation::Write(path, contents) => {
                let next = now(path).next(Some(Some(contents.clone())));
                let version = next.version;
                (vec![(path, next)], Expected::Changed(version))
            }
            Operation::Delete(path) => {
                let next = now(path).next(Some(None));
                let version = next.version;
                (vec![(path, next)], Expected::Changed(version))
            }
            Operation::Rename(from, to) => {
                let source = now(from);
                let next = now(to).next(source.contents.clone());
                let version = next.version;
                (vec![(from, source.next(Some(None))), (to, next)], Expected::Changed(version))
            }
        };
        for (path, state) in changes {
            match changed.iter_mut().find(|(other, _)| other == path) {
                Some((_, known)) => *known = state,
                None => changed.push((path.clone(), state)),
            }
        }
        expected.push(outcome);
    }
    Executed { expected, changed }
}
