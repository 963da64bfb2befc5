//! A commit does what its request says.

use seedbed::proto::{Decided, FileService, Record, RecordKind};

use crate::file_service::oracle::{Breach, Evidence, Invariant, Moment, Seen, SeenKinds};

/// The outcomes of a commit, and what each of its parts changes (contents, version, existence,
/// fence), are those that a sequential program gives that executes the requests one after the
/// other, in the order of their commits.
///
/// That the parts of a commit agree with each other says nothing of what they agree on: owners may
/// all let a create overwrite a file. Each part, the coordinator's own included, has exactly the
/// paths that the request changes and its node owns, by the model's own placement; that each owner
/// has a part is for `owners_agree` and `commit_needs_every_yes`. The sequential specification,
/// against which linearizability and serializability are defined: Herlihy, Wing, "Linearizability",
/// 1990, section 2; the reference model of Bornholt et al., "Using Lightweight Formal Methods to
/// Validate a Key-Value Storage Node in Amazon S3", 2021.
pub struct CommitsDoWhatWasAsked;

impl Invariant<FileService> for CommitsDoWhatWasAsked {
    fn interest(&self) -> SeenKinds {
        SeenKinds::durable(&[RecordKind::Decided, RecordKind::Applied])
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Seen::Durable { record, .. } = *seen else { return Ok(()) };
        let (Record::Decided(Decided { txn: id, request, .. })
        | Record::Applied { txn: id, request, .. }) = record
        else {
            return Ok(());
        };
        let Some(difference) = model.reference.difference(*id) else { return Ok(()) };
        let origin = model.origin(*request);
        let asked = model.requests.get(&origin).map_or(0, |asked| asked.asked.step);
        let expected = Evidence::at(asked, difference.expected.clone()).about(origin);
        let found = Evidence::at(model.step, difference.found.clone()).about(*id);
        let found = if difference.is_missing { found.absent() } else { found };
        Err(Breach::of(expected.about_all(&difference.path), found.about_all(&difference.path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, applied, changed, claim, create, decided, decided_answer, decided_for, deleted,
        fenced, found, n, read, request, txn, txn_of, voted, with_token, write,
    };
    use seedbed::proto::Settings;

    /// c1 has written `/a`, as its first request.
    fn written() -> Play {
        let mut play = Play::new(CommitsDoWhatWasAsked);
        play.asks(request(1, 1), &[write("/a", "x")]);
        play.forces(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
        play
    }

    #[test]
    fn a_create_that_overwrites_is_a_breach() {
        let mut play = written();
        play.asks(request(1, 2), &[create("/a", "y")]);
        let breach =
            play.forces(n(1), decided_for(request(1, 2), txn(2), &[], "/a", 2, "y")).breaks();
        assert_eq!(breach.earlier.is, "c1.1#2 must be refused: a file is there already");
        assert_eq!(breach.now.is, "n1.1/2 commits");
    }

    #[test]
    fn other_contents_a_wrong_version_and_a_fence_that_stays_are_breaches() {
        let mut play = written();
        play.asks(request(1, 2), &[write("/a", "y")]);
        let kept = decided_for(request(1, 2), txn(2), &[], "/a", 2, "x");
        let breach = play.forces(n(1), kept).breaks();
        assert_eq!(breach.earlier.is, "c1.1#2 leaves /a as \"y\" at v2");
        assert_eq!(breach.now.is, "n1.1/2 leaves it as \"x\" at v2 at n1");
        let mut skipped = written();
        skipped.asks(request(1, 2), &[write("/a", "y")]);
        let record = decided_for(request(1, 2), txn(2), &[], "/a", 3, "y");
        let breach = skipped.forces(n(1), record).breaks();
        assert_eq!(breach.now.is, "n1.1/2 commits with changed to v3");
        let mut claimed = written();
        claimed.asks(request(1, 2), &[claim("/a", 5)]);
        let breach = claimed.forces(n(1), fenced(request(1, 2), txn(2), "/a", 1, "x", 0)).breaks();
        assert_eq!(breach.earlier.is, "c1.1#2 leaves /a as \"x\" at v1 behind t5");
    }

    #[test]
    fn a_change_that_is_missing_and_one_too_many_are_breaches() {
        let mut play = written();
        play.asks(request(1, 2), &[write("/a", "y")]);
        let breach =
            play.forces(n(1), decided_answer(request(1, 2), txn(2), &[changed(2)])).breaks();
        assert_eq!(breach.now.is, "n1.1/2 does not change it at n1");
        let mut more = written();
        more.asks(request(1, 2), &[read("/a")]);
        let breach = more.forces(n(1), deleted(request(1, 2), txn(2), "/a", 2)).breaks();
        assert!(breach.now.is.contains("n1.1/2 commits with changed to v2"), "{}", breach.now.is);
    }

    #[test]
    fn a_part_that_leaves_out_a_path_is_a_breach_also_if_another_has_it() {
        let writes = |record: Record| {
            let mut play = Play::new(CommitsDoWhatWasAsked);
            play.asks(request(1, 1), &[write("/a", "x")]);
            play.forces(n(2), voted(txn(1), "/a", 1, "x"));
            play.forces(n(1), record);
            play
        };
        writes(decided(txn(1), &[n(2)], "/a", 1, "x")).holds();
        let breach = writes(decided_answer(request(1, 1), txn(1), &[changed(1)])).breaks();
        assert_eq!(breach.earlier.is, "c1.1#1 leaves /a as \"x\" at v1");
        assert_eq!(breach.now.is, "n1.1/1 does not change it at n1");
    }

    #[test]
    fn a_part_with_a_path_that_its_node_does_not_own_is_a_breach() {
        let writes = |number: u16| {
            let mut play = Play::of(Settings::default(), CommitsDoWhatWasAsked);
            let owners = play.owners("/a");
            let mut others = (1..=3).map(n).filter(|node| !owners.contains(node));
            let nodes = [owners[0], owners[1], others.next().expect("no owner")];
            let (txn, voter) = (txn_of(nodes[0], 1), nodes[usize::from(number)]);
            play.asks(request(1, 1), &[write("/a", "x")]);
            play.forces(voter, voted(txn, "/a", 1, "x"));
            play.forces(nodes[0], decided(txn, &[voter], "/a", 1, "x"));
            play
        };
        writes(1).holds();
        assert!(writes(2).breaks().earlier.is.ends_with(" does not own /a"));
    }

    #[test]
    fn other_bytes_in_a_read_of_a_transaction_are_a_breach() {
        let reads = |contents| {
            let mut play = written();
            play.asks(request(1, 2), &[read("/a"), read("/b")]);
            let answer = [found(1, Some(contents)), found(0, None)];
            play.forces(n(1), decided_answer(request(1, 2), txn(2), &answer));
            play
        };
        reads("x").holds();
        let breach = reads("z").breaks();
        assert_eq!(breach.earlier.is, "operation 1 of c1.1#2, on /a, gives found \"x\" at v1");
    }

    #[test]
    fn a_commit_for_no_request_is_a_breach() {
        let mut play = written();
        let breach =
            play.forces(n(1), decided_for(request(1, 9), txn(2), &[], "/a", 2, "y")).breaks();
        assert_eq!(breach.earlier.is, "no user has asked for c1.1#9");
    }

    #[test]
    fn a_write_under_a_token_that_is_too_low_is_a_breach() {
        let mut play = written();
        play.asks(request(1, 2), &[claim("/a", 5)]);
        play.forces(n(1), fenced(request(1, 2), txn(2), "/a", 1, "x", 5)).holds();
        play.asks(request(1, 3), &[with_token(write("/a", "y"), 4)]);
        let breach = play.forces(n(1), fenced(request(1, 3), txn(3), "/a", 2, "y", 5)).breaks();
        assert_eq!(breach.earlier.is, "c1.1#3 must be refused: the path is fenced with t5");
    }

    #[test]
    fn what_participants_commit_without_their_coordinator_is_executed_once() {
        let commits = |contents: &str| {
            let mut play = Play::new(CommitsDoWhatWasAsked);
            play.asks(request(1, 1), &[write("/a", "x")]);
            play.had_lost_its_disk(n(1));
            for node in [n(2), n(3)] {
                play.forces(node, voted(txn(1), "/a", 1, contents));
            }
            let record = seedbed::proto::Record::Applied {
                txn: txn(1),
                request: request(1, 1),
                answer: [changed(1)].into(),
            };
            play.forces(n(2), record.clone());
            play
        };
        let mut play = commits("x");
        play.forces(n(3), applied(txn(1)));
        play.asks(request(1, 2), &[write("/a", "y")]);
        play.forces(n(2), decided_for(request(1, 2), txn_of(n(2), 1), &[], "/a", 2, "y")).holds();
        commits("y").breaks();
    }
}
