//! Histories that are drawn: valid ones by executing requests at their points, broken ones by
//! changing a valid one in exactly one place.

use std::collections::BTreeMap;

use super::brute_force::{MOST_REQUESTS, is_linearizable};
use super::{Event, Id, Op, Operation, Outcome, Told, check};
use crate::file_service::history::witness::State;
use crate::file_service::history::witness::execution::{Executed, execute};
use crate::seed::{Seed, Stream};

const HISTORIES: u64 = 2_000;

/// A request, and its outcomes once it has happened.
type Open = (Vec<Op>, Option<Vec<Outcome<u8>>>);

/// Every second history has five requests or more open at once, every third is about one file.
struct Draw {
    stream: Stream,
    at_once: usize,
    files: u64,
    history: Vec<Event>,
    open: BTreeMap<Id, Open>,
    states: BTreeMap<u8, State<u8>>,
    next: Id,
}

fn valid(number: u64) -> Draw {
    let stream = Seed(number).stream("history", 0);
    let at_once = if number.is_multiple_of(2) { 5 } else { 3 };
    let files = if number.is_multiple_of(3) { 1 } else { 3 };
    let (history, open, states) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let mut draw = Draw { stream, at_once, files, history, open, states, next: 0 };
    draw.run();
    draw
}

impl Draw {
    /// Requests are asked until enough are open at once; then one thing happens after the other.
    fn run(&mut self) {
        while self.next < MOST_REQUESTS || !self.open.is_empty() {
            let may_ask = self.next < MOST_REQUESTS && self.open.len() < self.at_once + 1;
            let must_ask = may_ask && self.next < self.at_once;
            match self.stream.below(3) {
                _ if must_ask => self.ask(),
                0 if may_ask => self.ask(),
                1 => self.happens(),
                _ => self.tell(),
            }
            if self.stream.below(60) == 0 && self.next == MOST_REQUESTS {
                return; // what is open stays so
            }
        }
    }

    fn path(&mut self) -> u8 {
        self.stream.below(self.files) as u8
    }

    fn operation(&mut self) -> Op {
        let path = self.path();
        match self.stream.below(8) {
            0..=3 => Operation::Read(path),
            4 | 5 => Operation::Write(path, self.stream.below(3) as u8),
            6 => Operation::Delete(path),
            _ if self.files > 1 => Operation::Rename(path, (path + 1) % self.files as u8),
            _ => Operation::Touch(path),
        }
    }

    fn ask(&mut self) {
        let many = if self.stream.below(3) == 0 { 2 } else { 1 };
        let operations: Vec<Op> = (0..many).map(|_| self.operation()).collect();
        self.open.insert(self.next, (operations.clone(), None));
        self.history.push(Event::Asked(self.next, operations));
        self.next += 1;
    }

    /// An open request happens; what only reads has a point now and then.
    fn happens(&mut self) {
        let waiting: Vec<Id> = self.open.iter().filter(|o| o.1.1.is_none()).map(|o| *o.0).collect();
        let Some(&id) = self.stream.pick(&waiting) else { return };
        let (operations, outcomes) = self.open.get_mut(&id).expect("it is open");
        let states = &self.states;
        let current = |path: &u8| states.get(path).cloned().unwrap_or_default();
        let Executed { expected, changed } = execute(operations, current);
        let all = expected.iter().map(|expected| expected.certain().expect("all is certain"));
        *outcomes = Some(all.collect());
        self.states.extend(changed);
        let only_reads = operations.iter().all(|op| matches!(op, Operation::Read(_)));
        if !only_reads || self.stream.below(4) == 0 {
            self.history.push(Event::Point(id));
        }
    }

    /// An open request is told its outcome; one that is told `unknown` may happen later.
    fn tell(&mut self) {
        let open: Vec<Id> = self.open.keys().copied().collect();
        let Some(&id) = self.stream.pick(&open) else { return };
        let is_told =
            self.history.iter().any(|event| matches!(event, Event::Told(of, _) if *of == id));
        let told = match (&self.open[&id].1, self.stream.below(10)) {
            _ if is_told => {
                self.open.remove(&id);
                return;
            }
            (_, 0) => return self.history.push(Event::Told(id, Told::Unknown)),
            (Some(outcomes), _) => Told::Done(outcomes.clone()),
            (None, 1) => Told::Refused,
            (None, _) => return,
        };
        self.open.remove(&id);
        self.history.push(Event::Told(id, told));
    }

    /// Changes one place; `None` where this history has no such place.
    fn broken(&mut self) -> Option<Vec<Event>> {
        let mut history = self.history.clone();
        let places: Vec<usize> = (0..history.len()).collect();
        let &place = self.stream.pick(&places)?;
        match &mut history[place] {
            Event::Asked(..) => return None,
            // A point moves, comes twice, or is missing.
            Event::Point(_) => {
                let point = history[place].clone();
                match self.stream.below(3) {
                    0 => history.insert(place, point),
                    1 => drop(history.remove(place)),
                    _ => {
                        let to = self.stream.below(history.len() as u64) as usize;
                        history.remove(place);
                        history.insert(to, point);
                    }
                }
            }
            Event::Told(id, told) => {
                let id = *id;
                match (self.stream.below(4), &mut *told) {
                    (0, told @ Told::Done(_)) => *told = Told::Refused,
                    (1, Told::Done(_)) => {
                        // It is told as soon as it is asked.
                        let early = history.remove(place);
                        let asked = |e: &Event| matches!(e, Event::Asked(of, _) if *of == id);
                        let asked = history.iter().position(asked)?;
                        history.insert(asked + 1, early);
                    }
                    (_, Told::Done(outcomes)) => {
                        let at = self.stream.below(outcomes.len() as u64) as usize;
                        match &mut outcomes[at] {
                            Outcome::Found(version, contents) => match self.stream.below(3) {
                                0 => *contents = Some(9),
                                1 => *version += 1,
                                // The state of another moment, if versions and contents are right.
                                _ => *version = version.checked_sub(1)?,
                            },
                            Outcome::Changed(version) => *version += 1,
                        }
                    }
                    (_, Told::Refused | Told::Unknown) => return None,
                }
            }
        }
        (history != self.history).then_some(history)
    }
}

/// What a read found becomes what another read of the history found: a real state, but perhaps one
/// of another moment.
fn with_another_state(draw: &mut Draw) -> Option<Vec<Event>> {
    let mut history = draw.history.clone();
    let reads: Vec<(usize, u8, Outcome<u8>)> = (0..history.len())
        .filter_map(|place| {
            let Event::Told(id, Told::Done(outcomes)) = &history[place] else { return None };
            let asked = history.iter().find_map(|event| match event {
                Event::Asked(of, operations) if of == id => Some(operations),
                Event::Asked(..) | Event::Point(_) | Event::Told(..) => None,
            })?;
            match (&asked[..], &outcomes[..]) {
                ([Operation::Read(path)], [found]) => Some((place, *path, found.clone())),
                _ => None,
            }
        })
        .collect();
    let (place, path, found) = draw.stream.pick(&reads)?.clone();
    let others: Vec<_> = reads.iter().filter(|read| read.1 == path && read.2 != found).collect();
    let other = draw.stream.pick(&others)?;
    if let Event::Told(_, told) = &mut history[place] {
        *told = Told::Done(vec![other.2.clone()]);
    }
    Some(history)
}

fn most_at_once(history: &[Event]) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for event in history {
        match event {
            Event::Asked(..) => open += 1,
            Event::Told(..) => open -= 1,
            Event::Point(_) => {}
        }
        most = most.max(open);
    }
    most
}

#[test]
fn the_checker_is_never_wrong_where_a_search_decides() {
    let (mut busy, mut contended) = (0, 0);
    let (mut broken, mut unlinearizable, mut wrong_witness) = (0, 0, 0);
    for number in 0..HISTORIES {
        let mut draw = valid(number);
        let history = &draw.history;
        busy += u64::from(most_at_once(history) >= 5);
        contended += u64::from(draw.files == 1);
        assert_eq!(check(history), Ok(()), "history {number}: {history:#?}");
        assert!(is_linearizable(history), "history {number}: {history:#?}");
        let tries = std::iter::repeat_with(|| draw.broken()).take(4).flatten().collect::<Vec<_>>();
        for history in tries.into_iter().chain(with_another_state(&mut draw)) {
            broken += 1;
            let (accepted, is_linearizable) = (check(&history), is_linearizable(&history));
            unlinearizable += u64::from(!is_linearizable);
            wrong_witness += u64::from(is_linearizable && accepted.is_err());
            assert!(
                is_linearizable || accepted.is_err(),
                "history {number} is accepted and has no linearization: {history:#?}"
            );
        }
    }
    assert!(busy * 2 >= HISTORIES && contended * 3 >= HISTORIES, "{busy} {contended}");
    let broken_enough = unlinearizable >= 1_000 && wrong_witness >= 1_000;
    assert!(broken_enough, "{broken} broken, {unlinearizable} {wrong_witness}");
}
