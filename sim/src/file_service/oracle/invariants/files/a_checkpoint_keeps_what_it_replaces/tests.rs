use std::sync::Arc;

use seedbed::machine::{Incarnation, Span};
use seedbed::proto::{
    Admission, Arcs, Config, Epoch, Handed, LowWater, Member, Open, Record, RecordKind, Refusal,
    Settings, Token, TxnId, Voted, Wanted,
};

use super::*;
use crate::file_service::oracle::tests::*;

fn config() -> Arc<Config> {
    Config::new(Settings::default()).expect("sound settings")
}

/// What a disk with `is` in place of the log `was` says otherwise, in words.
fn lost(was: &[Record], is: &[Record]) -> Option<String> {
    lost_of(&Told::default(), was, is)
}

/// The same of a node that was told this.
fn lost_of(told: &Told, was: &[Record], is: &[Record]) -> Option<String> {
    let is_of_control = |record: &Record| match record.kind() {
        RecordKind::Queued | RecordKind::Granted | RecordKind::Left | RecordKind::LockOver => true,
        kind => kind >= RecordKind::LastToken,
    };
    let is_control = was.iter().chain(is).any(is_of_control);
    let config = config();
    let [was, is] = [was, is].map(|log| LogState::of(log.iter(), &config));
    was.difference(&is, told, is_control, (&Model::default(), &config)).map(|now| now.is)
}

#[track_caller]
fn says(found: Option<String>, words: &str) {
    let found = found.expect("a difference");
    assert!(found.contains(words), "{found}");
}

fn settled(txn: TxnId) -> Record {
    Record::Settled { txn, answer: None }
}

fn mark(counter: u32) -> Record {
    let low_water = LowWater { incarnation: Incarnation(1), counter };
    Record::Mark { coordinator: member(n(1)), low_water }
}

fn declined(number: u32) -> Record {
    Record::Declined { request: request(1, number), refusal: Refusal::Exists }
}

fn forgotten(lowest: u32) -> Record {
    Record::Forgotten { client: c(1), incarnation: Incarnation(1), lowest }
}

fn stored(version: u64, contents: &str, fence: u64) -> Record {
    Record::Stored { path: path("/a"), file: file(version, Some(contents), fence) }
}

fn recorded() -> Record {
    let open = [Open { txn: txn(1), results: [].into() }].into();
    Record::Recorded { member: member(n(1)), entered: Epoch(2), open }
}

fn lock_over(refused: bool) -> Record {
    Record::LockOver { request: request(1, 1), refused }
}

/// A log and what it must not be replaced by.
fn kinds() -> Vec<(Vec<Record>, &'static str)> {
    let voted = || voted(txn(1), "/a", 1, "x");
    let decided = || decided(txn_of(n(2), 1), &[n(3)], "/a", 1, "x");
    let arcs = Arcs::all();
    vec![
        (vec![born()], "another number"),
        (vec![entered(1, arcs.clone())], "another number"),
        (vec![pulled("/a", 1, "x")], "has /a as nothing, and the log had it as"),
        (vec![complete(1, arcs.clone())], "claims otherwise"),
        (vec![Record::GaveUp { epoch: Epoch(1), keeps: arcs.clone() }], "another number"),
        (vec![voted()], "that it voted yes to n1.1/1"),
        (vec![promised(txn(1))], "what became of n1.1/1"),
        (vec![declined(1)], "the refusal of c1.1#1"),
        (vec![decided()], "the decision to commit n2.1/1"),
        (vec![voted(), applied(txn(1))], "what became of n1.1/1"),
        (vec![voted(), rolled_back(txn(1))], "what became of n1.1/1"),
        (vec![stored(1, "x", 0)], "has /a as nothing, and the log had it as"),
        (vec![Record::Answered { request: request(1, 1), answer: [].into() }], "the answer to"),
        (vec![settled(txn(1))], "what became of n1.1/1"),
        (vec![mark(1)], "up to where all is over"),
        (vec![forgotten(2)], "what c1 waits for"),
        (vec![queued("/a", request(1, 1))], "another holder or queue of /a"),
        (vec![granted("/a", request(1, 1), 1)], "t1 was granted last"),
        (vec![left("/a", request(1, 1))], "what c1 waits for"),
        (vec![lock_over(true)], "what c1 waits for"),
        (vec![Record::LastToken { token: Token(1) }], "t1 was granted last"),
        (vec![announced(1, &[n(1)])], "another view of e1"),
        (vec![activated(1)], "another epoch in force"),
        (vec![Record::Converged { epoch: Epoch(1) }], "another epoch in force"),
        (vec![loss_accepted(&[n(1)])], "another epoch in force"),
        (vec![recorded()], "does not say the same of what n1 has reported"),
        (vec![Record::LongestLease { span: Span::from_secs(100) }], "wanted or leased"),
    ]
}

#[test]
fn a_checkpoint_that_leaves_out_what_the_log_says_is_a_breach() {
    for (log, words) in kinds() {
        says(lost(&log, &[]), words);
        assert_eq!(lost(&log, &log), None, "{log:?}");
    }
}

#[test]
fn a_checkpoint_that_makes_something_up_is_a_breach() {
    let voted = || voted(txn(1), "/a", 1, "x");
    says(lost(&[voted(), rolled_back(txn(1))], &[voted()]), "in doubt about n1.1/1 again");
    says(lost(&[], &[declined(1)]), "has an answer to c1.1#1");
    says(lost(&[], &[applied(txn(1))]), "an outcome of n1.1/1");
    says(lost(&[], &[mark(1)]), "all is over up to n1.1/1");
    says(lost(&[], &[forgotten(2)]), "waits for nothing below #2");
    says(lost(&[], &[stored(1, "x", 0)]), "has /a as v1 \"x\", and the log had it as nothing");
    assert_eq!(lost(&[], &[settled(txn(1))]), None, "an abort may be remembered");
}

#[test]
fn a_file_has_its_fence_and_a_vote_what_it_is_for() {
    says(
        lost(&[stored(1, "x", 2)], &[stored(1, "x", 0)]),
        "has /a as v1 \"x\", and the log had it as v1 \"x\" fenced t2",
    );
    let vote = voted(txn(1), "/a", 1, "x");
    let mut voided = vote.clone();
    if let Record::Voted(Voted { voided, changes, .. }) = &mut voided {
        (*voided, *changes) = ([path("/a")].into(), [].into());
    }
    let moved = [vote.clone(), pulled("/a", 2, "y")];
    assert_eq!(lost(&moved, &[stored(2, "y", 0), voided]), None);
    says(lost(&moved, &[stored(2, "y", 0), vote]), "another vote for n1.1/1");
}

#[test]
fn what_the_node_was_told_may_be_forgotten_and_no_more() {
    let was = [promised(txn(1)), promised(txn(2)), declined(1), declined(2)];
    let mut told = Told::default();
    told.hear(&abort_marked(txn(9), 1));
    told.hear_lowest(request(1, 2), 2);
    let lost = |is: &[Record]| lost_of(&told, &was, is);
    let is = |counter, lowest| [mark(counter), forgotten(lowest), settled(txn(2)), declined(2)];
    assert_eq!(lost(&is(1, 2)), None);
    says(lost(&is(2, 2)), "all is over up to n1.1/2");
    says(lost(&is(1, 3)), "waits for nothing below #3");
    says(lost(&[mark(1), forgotten(2), declined(2)]), "what became of n1.1/2");
    says(lost(&[mark(1), forgotten(2), settled(txn(2))]), "the refusal of c1.1#2");
}

#[test]
fn what_is_handed_over_is_compared_too() {
    let answers = [Handed::Declined(request(1, 1), Refusal::Exists)];
    let (files, replaced) = ([].into(), Arcs::default());
    let was = [Record::Pulled { files, answers: answers.into(), replaced }];
    assert_eq!(lost(&was, &[declined(1)]), None);
    says(lost(&was, &[]), "the refusal of c1.1#1");
}

#[test]
fn a_lock_is_held_refused_or_free_as_in_the_log() {
    let (one, two) = (request(1, 1), request(2, 1));
    let log = [queued("/a", one), granted("/a", one, 1), queued("/a", two)];
    assert_eq!(lost(&log, &[granted("/a", one, 1), queued("/a", two)]), None);
    says(lost(&log, &[granted("/a", one, 1)]), "another holder or queue of /a");
    let held = [granted("/a", one, 1), left("/a", one)];
    let token = Record::LastToken { token: Token(1) };
    assert_eq!(lost(&held, &[token.clone(), lock_over(false)]), None);
    says(lost(&held, &[token, lock_over(true)]), "how c1.1#1 ended");
}

#[test]
fn what_the_operator_wants_and_an_admission_are_kept() {
    let Settings { virtual_nodes, lock_lease, membership_lease, .. } = Settings::default();
    let (nodes, replicas) = ([n(1)].into(), 1);
    let wanted = Wanted { nodes, replicas, virtual_nodes, lock_lease, membership_lease };
    let wanted = Record::Wanted { wanted };
    says(lost(std::slice::from_ref(&wanted), &[]), "wanted or leased");
    let admitted = |number| {
        let member = Member { node: n(1), admission: Admission(number) };
        Record::Admitted { member, incarnation: Incarnation(1) }
    };
    says(lost(&[admitted(1), admitted(2)], &[admitted(1)]), "the number of n1");
    assert_eq!(lost(&[admitted(1), admitted(2)], &[admitted(2)]), None);
}
