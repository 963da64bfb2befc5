//! Golden plays of views and hand-overs, as `tests/plays.rs` has them of transactions and locks.
//!
//! Each begins in the first view, which has settled; heartbeats are left out.

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
fn a_node_joins_and_pulls() {
    golden!(
        "n4 has an empty log: it is admitted, hears of the view that it is to be a member of, and \
         pulls what it owns there, one path at a time, while the view comes into force. It serves \
         a piece once it has forced that it is complete there. When everyone is complete the view \
         has settled, and n3 drops what has moved.",
        "cluster commit two_phase membership managed spare 1 virtual_nodes 1 chunk_paths 1
         request c1 write /a x, write /b y
         settle
         start n4
         operator join n4
         # n4 waits a little before it asks for more, and serves nothing of it yet. n3 keeps both.
         settle
         show
         run 100ms
         request c1 read /a
         settle"
    );
}

#[test]
fn a_view_waits_for_a_lease_that_may_run() {
    golden!(
        "The centre and n2 do not hear each other when n4 joins. n2 knows of no new view and \
         serves the old one, as it may: its lease runs. So the centre does not put the new view \
         into force before that lease has ended by its own clock; by then it has ended by n2's, \
         too, and n2 has stopped by itself.",
        "cluster commit two_phase clients 2 membership managed membership_lease 1s spare 1 virtual_nodes 1
         request c1 write /d x
         settle
         cut n2 control
         start n4
         operator join n4
         run 100ms
         # n1 and n3 have left e1, n2 has not.
         request c1 read /d
         settle
         run 900ms
         # e2 is in force. What n2 says to a client that does not know that yet:
         request c2 read /d
         run 10ms
         mend n2 control
         run 500ms"
    );
}

#[test]
fn an_evicted_node_wakes_and_rejoins() {
    golden!(
        "n3 pauses for longer than its lease. The others go on without it, and /d is written. When \
         it wakes it knows of nothing, but its clock tells it that its lease is over, so it answers \
         no read. Its heartbeat makes it a member of a third view, and what it missed it pulls.",
        "cluster commit two_phase replicas 2 membership managed membership_lease 1s virtual_nodes 1
         request c1 write /d old
         settle
         request c1 read /a
         hold read to n3
         pause n3
         # The client's second attempt goes to the other owner.
         run 2500ms
         request c1 write /d new
         settle
         show
         resume n3
         deliver read to n3
         settle
         run 1s
         show
         request c1 read /d
         settle"
    );
}

#[test]
fn a_source_in_doubt_hands_over_what_comes_before() {
    golden!(
        "n3 has voted for a new /b and does not hear the decision when n4 comes and pulls /a and \
         /b. It hands over /a and stops there: what /b is, it cannot say. n4 looks for another \
         source, there is none, and it begins again a little later. Once n3 has heard the decision \
         n4 gets all, with what was decided, and only then is it complete, on /a too.",
        "cluster commit two_phase membership managed membership_lease 1s spare 1 virtual_nodes 1
         request c1 write /a old, write /b old
         settle
         request c1 write /g new, write /b new at n1
         settle until commit sent
         drop commit to n3
         cut n1 n3
         settle
         start n4
         operator join n4
         run 1s
         show
         # From here on n3 can hear.
         mend n1 n3
         run 2s"
    );
}

#[test]
fn a_witness_says_that_nothing_was_committed() {
    golden!(
        "In e2 /a belongs to n4, which cannot reach n3 and so gets nothing; then it leaves again. n3 \
         is the owner once more, and it has /a as it was in e1. But was anything committed in e2? \
         Only n4 can tell. While it is silent n3 serves nothing, and its silence is no answer. \
         That it was not complete in e2 is one: it gave no vote there.",
        "cluster commit two_phase membership managed membership_lease 1s spare 1 virtual_nodes 1
         request c1 write /a x
         settle
         cut n3 n4
         start n4
         operator join n4
         run 200ms
         operator leave n4
         run 100ms
         # e3 is in force, and n3 waits.
         show
         run 1s
         request c1 read /a
         run 10ms
         mend n3 n4
         run 2s"
    );
}

#[test]
fn a_late_decision_changes_nothing_that_was_pulled() {
    golden!(
        "n3 votes for the first write of /d, and is cut off before it hears the decision. The view \
         goes on without it, and /d is written again. n3 comes back, pulls /d from n1, and with \
         that its old vote is void. When the first decision arrives n3 writes down and says that \
         it has it, so that n2 may forget it, and leaves /d as it is.",
        "cluster commit two_phase clients 2 replicas 2 membership managed membership_lease 1s virtual_nodes 1
         request c1 write /d first at n2
         settle until commit sent
         hold commit to n3
         cut n3 control
         cut n3 n1
         cut n3 n2
         run 2s
         request c2 write /d second at n2
         settle
         show
         mend n3 control
         mend n3 n1
         run 1s
         show
         # Only now can n2 reach it.
         mend n3 n2
         deliver commit to n3
         run 1s"
    );
}

#[test]
fn a_coordinator_loses_its_disk() {
    golden!(
        "n1 commits, tells its client, and loses its disk before anybody else knows. It comes back \
         under another admission: asked in the name of the old one it says that this one is gone. \
         From then on n2 and n3 believe only each other, and force that. Both are in doubt, so the \
         client may have been told that it is done (it was), and they commit. Then n1 gets /a from \
         them.",
        "cluster commit two_phase replicas 3 membership managed membership_lease 1s virtual_nodes 1
         request c1 write /a x at n1
         settle until commit sent
         drop commit to n2
         drop commit to n3
         deliver ended to c1
         wipe n1
         start n1
         show
         run 3s"
    );
}
