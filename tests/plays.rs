//! Golden plays: situations of the protocols, each directed by hand and written down in full under
//! `tests/snapshots`, to be read by people.
//!
//! A change of protocol changes plays. Read the difference before it is accepted (`cargo insta
//! review`, or `INSTA_UPDATE=always cargo test --test plays`): what stands there must follow from
//! the protocol's prose.

mod play;

use play::play;

/// Compares with the snapshot that has the test's name.
macro_rules! golden {
    ($about:literal, $directions:literal) => {
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.bind(|| insta::assert_snapshot!(play($about, $directions)));
    };
}

#[test]
fn two_phase_commit() {
    golden!(
        "A client writes a file on each of three nodes; n1 coordinates and owns one of them. Four \
         messages for each of the two participants, and five forced records: two votes, the \
         decision, two applied.",
        "cluster commit two_phase
         request c1 write /c x, write /d y, write /a z at n1
         # n1 does not know the session yet: this costs a client's first request one round trip.
         settle until prepare sent
         # Both participants execute, force their votes and only then send them.
         deliver all
         show
         sync n2
         sync n3
         # With the last vote the decision is forced; nobody hears of it before it is durable.
         deliver all
         sync n1
         # Commit point. The client is answered; participants apply, force, acknowledge.
         settle"
    );
}

#[test]
fn staged_commit() {
    golden!(
        "The same in seven steps: participants first pin and say they are ready, and execute only \
         once everyone is. Six messages for each participant, and still five forced records.",
        "cluster commit staged
         request c1 write /c x, write /d y, write /a z at n1
         settle until prepare sent
         # Step 2: pinned, nothing executed, nothing promised.
         deliver all
         show
         # Step 3: all are ready; the coordinator executes its own part.
         deliver all
         # Steps 4 and 5: votes, decision.
         deliver all
         sync n2
         sync n3
         deliver all
         sync n1
         # Steps 6 and 7.
         settle"
    );
}

#[test]
fn abort_by_vote() {
    golden!(
        "One participant cannot execute: the file is there already. Its no is final and nothing \
         is forced for it; the one who voted yes is told, writes that down lazily, and nothing of \
         the transaction is left.",
        "cluster commit two_phase
         request c1 create /d old
         settle
         request c1 write /a z, create /d new at n1
         settle
         # The one that was aborted left no pin behind.
         request c1 read /a
         settle"
    );
}

#[test]
fn coordinator_crashes_before_its_decision() {
    golden!(
        "Everyone voted yes and the decision is appended, but not durable when the coordinator \
         crashes. Nobody has heard of it; after the restart the coordinator knows nothing of the \
         transaction, and knowing nothing means abort. The client's next attempt is another \
         transaction.",
        "cluster commit two_phase
         request c1 write /d y, write /a z at n1
         settle until executed sent
         deliver all
         settle until decided appended
         crash n1 keeping 0
         show
         # In doubt, both ask; nobody can say.
         run 700ms
         start n1
         # Asked again, the coordinator answers.
         run 1s
         # The client's second attempt goes to an owner of the first path.
         run 2s"
    );
}

#[test]
fn coordinator_crashes_after_its_decision() {
    golden!(
        "The decision is durable, its messages are lost with the coordinator. After the restart \
         it repeats the decision from its log until all have acknowledged.",
        "cluster commit two_phase
         request c1 write /d y, write /a z at n1
         settle until decided appended
         sync n1
         drop commit to n2
         drop commit to n3
         drop ended to c1
         crash n1 keeping 0
         start n1
         settle
         # The client does not know yet; an owner remembers the answer for its second attempt.
         run 2s"
    );
}

#[test]
fn participant_crashes_after_its_vote() {
    golden!(
        "A participant forces its vote, sends it and crashes. The others commit without it. After \
         the restart its pins are back, it asks, and applies what was decided.",
        "cluster commit two_phase
         request c1 write /d y, write /a z at n1
         settle until executed sent
         crash n2 keeping 0
         settle
         # Decided, applied at n3, answered. A read of /d waits at n2 for the pin.
         start n2
         show
         request c1 read /d
         settle"
    );
}

#[test]
fn cooperative_termination() {
    golden!(
        "The decision reached n2 and not n3 when the coordinator crashed. From its second \
         question on n3 asks n2 too, and is told, although the coordinator stays down.",
        "cluster commit two_phase
         request c1 write /d y, write /a z at n1
         settle until commit sent
         drop commit to n3
         deliver commit to n2
         crash n1 keeping 0
         settle
         show
         run 3s"
    );
}

#[test]
fn one_who_has_not_voted_lets_the_other_abort() {
    golden!(
        "n2 voted yes; the request for its vote never reached n3, and the coordinator is down. \
         Asked by n2, n3 first forces that it will never vote, and then says aborted. A late copy \
         of the request gets a no.",
        "cluster commit two_phase
         request c1 write /d y, write /a z at n1
         settle until prepare sent
         hold prepare to n3
         crash n1 keeping 0
         run 2s
         deliver prepare to n3
         settle"
    );
}

#[test]
fn all_in_doubt_is_blocked() {
    golden!(
        "Everyone voted yes, and the coordinator crashed with the decision: perhaps it committed, \
         and perhaps its client knows. All ask each other, nobody can say, the pins stay, and a \
         reader waits. Two-phase commit blocks; any other answer might contradict a record that \
         only the coordinator can see.",
        "cluster commit two_phase clients 2
         request c1 write /d y, write /a z at n1
         settle until decided appended
         crash n1 keeping 1
         crash c1 keeping 0
         request c2 read /d
         run 3800ms
         # The reader is still not answered. With the coordinator everything comes loose.
         start n1
         settle"
    );
}

#[test]
fn a_younger_transaction_is_refused_an_older_one_waits() {
    golden!(
        "c2 asked first, but c1 has pinned the path when c2's request arrives: c2 is older and \
         waits. c3 is younger than both, is refused, and tries again later. No two can ever wait \
         for each other.",
        "cluster commit two_phase clients 3
         request c2 write /d two, write /a two at n1
         settle until begin sent
         hold begin from c2
         pass 1ms
         request c1 write /d one, write /a one at n1
         settle until executed sent
         deliver begin from c2
         deliver prepare
         pass 1ms
         request c3 write /d three at n2
         settle
         run 200ms"
    );
}

#[test]
fn a_retry_is_answered_once() {
    golden!(
        "The answer is lost. The second attempt carries the same id, meets an owner that \
         remembers the answer, and gets it; the file is changed once. A doubled first attempt is \
         taken once, too.",
        "cluster commit two_phase replicas 2
         request c1 write /d x
         settle until begin sent
         duplicate begin
         # The copy is taken for what it is.
         deliver all
         settle until ended sent
         drop ended
         settle
         # Two seconds without an answer: the next attempt goes to another owner.
         run 3s"
    );
}

#[test]
fn an_attempt_is_sent_again_once() {
    golden!(
        "A client's first message to a node is not taken: the node tells it which life it is in. \
         The network doubles that answer. The first copy makes the client send the attempt again, \
         the second nothing: as two transactions, one could be refused and the other commit later. \
         So `refused` stays true when the file that was in the way is gone.",
        "cluster commit two_phase clients 2
         request c2 create /d old
         settle
         request c1 create /d new
         settle until ended sent
         duplicate ended to c1
         # The same attempt, in a session with the life that n2 is in.
         deliver ended to c1
         # It is on its way already.
         deliver ended to c1
         # It is refused, and there is no other that could take effect.
         settle
         request c2 delete /d
         settle"
    );
}

#[test]
fn a_rename_moves_contents_across_owners() {
    golden!(
        "Source and target have different owners. The coordinator fetches the contents first; the \
         source's half holds only if the file is still at that version, the target's half only if \
         nothing is there. The source leaves a tombstone.",
        "cluster commit two_phase
         request c1 create /d contents
         settle
         request c1 rename /d /a at n1
         settle
         # The source is gone now.
         request c1 rename /d /c at n1
         settle"
    );
}

#[test]
fn a_rename_whose_source_changes_tries_again() {
    golden!(
        "Between the coordinator's look at the source and its pin somebody writes the source. The \
         source's half does not hold any more, so the attempt fails, and the next one moves the \
         new contents.",
        "cluster commit two_phase clients 2
         request c1 create /d first
         settle
         request c1 rename /d /a at n1
         settle until fetched sent
         hold fetched
         request c2 write /d second
         settle
         deliver fetched
         settle
         run 100ms"
    );
}

#[test]
fn locks_are_granted_in_line() {
    golden!(
        "Three clients want one lock. It is granted in the order in which the requests became \
         durable, each grant with the next token, and each new holder raises the fence of the path \
         before it works.",
        "cluster clients 3 commit two_phase
         request c1 acquire /d
         request c2 acquire /d
         request c3 acquire /d
         settle
         request c1 release /d
         settle
         request c2 release /d
         settle"
    );
}

#[test]
fn a_lease_expires_and_the_next_in_line_is_granted() {
    golden!(
        "The holder crashes. The lock server waits until the lease of its last keep-alive has \
         surely ended, by the server's own clock and with the drift bound added, and grants to the \
         next in line, who has kept its place alive.",
        "cluster clients 2 commit two_phase lock_lease 4s
         request c1 acquire /d
         settle
         request c2 acquire /d
         settle
         run 1500ms
         crash c1 keeping 0
         run 5s"
    );
}

#[test]
fn lock_server_restarts_and_honours_its_grant() {
    golden!(
        "The holder is cut off, and the lock server restarts. It cannot know how long the lease \
         it logged still runs, so it counts a full one from its start, and grants to the waiter \
         only then; a waiter is live only when it was heard again. The holder has stopped \
         believing long before.",
        "cluster clients 2 commit two_phase lock_lease 4s
         request c1 acquire /d
         settle
         request c2 acquire /d
         settle
         cut c1 control
         crash control keeping 0
         run 500ms
         start control
         run 5s
         mend c1 control"
    );
}

#[test]
fn a_late_write_is_fenced() {
    golden!(
        "A holder pauses with a write on its way and wakes long after its lease. The next holder \
         has claimed the path meanwhile, so the old write, when it arrives, brings too low a \
         token, and is refused.",
        "cluster clients 2 commit two_phase lock_lease 4s
         request c1 acquire /d
         settle
         request c1 write /d stale
         hold begin
         pause c1
         request c2 acquire /d
         run 5s
         request c2 write /d fresh
         settle
         deliver begin from c1
         settle
         # The holder that was paused learns that it holds nothing, and that its write was refused.
         resume c1
         settle"
    );
}

#[test]
fn a_lease_that_ended_in_a_pause_is_not_acquired() {
    golden!(
        "A client pauses while it claims the path of its new lock, and its lease runs out. When it \
         goes on it finds the answer to its claim before it finds the end of its lease; it looks \
         at its clock, gives back what it no longer has, and does not say `acquired`. The lock is \
         with the next in line already.",
        "cluster clients 2 commit two_phase lock_lease 4s
         request c1 acquire /d
         settle until decided durable
         # The fence is up; the answer is on its way to c1.
         pause c1
         request c2 acquire /d
         run 6s
         # The answer says that all is well, but the clock does not.
         resume c1
         settle"
    );
}
