//! What a chart says of the ways of messages, and of steps that say the same.

use super::*;
use crate::report::facts::Facts;

fn commit() -> Message {
    Message::Txn(TxnMessage::Commit { header: header(4), voter: Admission(1), answer: [].into() })
}

/// Some messages about something else, each of which takes a millisecond.
fn with_quick_ones() -> Made {
    let mut made = Made::default();
    let other = || Message::Txn(TxnMessage::Inquire { txn: txn(9), asked: Admission(1) });
    for id in 100..105 {
        made.step(Event::Wake(n(1)), vec![sent(id, 1, 2, other())]);
        made.deliver(id, 1, 2, other(), vec![]);
    }
    made
}

/// n1 sends a commit to n2, which arrives `late` milliseconds later than each step before; a copy
/// of it arrives then.
fn made_late(late: u64) -> History {
    let mut made = with_quick_ones();
    made.step(Event::Wake(n(1)), vec![sent(1, 1, 2, commit())]);
    let packet = Packet { from: n(1), to: n(2), message: commit().into() };
    let copied = vec![Fact::Copied { packet: PacketId(2) }];
    made.with(Event::Duplicate(PacketId(1)), Some(packet.clone()), copied);
    let Made(mut history) = made;
    let at = |steps| Time::ZERO + Span::from_millis(steps + late);
    for (index, id) in [(13, 1), (14, 2)] {
        let event = Event::Deliver(PacketId(id));
        let packet = Some(packet.clone());
        history.push(Step { index, at: at(index), event, packet, ..Step::new() });
    }
    history
}

fn shown(history: &History) -> String {
    let last = history.len() as u64;
    let drawn = chart_of(history, &violation(11, last, txn(4)), 30);
    drawn
        .lines
        .join(" ")
        .split_whitespace()
        .filter(|word| *word != "|")
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_late_message_says_so_where_it_is_sent_and_where_it_arrives() {
    let shown_late = shown(&made_late(2_000));
    assert!(shown_late.contains("(arrives in step 13, 2.00 s later)"), "{shown_late}");
    assert!(shown_late.contains("(sent in step 11, 2.00 s before)"), "{shown_late}");
    let in_time = shown(&made_late(5));
    assert!(!in_time.contains("later") && !in_time.contains("before)"), "{in_time}");
}

#[test]
fn a_copy_that_arrives_second_is_marked() {
    let shown = shown(&made_late(5));
    assert_eq!(shown.matches("the same message as in step 13").count(), 1, "{shown}");
}

#[test]
fn a_message_that_is_under_way_at_the_end_says_so() {
    let mut made = with_quick_ones();
    made.step(Event::Wake(n(1)), vec![sent(1, 1, 3, commit())]);
    let Made(mut history) = made;
    let at = Time::ZERO + Span::from_secs(2);
    let timer = Some(Timer::Resend(txn(4)));
    history.push(Step { index: 12, at, event: Event::Wake(n(1)), timer, ..Step::new() });
    let shown = shown(&history);
    assert!(shown.contains("n3 Commit n1.1/4 (it is under way still at the end)"), "{shown}");
}

#[test]
fn steps_that_say_the_same_are_one_row_with_their_count() {
    let mut made = Made::default();
    let inquire = || Message::Txn(TxnMessage::Inquire { txn: txn(4), asked: Admission(1) });
    for id in 0..5 {
        made.step(Event::Wake(n(2)), vec![sent(id, 2, 1, inquire())]);
    }
    made.step(Event::Wake(n(2)), vec![sent(9, 2, 3, inquire())]);
    let violation = violation(1, 6, txn(4));
    let drawn = chart_of(&made.0, &violation, 30);
    let shown = drawn.lines.join("\n");
    assert!(shown.contains("(4 times, last in step 5)"), "the first is a fact: {shown}");
    assert_eq!(drawn.steps, 6);
    let story = compose(&Facts::of_breach(&violation.breach), &made.0, &[]);
    assert_eq!(rows(&config(), &made.0, &story, false).len(), 3);
    assert_eq!(rows(&config(), &made.0, &story, true).len(), 6, "each is wanted");
}
