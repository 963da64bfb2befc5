//! What breaks it, and what does not.

use super::*;
use crate::file_service::oracle::tests::{
    Play, applied, c, changed, decided_answer, decided_for, done, files, found, n, read, rename,
    request, txn, txn_of, voted, voted_gone, write,
};
use seedbed::proto::Refusal;

const NAME: &str = "histories_are_strictly_serializable";

/// c1 writes /a, which commits in step 2.
fn written_in(mut play: Play) -> Play {
    play.requests(request(1, 1), files(&[write("/a", "x")]));
    play.logs(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
    play
}

fn written() -> Play {
    written_in(Play::new(HistoriesAreStrictlySerializable::default()))
}

#[test]
fn of_two_reads_the_later_finds_an_older_state() {
    let mut play = written();
    play.requests(request(2, 1), files(&[read("/a")]));
    play.replies(request(2, 1), done(&[found(1, Some("x"))]));
    play.requests(request(2, 2), files(&[read("/a")]));
    play.replies(request(2, 2), done(&[found(0, None)]));
    let now = "of c2.1#2, asked in step 5: done (no file yet)";
    play.is_broken_by(NAME, (2, "n1.1/1 replaced /a v0 by v1"), (6, now));
}

#[test]
fn a_read_finds_what_is_committed_only_later() {
    let mut play = written();
    play.requests(request(2, 1), files(&[read("/a")]));
    play.replies(request(2, 1), done(&[found(2, Some("y"))]));
    play.is_broken_by(NAME, (2, "left /a as \"x\" at v1, the newest"), (4, "\"y\" at v2"));
}

#[test]
fn an_open_read_finds_the_old_state_or_the_new() {
    for (version, contents) in [(0, None), (1, Some("x"))] {
        let mut play = Play::new(HistoriesAreStrictlySerializable::default());
        play.requests(request(2, 1), files(&[read("/a")]));
        let mut play = written_in(play);
        play.replies(request(2, 1), done(&[found(version, contents)])).holds();
    }
}

#[test]
fn a_transaction_is_told_another_place_in_the_order_than_it_has() {
    let mut play = written();
    play.requests(request(2, 1), files(&[write("/a", "y")]));
    play.logs(n(1), decided_for(request(2, 1), txn(2), &[], "/a", 2, "y"));
    play.replies(request(1, 1), done(&[changed(2)]));
    play.is_broken_by(NAME, (2, "its operation 1 gives v1"), (5, "done (v2)"));
}

#[test]
fn done_before_the_commit_point_or_without_one() {
    let mut play = Play::new(HistoriesAreStrictlySerializable::default());
    play.requests(request(1, 1), files(&[write("/a", "x")]));
    play.replies(request(1, 1), done(&[changed(1)]));
    play.is_broken_by(NAME, (2, "no transaction has committed"), (2, "done (v1)"));
}

#[test]
fn a_commit_of_what_is_not_open() {
    let mut play = Play::new(HistoriesAreStrictlySerializable::default());
    play.requests(request(1, 1), files(&[write("/a", "x")]));
    play.replies(request(1, 1), Reply::Refused(Refusal::Exists));
    let mut play = written_again(play);
    play.is_broken_by(NAME, (2, "a file is there already"), (3, "n1.1/1 commits"));
    play = written_again(Play::new(HistoriesAreStrictlySerializable::default()));
    play.is_broken_by(NAME, (1, "no user has asked c1"), (1, "which is not open"));
    play = written();
    play.logs(n(1), decided_for(request(1, 1), txn(2), &[], "/a", 2, "x"));
    play.is_broken_by(NAME, (2, "n1.1/1 committed"), (3, "n1.1/2 commits"));
    play = written();
    play.replies(request(1, 1), Reply::Refused(Refusal::Exists));
    play.is_broken_by(NAME, (2, "n1.1/1 committed"), (3, "refused"));
}

fn written_again(mut play: Play) -> Play {
    play.logs(n(1), decided_for(request(1, 1), txn(1), &[], "/a", 1, "x"));
    play
}

#[test]
fn what_is_unknown_or_asked_by_a_client_that_crashes_may_commit_later() {
    let mut play = Play::new(HistoriesAreStrictlySerializable::default());
    play.requests(request(1, 1), files(&[write("/a", "x")]));
    play.replies(request(1, 1), Reply::Unknown);
    written_again(play).holds();
    play = Play::new(HistoriesAreStrictlySerializable::default());
    play.requests(request(1, 1), files(&[write("/a", "x")])).crashes(c(1));
    written_again(play).holds();
}

#[test]
fn reads_of_a_transaction_are_at_its_commit_point() {
    let reads_it = |version: u64, contents: Option<&str>| {
        let mut play = written();
        play.requests(request(2, 1), files(&[read("/a"), read("/b")]));
        let answer = [found(version, contents), found(0, None)];
        play.logs(n(1), decided_answer(request(2, 1), txn(2), &answer));
        play.replies(request(2, 1), done(&answer));
        play
    };
    reads_it(1, Some("x")).holds();
    let gives = (4, "its operation 1 gives \"x\" at v1");
    reads_it(0, None).is_broken_by(NAME, gives, (5, "no file yet"));
}

/// n1 is an owner.
fn managed() -> Play {
    let mut play = Play::managed(HistoriesAreStrictlySerializable::default());
    play.is_complete(n(1), 1);
    play
}

#[test]
fn after_an_accepted_loss_a_file_is_uncertain_until_it_is_written() {
    let reads_it = |play: &mut Play, number: u32, version: u64| {
        play.requests(request(2, number), files(&[read("/a")]));
        play.replies(request(2, number), done(&[found(version, None)]));
    };
    let mut play = written_in(managed());
    play.loses_its_disk(n(1)).goes_back_without(&[n(1)]);
    reads_it(&mut play, 1, 0);
    play.requests(request(1, 2), files(&[write("/a", "y")]));
    play.logs(n(1), decided_for(request(1, 2), txn(2), &[], "/a", 3, "y"));
    play.replies(request(1, 2), done(&[changed(3)])).holds();
    reads_it(&mut play, 2, 0);
    play.is_broken_by(NAME, (18, "replaced /a v0 by v3"), (21, "no file yet"));
}

#[test]
fn what_a_rename_moves_out_of_an_uncertain_file_is_believed_on_both_of_its_files() {
    let finds = |path: &str, version: u64, contents: Option<&str>| {
        let mut play = written_in(managed());
        play.loses_its_disk(n(1)).goes_back_without(&[n(1)]);
        play.requests(request(2, 1), files(&[read(path)]));
        play.requests(request(1, 2), files(&[rename("/a", "/b")]));
        let id = txn_of(n(2), 1);
        play.logs(n(3), voted_gone(id, "/a", 4));
        play.logs(n(2), decided_for(request(1, 2), id, &[n(3)], "/b", 1, "y"));
        play.requests(request(2, 2), files(&[read(path)]));
        play.replies(request(2, 1), done(&[found(version, contents)]));
        play
    };
    for (path, version, contents) in [("/a", 4, None), ("/b", 1, Some("y"))] {
        let mut play = finds(path, version, contents);
        play.replies(request(2, 2), done(&[found(version, contents)])).holds();
    }
    finds("/b", 0, None).holds();
    let newest = (18, "left /b as \"y\" at v1");
    finds("/b", 1, Some("z")).is_broken_by(NAME, newest, (20, "\"z\" at v1"));
    let mut late = finds("/a", 2, Some("x"));
    late.replies(request(2, 2), done(&[found(2, Some("x"))]));
    late.is_broken_by(NAME, (18, "replaced /a v2 by v4"), (21, "\"x\" at v2"));
}

#[test]
fn what_comes_too_late_for_its_file_is_in_no_history() {
    let finds = |version: u64, contents: Option<&str>| {
        let mut play = Play::managed(HistoriesAreStrictlySerializable::default());
        play.views(1, &[n(2)]).asks(request(1, 1), &[write("/a", "x")]);
        play.is_complete(n(1), 1).is_complete(n(2), 1).forces(n(2), voted(txn(1), "/a", 1, "x"));
        play.begins_again_without_n2().forces(n(2), applied(txn(1)));
        play.replies(request(1, 1), done(&[changed(1)]));
        play.requests(request(2, 1), files(&[read("/a")]));
        play.replies(request(2, 1), done(&[found(version, contents)]));
        play
    };
    finds(0, None).holds();
    finds(1, Some("x")).breaks();
}
