//! Mistakes, each made once in a run in which everything is right.
//!
//! A healthy run is written down and shown to a new oracle step by step, with one step told
//! otherwise than it was: as it would have been, had somebody made the mistake. Where what is wrong
//! is in what a user asks for, the run is made anew with that. [`MUTATIONS`] is the whole list;
//! `tests/catalogue.rs` holds it against the invariants that no scenario file shows to fail.

#![allow(dead_code, reason = "the catalogue wants to know only what there is")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use seedbed::proto::{
    Action, Answer, Arcs, AttemptEnd, Changes, Config, Contents, Epoch, File, Header, LowWater,
    Member, Message, NodeId, Operation, Outcome, Record, Reply, Request, RequestId, Retry, Span,
    Time, Version, Vote,
};
use seedbed_sim::oracle::{Model, Oracle, Violation, single_read};
use seedbed_sim::run;
use seedbed_sim::scenario::Scenario;
use seedbed_sim::verdict::Verdict;
use seedbed_sim::world::{Clock, Event, Fact, PacketId, Step, World};

/// A mistake and the invariant that sees it.
pub struct Mutation {
    /// The name of the invariant.
    pub violates: &'static str,
    /// What goes wrong, in one line.
    pub mistake: &'static str,
    /// The healthy run, as a scenario file.
    scenario: &'static str,
    /// What is made of it.
    change: Change,
}

enum Change {
    /// The oracle is told otherwise of the first step for which this says that it was.
    Step(fn(&Model, &mut Shown<'_>) -> bool),
    /// The run is over after the first step for which this says so, whatever was still to come.
    End(fn(&Step) -> bool),
    /// The last user in the script asks for something else.
    Request(fn(&mut Request)),
}

/// What the oracle is shown: a step and the world after it, to be told otherwise.
struct Shown<'a> {
    world: Cow<'a, World>,
    step: Step,
}

impl Mutation {
    /// What the oracle says of the healthy run.
    ///
    /// # Panics
    /// If the run does not pass by itself.
    pub fn unaltered(&self) -> Result<(), Violation> {
        Recording::of(&self.scenario()).judge(|_, _| Told::AsItWas)
    }

    /// What it says with the mistake in it.
    ///
    /// # Panics
    /// If there was no occasion for the mistake.
    pub fn altered(&self) -> Result<(), Violation> {
        let mut scenario = self.scenario();
        let mut is_made = false;
        let mut once = |told: Told, made: bool| {
            is_made |= made;
            if made { told } else { Told::AsItWas }
        };
        let verdict = match self.change {
            Change::Step(alter) => Recording::of(&scenario)
                .judge(|model, shown| once(Told::Otherwise, alter(model, shown))),
            Change::End(ends) => {
                Recording::of(&scenario).judge(|_, shown| once(Told::AsTheLast, ends(&shown.step)))
            }
            Change::Request(alter) => {
                is_made = true;
                let script = scenario.script.last_mut().expect("a script");
                alter(&mut script.request);
                violation_of(&scenario)
            }
        };
        assert!(is_made, "{}: the run gives no occasion for it", self.violates);
        verdict
    }

    fn scenario(&self) -> Scenario {
        Scenario::parse(self.violates, self.scenario).unwrap_or_else(|error| panic!("{error}"))
    }
}

fn violation_of(scenario: &Scenario) -> Result<(), Violation> {
    match run::run(scenario, scenario.seeds.start, &mut ()).verdict {
        Verdict::Pass => Ok(()),
        Verdict::Violation(violation) => Err(*violation),
        other => panic!("{}: {other:?}", scenario.file),
    }
}

/// How a step was told.
enum Told {
    AsItWas,
    /// From here on there is nothing more to alter.
    Otherwise,
    /// It was the last one.
    AsTheLast,
}

/// A run, to be looked at again.
struct Recording<'a> {
    scenario: &'a Scenario,
    /// The world before the first event.
    before: World,
    events: Vec<(Time, Event)>,
}

impl Recording<'_> {
    fn of(scenario: &Scenario) -> Recording<'_> {
        let before =
            World::with_spare(scenario.config.clone(), scenario.cast.spare, scenario.cast.clients);
        assert!(scenario.swarm.is_none(), "the world is what the file says");
        assert!(scenario.clocks.is_empty(), "every clock shows true time");
        let mut events = Vec::new();
        let mut watcher = |_: &World, step: &Step| events.push((step.at, step.event.clone()));
        let report = run::run(scenario, scenario.seeds.start, &mut watcher);
        assert_eq!(report.verdict, Verdict::Pass, "{} before the mistake", scenario.file);
        Recording { scenario, before, events }
    }

    /// Lets all happen again, told to a new oracle by `tell` until something is told otherwise.
    fn judge(&self, mut tell: impl FnMut(&Model, &mut Shown<'_>) -> Told) -> Result<(), Violation> {
        let mut world = self.before.clone();
        let mut oracle = Oracle::new(&world, self.scenario.workload.as_ref());
        let mut step = Step::new();
        let mut told = Told::AsItWas;
        for (at, event) in &self.events {
            world.apply(*at, event.clone(), &mut step);
            if matches!(told, Told::Otherwise) {
                oracle.observe(&world, &step)?;
                continue;
            }
            let mut shown = Shown { world: Cow::Borrowed(&world), step: step.clone() };
            told = tell(oracle.model(), &mut shown);
            oracle.observe(&shown.world, &shown.step)?;
            if matches!(told, Told::AsTheLast) {
                break;
            }
        }
        oracle.at_end(&world)
    }
}

/// With one replica: /a lives on n3, /c on n1, /d on n2.
const TRANSACTIONS: &str = r#"
    title = "one transaction over three nodes, then one file after the other"
    [cluster]
    nodes = 3
    clients = 2
    replicas = 1
    [[script]]
    client = "c1"
    at = "1s"
    transaction = [
        { write = "/a", data = "1" },
        { write = "/c", data = "1" },
        { write = "/d", data = "1" },
    ]
    coordinator = "n3"
    [[script]]
    client = "c2"
    at = "3s"
    read = "/c"
    [[script]]
    client = "c1"
    at = "4s"
    delete = "/c"
    [[script]]
    client = "c2"
    at = "5s"
    read = "/c"
    [[script]]
    client = "c2"
    at = "6s"
    write = "/a"
    data = "2"
    coordinator = "n2"
    [[script]]
    client = "c1"
    at = "7s"
    write = "/d"
    data = "3"
"#;

const REPLICAS: &str = r#"
    title = "one file on three nodes"
    [cluster]
    nodes = 3
    clients = 2
    replicas = 3
    [[script]]
    client = "c1"
    at = "1s"
    write = "/a"
    data = "1"
    [[script]]
    client = "c2"
    at = "2s"
    create = "/a"
    data = "2"
    [[script]]
    client = "c2"
    at = "3s"
    read = "/a"
"#;

const LOCK: &str = r#"
    title = "three want one lock"
    [cluster]
    nodes = 3
    clients = 3
    replicas = 2
    [[script]]
    client = "c1"
    at = "1s"
    acquire = "/a"
    [[script]]
    client = "c2"
    at = "1100ms"
    acquire = "/a"
    [[script]]
    client = "c3"
    at = "1200ms"
    acquire = "/a"
    [[script]]
    client = "c1"
    at = "3s"
    release = "/a"
    [[script]]
    client = "c2"
    at = "5s"
    release = "/a"
"#;

const HOLDER_CRASHES: &str = r#"
    title = "who holds the lock crashes and comes back as somebody else"
    [cluster]
    nodes = 3
    clients = 2
    replicas = 2
    [timing]
    lock_lease = "3s"
    [[script]]
    client = "c1"
    at = "1s"
    acquire = "/a"
    [[fault]]
    at = "2s"
    crash = "c1"
    restart_after = "10s"
"#;

const SHORT_LOG: &str = r#"
    title = "the lock server restarts from a checkpoint"
    [cluster]
    clients = 2
    checkpoint_records = 2
    [[script]]
    client = "c1"
    at = "1s"
    acquire = "/a"
    [[script]]
    client = "c1"
    at = "2s"
    release = "/a"
    [[script]]
    client = "c2"
    at = "3s"
    acquire = "/b"
    [[fault]]
    at = "5s"
    crash = "control"
    restart_after = "1s"
"#;

/// The workload opens the accounts; the rest stands here, so that it can go wrong.
const BANK: &str = r#"
    title = "two transfers that have read the same balances"
    [cluster]
    nodes = 3
    clients = 2
    [workload]
    kind = "bank"
    operations = 1
    paths = 3
    [[script]]
    client = "c2"
    at = "4s"
    transaction = [ { read = "/account0" }, { read = "/account1" }, { read = "/account2" } ]
    [[script]]
    client = "c1"
    at = "5s"
    transaction = [
        { write = "/account0", data = "90", if_version = 1 },
        { write = "/account1", data = "110", if_version = 1 },
    ]
    [[script]]
    client = "c2"
    at = "6s"
    transaction = [
        { write = "/account1", data = "95", if_version = 1 },
        { write = "/account2", data = "105", if_version = 1 },
    ]
"#;

/// The first increment is the workload's.
const COUNTER: &str = r#"
    title = "a counter is incremented twice"
    [cluster]
    nodes = 3
    clients = 2
    [workload]
    kind = "locked_counter"
    operations = 1
    paths = 1
    [[script]]
    client = "c2"
    at = "4s"
    acquire = "/counter0"
    [[script]]
    client = "c2"
    at = "6s"
    release = "/counter0"
    [[script]]
    client = "c2"
    at = "5s"
    write = "/counter0"
    data = "2"
"#;

/// n4 joins three nodes and takes over /f; /c stays on n2, /e on n1. The messages of the centre to
/// n1 take long, so n1 is in the second epoch for a while before it gets a lease.
const JOIN: &str = r#"
    title = "a fourth node joins"
    [cluster]
    membership = "managed"
    nodes = 3
    spare = 1
    clients = 2
    replicas = 1
    virtual_nodes = 20
    [network]
    latency = ["1ms", "1ms"]
    link = [{ from = "control", to = "n1", latency = ["400ms", "400ms"] }]
    [[script]]
    client = "c2"
    at = "3s"
    write = "/f"
    data = "1"
    [[fault]]
    at = "5s"
    join = "n4"
    [[script]]
    client = "c2"
    at = "5600ms"
    read = "/c"
    [[script]]
    client = "c1"
    at = "5700ms"
    read = "/e"
    [[script]]
    client = "c2"
    at = "8s"
    write = "/c"
    data = "2"
"#;

/// n4 joins, and the centre hears only twelve seconds later that it is complete.
const JOIN_SLOWLY_HEARD: &str = r#"
    title = "a node joins, and that it is complete is heard late"
    [cluster]
    membership = "managed"
    nodes = 3
    spare = 1
    clients = 1
    replicas = 1
    virtual_nodes = 20
    [[script]]
    client = "c1"
    at = "3s"
    write = "/f"
    data = "1"
    [[fault]]
    at = "5s"
    join = "n4"
    [[message]]
    kind = "completed"
    from = "n4"
    to = "control"
    delay = "12s"
"#;

/// Every mistake.
pub const MUTATIONS: &[Mutation] = &[
    Mutation {
        violates: "acknowledgement_is_durable_before_it_leaves",
        mistake: "a participant acknowledges a commit in the step in which it appends it",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            let applied = shown.appended(|record| match record {
                Record::Applied { txn, .. } => Some(*txn),
                _ => None,
            });
            let Some((_, node, txn)) = applied else { return false };
            shown.send(node, txn.coordinator, Message::Committed { txn });
            true
        }),
    },
    Mutation {
        violates: "abort_needs_a_reason",
        mistake: "a time-out that comes with the last yes is taken for one that came before it",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            let Some((_, Message::Executed { txn, vote: Vote::Yes(_) })) = shown.arrived() else {
                return false;
            };
            let txn = *txn;
            let decided = shown.appended(|record| match record {
                Record::Decided { txn: of, participants, .. } => {
                    (*of == txn).then(|| participants.clone())
                }
                _ => None,
            });
            let Some((place, node, participants)) = decided else { return false };
            shown.step.facts.remove(place);
            for to in participants.iter() {
                let header = Header { txn, low_water: LowWater::default() };
                shown.send(node, to.node, Message::Abort { header });
            }
            true
        }),
    },
    Mutation {
        violates: "no_pin_is_orphaned",
        mistake: "a participant that is ready waits for its coordinator without a time-out",
        scenario: TRANSACTIONS,
        change: Change::End(|step| sends(step, |message| matches!(message, Message::Ready { .. }))),
    },
    Mutation {
        violates: "replicas_agree",
        mistake: "one replica stores other bytes than the others",
        scenario: REPLICAS,
        change: Change::Step(|_, shown| {
            shown.durable(|record| match record {
                Record::Voted { changes, .. } => change(changes, "/a", |file| {
                    file.contents = Some(Contents::from("torn"));
                }),
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "reads_see_only_what_was_committed",
        mistake: "a read is served what a transaction under way has written",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            shown.sent(|message| match message {
                Message::Ended { end: AttemptEnd::Done(answer), .. } => {
                    first(answer, |outcome| match outcome {
                        Outcome::Found(version, Some(contents)) => {
                            *version = version.next();
                            *contents = Contents::from("not yet");
                            true
                        }
                        Outcome::Found(_, None) | Outcome::Changed(_) => false,
                    })
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "versions_grow",
        mistake: "a coordinator counts its own change twice",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            shown.durable(|record| match record {
                Record::Decided { changes, .. } => change(changes, "/a", |file| {
                    file.version = file.version.next();
                }),
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "deleted_files_stay_deleted",
        mistake: "a client answers a read of a deleted file from what it has read before",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            shown.replied(|_, reply| match reply {
                Reply::Done(answer) => first(answer, |outcome| match outcome {
                    Outcome::Found(version, contents @ None) => {
                        *version = Version(version.0 - 1);
                        *contents = Some(Contents::from("1"));
                        true
                    }
                    Outcome::Found(_, Some(_)) | Outcome::Changed(_) => false,
                }),
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "nobody_is_in_doubt_at_the_end",
        mistake: "a participant in doubt asks nobody",
        scenario: TRANSACTIONS,
        change: Change::End(|step| {
            // The coordinator of this one stores nothing, so it has nothing pinned itself.
            step.durable.iter().any(|(_, _, record)| match record {
                Record::Voted { txn, .. } => txn.coordinator == NodeId::storage(2),
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "replicas_are_equal_at_the_end",
        mistake: "a node stores something else than what its log says that it has committed",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            shown.durable(|record| match record {
                Record::Decided { changes, participants, .. } if participants.is_empty() => {
                    change(changes, "/d", |file| file.contents = Some(Contents::from("4")))
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "time_never_goes_back",
        mistake: "a message arrives earlier than one that has arrived",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            let Some((_, Message::Executed { .. })) = shown.arrived() else { return false };
            shown.step.at = Time::ZERO + HALF_A_SECOND;
            true
        }),
    },
    Mutation {
        violates: "time_never_goes_back",
        mistake: "somebody sets a machine's clock back",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            let Some((to, Message::Executed { .. })) = shown.arrived() else { return false };
            *shown.world.to_mut().clock_mut(to) = Clock::new(Span::ZERO, -500_000);
            true
        }),
    },
    Mutation {
        violates: "messages_are_conserved",
        mistake: "a message appears on the network that nobody has sent",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            let facts = &mut shown.step.facts;
            let begin = facts
                .iter()
                .position(|fact| matches!(fact, Fact::Sent { message: Message::Begin { .. }, .. }));
            begin.map(|place| facts.remove(place)).is_some()
        }),
    },
    Mutation {
        violates: "messages_are_conserved",
        mistake: "a copy of a message is announced and not put on the network",
        scenario: TRANSACTIONS,
        change: Change::Step(|_, shown| {
            let Some((_, Message::Prepare { .. })) = shown.arrived() else { return false };
            shown.step.facts.push(Fact::Copied { packet: PacketId(u64::MAX) });
            true
        }),
    },
    Mutation {
        violates: "owners_agree",
        mistake: "a coordinator takes one owner too few for the path",
        scenario: REPLICAS,
        change: Change::Step(|_, shown| {
            shown.sent(|message| match message {
                Message::Prepare { terms, .. } => {
                    let (_, fewer) = terms.participants.split_last().expect("a participant");
                    terms.participants = fewer.into();
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "one_holder_per_lock",
        mistake: "a lock is granted before its release is written down",
        scenario: LOCK,
        change: Change::Step(|_, shown| {
            let is_granted = shown.appended(is_grant).is_some();
            is_granted && shown.forget_to_append(|record| matches!(record, Record::Left { .. }))
        }),
    },
    Mutation {
        violates: "grants_follow_the_line",
        mistake: "the last in line is granted first",
        scenario: LOCK,
        change: Change::Step(|model, shown| {
            shown.step.facts.iter_mut().any(|fact| match fact {
                Fact::Appended { record: Record::Granted { path, request, .. }, .. } => {
                    let last = model.locks.get(path).and_then(|lock| lock.durable.line.last());
                    let other = last.filter(|last| last.is != *request);
                    other.map(|other| *request = other.is).is_some()
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "no_free_lock_with_a_live_waiter",
        mistake: "a release wakes nobody up",
        scenario: LOCK,
        change: Change::Step(|_, shown| {
            let is_left = shown.appended(|record| match record {
                Record::Left { .. } => Some(()),
                _ => None,
            });
            is_left.is_some() && shown.forget_to_append(|record| is_grant(record).is_some())
        }),
    },
    Mutation {
        violates: "a_checkpoint_keeps_what_it_replaces",
        mistake: "a checkpoint of the lock server leaves a holder out",
        scenario: SHORT_LOG,
        change: Change::Step(|_, shown| {
            // Had the lock never been given back, the checkpoint would have to say who holds it.
            let durable = &mut shown.step.durable;
            let before = durable.len();
            durable.retain(|(_, _, record)| !matches!(record, Record::Left { .. }));
            durable.len() < before
        }),
    },
    Mutation {
        violates: "acquired_means_held",
        mistake: "a client tells its user of another token than the one it was granted",
        scenario: LOCK,
        change: Change::Step(|_, shown| {
            shown.replied(|_, reply| match reply {
                Reply::Acquired(token) => {
                    *token = token.next();
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "one_answer_per_request",
        mistake: "a client hands the answer to a retry to its user as well",
        scenario: REPLICAS,
        change: Change::Step(|_, shown| {
            let facts = &mut shown.step.facts;
            let reply = facts.iter().find(|fact| matches!(fact, Fact::Replied { .. })).cloned();
            reply.map(|reply| facts.push(reply)).is_some()
        }),
    },
    Mutation {
        violates: "done_means_effect",
        mistake: "a client takes a refusal for success",
        scenario: REPLICAS,
        change: Change::Step(|_, shown| {
            shown.replied(|_, reply| match reply {
                Reply::Refused(_) => {
                    *reply = Reply::Done([Outcome::Changed(Version(2))].into());
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "done_means_effect",
        mistake: "a client works out the new version itself, and is wrong",
        scenario: REPLICAS,
        change: Change::Step(|_, shown| {
            shown.replied(|_, reply| match reply {
                Reply::Done(answer) => first(answer, |outcome| match outcome {
                    Outcome::Changed(version) => {
                        *version = version.next();
                        true
                    }
                    Outcome::Found(..) => false,
                }),
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "every_request_ends",
        mistake: "a client does not tell its user what a read has found",
        scenario: REPLICAS,
        change: Change::Step(|model, shown| {
            let is_read = |request: &RequestId| {
                let asked = model.requests.get(request);
                asked.is_some_and(|asked| single_read(&asked.wanted).is_some())
            };
            let facts = &mut shown.step.facts;
            let reply = facts.iter().position(|fact| match fact {
                Fact::Replied { request, .. } => is_read(request),
                _ => false,
            });
            reply.map(|place| facts.remove(place)).is_some()
        }),
    },
    Mutation {
        violates: "every_lock_is_free_or_held_by_the_living",
        mistake: "a lease that ends is not written down, so that the lock stays held",
        scenario: HOLDER_CRASHES,
        change: Change::Step(|_, shown| {
            shown.forget_to_append(|record| matches!(record, Record::Left { .. }))
        }),
    },
    Mutation {
        violates: "bank_total_never_changes",
        mistake: "a transfer does not look whether the accounts have changed since it read them",
        scenario: BANK,
        change: Change::Request(|request| {
            *request = each(request, |operation| {
                if let Action::Write(_, expected) = &mut operation.action {
                    *expected = None;
                }
            });
        }),
    },
    Mutation {
        violates: "no_increment_is_lost",
        mistake: "a counter is read before its lock is held, and written after",
        scenario: COUNTER,
        change: Change::Request(|request| {
            *request = each(request, |operation| {
                operation.action = Action::Write(Contents::from("1"), None);
            });
        }),
    },
    Mutation {
        violates: "no_view_change_without_a_cause",
        mistake: "the centre leaves a member out that it hears, only because another joins",
        scenario: JOIN,
        change: Change::Step(|_, shown| {
            shown.append_otherwise(|record| match record {
                Record::Announced { view } if view.epoch > Config::FIRST_EPOCH => {
                    let stays = |member: &&Member| member.node != NodeId::storage(2);
                    view.members = view.members.iter().filter(stays).copied().collect();
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "keys_move_only_to_joiners_and_from_leavers",
        mistake: "a new owner pulls the whole ring, and not only what it owns",
        scenario: JOIN,
        change: Change::Step(|_, shown| {
            shown.sent(|message| match message {
                Message::Pull { arcs, .. } => {
                    *arcs = Arcs::all();
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "only_settled_epochs_give_up_copies",
        mistake: "a node gives its older claims up as soon as the next view is in force",
        scenario: JOIN,
        change: Change::Step(|model, shown| {
            let Some((node, Message::Alive { epoch, .. })) = shown.arrived() else { return false };
            let (epoch, config) = (*epoch, shown.world.config());
            let settled = model.views.settled().map_or(Epoch::default(), |settled| settled.is);
            let placement = model.views.placement(config, epoch).filter(|_| settled < epoch);
            // Before the first view nobody claims anything.
            let Some(placement) = placement.filter(|_| epoch > Config::FIRST_EPOCH) else {
                return false;
            };
            let keeps = placement.owned_by(node);
            let position = model.log(node).forced;
            let record = Record::GaveUp { epoch, keeps };
            shown.step.facts.push(Fact::Appended { node, position, record, forced: true });
            true
        }),
    },
    Mutation {
        violates: "complete_owners_have_every_decided_write",
        mistake: "a new owner claims the whole ring, where nobody asks it for its vote",
        scenario: JOIN,
        change: Change::Step(|_, shown| {
            let joiner = NodeId::storage(4);
            let has_pulled = |files: &BTreeMap<_, _>| !files.is_empty();
            if !shown.world.host(joiner).storage().is_some_and(|node| has_pulled(node.files())) {
                return false; // it would lack what is there already
            }
            shown.step.durable.iter_mut().any(|(node, _, record)| match record {
                Record::Complete { arcs, .. } if *node == joiner => {
                    *arcs = Arcs::all();
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "one_epoch_is_served_at_once",
        mistake: "a node that has left an epoch answers reads there until its lease is over",
        scenario: JOIN,
        change: Change::Step(|_, shown| {
            shown.sent(|message| match message {
                // It comes from n1, whose lease for the second epoch is on its way.
                Message::Ended { end: end @ AttemptEnd::Retry(Retry::Epoch(_)), .. } => {
                    *end = AttemptEnd::Done([Outcome::Found(Version(0), None)].into());
                    true
                }
                _ => false,
            })
        }),
    },
    Mutation {
        violates: "every_arc_is_complete_and_settled_at_the_end",
        mistake: "the centre is never told that the new owner is complete",
        scenario: JOIN_SLOWLY_HEARD,
        change: Change::End(|step| {
            let Event::Deliver(_) = step.event else { return false };
            step.packet.as_ref().is_some_and(|packet| {
                matches!(packet.message, Message::Completed { epoch, .. } if epoch > Config::FIRST_EPOCH)
                    && packet.from == NodeId::storage(4)
            })
        }),
    },
    Mutation {
        violates: "no_copies_elsewhere_at_the_end",
        mistake: "nobody is told that the view has settled, so nobody drops what has moved",
        scenario: JOIN,
        change: Change::End(|step| {
            step.durable.iter().any(|(_, _, record)| match record {
                Record::Converged { epoch } => *epoch > Config::FIRST_EPOCH,
                _ => false,
            })
        }),
    },
];

const HALF_A_SECOND: Span = Span::from_millis(500);

impl Shown<'_> {
    /// The message that arrives, and at whom.
    fn arrived(&self) -> Option<(NodeId, &Message)> {
        let Event::Deliver(_) = self.step.event else { return None };
        self.step.packet.as_ref().map(|packet| (packet.to, &packet.message))
    }

    /// The first record that is appended and wanted: its place among the facts, and whose it is.
    fn appended<T>(&self, wanted: impl Fn(&Record) -> Option<T>) -> Option<(usize, NodeId, T)> {
        self.step.facts.iter().enumerate().find_map(|(place, fact)| match fact {
            Fact::Appended { node, record, .. } => Some((place, *node, wanted(record)?)),
            _ => None,
        })
    }

    /// Takes the first such record out of what is appended.
    fn forget_to_append(&mut self, which: impl Fn(&Record) -> bool) -> bool {
        let place = self.appended(|record| which(record).then_some(()));
        place.map(|(place, ..)| self.step.facts.remove(place)).is_some()
    }

    /// Alters the first record that is appended and lets itself be altered.
    fn append_otherwise(&mut self, alter: impl Fn(&mut Record) -> bool) -> bool {
        self.step.facts.iter_mut().any(|fact| match fact {
            Fact::Appended { record, .. } => alter(record),
            _ => false,
        })
    }

    /// Alters the first record that becomes durable and lets itself be altered.
    fn durable(&mut self, alter: impl Fn(&mut Record) -> bool) -> bool {
        self.step.durable.iter_mut().any(|(_, _, record)| alter(record))
    }

    /// Alters the first message that leaves and lets itself be altered.
    fn sent(&mut self, alter: impl Fn(&mut Message) -> bool) -> bool {
        self.step.facts.iter_mut().any(|fact| match fact {
            Fact::Sent { message, .. } => alter(message),
            _ => false,
        })
    }

    /// Alters the first answer that lets itself be altered.
    fn replied(&mut self, alter: impl Fn(&RequestId, &mut Reply) -> bool) -> bool {
        self.step.facts.iter_mut().any(|fact| match fact {
            Fact::Replied { request, reply } => alter(request, reply),
            _ => false,
        })
    }

    /// A message leaves that did not.
    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        let packet = PacketId(u64::MAX);
        self.step.facts.push(Fact::Sent { packet, from, to, message });
    }
}

fn sends(step: &Step, which: impl Fn(&Message) -> bool) -> bool {
    step.facts.iter().any(|fact| match fact {
        Fact::Sent { message, .. } => which(message),
        _ => false,
    })
}

fn is_grant(record: &Record) -> Option<()> {
    matches!(record, Record::Granted { .. }).then_some(())
}

/// Alters what becomes of `path`, if it is among `changes`.
fn change(changes: &mut Changes, path: &str, alter: impl Fn(&mut File)) -> bool {
    let mut list = changes.to_vec();
    let found = list.iter_mut().find(|(at, _)| at.as_str() == path);
    let is_there = found.map(|(_, file)| alter(file)).is_some();
    *changes = list.into();
    is_there
}

/// Alters the first outcome, if it lets itself be altered and is the only one.
fn first(answer: &mut Answer, alter: impl Fn(&mut Outcome) -> bool) -> bool {
    let [outcome] = &answer[..] else { return false };
    let mut outcome = outcome.clone();
    let is_altered = alter(&mut outcome);
    *answer = [outcome].into();
    is_altered
}

/// The same request with each of its operations altered.
fn each(request: &Request, alter: impl Fn(&mut Operation)) -> Request {
    let Request::Files { operations, coordinator } = request else {
        panic!("it asks for files: {request:?}");
    };
    let mut operations = operations.to_vec();
    operations.iter_mut().for_each(alter);
    Request::Files { operations: operations.into(), coordinator: *coordinator }
}
