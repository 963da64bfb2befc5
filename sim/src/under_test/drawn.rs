//! Users of the simplest kind: they draw each request by itself, whatever was answered before.

use seedbed::machine::{NodeId, Span};

use super::{UnderTest, User};
use crate::quantity::SpanRange;
use crate::scenario::Scenario;
use crate::scenario::reading::{Key, Result, Style, Table, TableGrammar};
use crate::seed::{Seed, Stream, code};

/// A system whose users draw each request by itself.
pub trait DrawsRequests: UnderTest<Workload = Drawn> {
    /// What a user asks for next.
    fn draw(stream: &mut Stream) -> Self::Request;
}

/// `[workload]` of such a system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Drawn {
    /// Requests of all clients together.
    operations: u32,
    /// From an answer to the next request of a user.
    think: SpanRange,
}

impl Drawn {
    /// What the table may say.
    pub const TABLE: TableGrammar = TableGrammar {
        name: "workload",
        style: Style::Single,
        meaning: "what clients ask for, drawn from the seed; each has one user",
        keys: &[
            Key::usually(
                "operations",
                "whole number, 1 to 10000000",
                "200",
                "requests of all clients together",
            ),
            Key::usually(
                "think",
                "range of durations",
                "[\"0ms\", \"50ms\"]",
                "from an answer to the next request of a user",
            ),
        ],
        forms: &[],
        notes: &["A file has a `[workload]`, a `[[script]]` or both."],
        example: "[workload]\noperations = 500\nthink = [\"0ms\", \"200ms\"]\n",
    };

    /// Reads the table `[workload]`; `None` if `file` has none.
    ///
    /// # Errors
    /// A key or a value of it is wrong; it has been noted with its line.
    pub fn read(file: &Table<'_>) -> Result<Option<Drawn>> {
        file.maybe("workload", |value| {
            let table = value.table(&Drawn::TABLE)?;
            let operations = table.or("operations", 200, |value| value.integer(1..=10_000_000));
            let think = table.or("think", SpanRange::from_millis(0, 50), |value| value.spans());
            Ok(Drawn { operations: operations?, think: think? })
        })
    }
}

/// A user that draws each request by itself.
#[derive(Clone, Debug)]
pub struct DrawingUser {
    think: SpanRange,
    /// Requests that may still be made.
    left: u32,
    stream: Stream,
}

impl DrawingUser {
    fn next<S: DrawsRequests>(&mut self) -> Option<(Span, S::Request)> {
        self.left = self.left.checked_sub(1)?;
        Some((self.stream.span(self.think), S::draw(&mut self.stream)))
    }
}

impl<S: DrawsRequests> User<S> for DrawingUser {
    fn per_client(_workload: &Drawn) -> u16 {
        1
    }

    fn new(
        workload: &Drawn,
        scenario: &Scenario<S>,
        seed: Seed,
        (client, _): (NodeId, u16),
    ) -> DrawingUser {
        let clients = u32::from(scenario.cast.clients);
        let rest = u32::from(u32::from(client.number()) <= workload.operations % clients);
        let left = workload.operations / clients + rest;
        let stream = seed.stream("user", code(client).into());
        DrawingUser { think: workload.think, left, stream }
    }

    fn begin(&mut self) -> Option<(Span, S::Request)> {
        self.next::<S>()
    }

    fn on_reply(&mut self, _reply: &S::Reply) -> Option<(Span, S::Request)> {
        self.next::<S>()
    }

    fn stop(&mut self) {
        self.left = 0;
    }
}
