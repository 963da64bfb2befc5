//! The machines that a chart leaves out.

use super::*;

#[test]
fn every_machine_has_a_column_or_is_named_as_left_out() {
    let drawn = chart_of(&made(), &violation(4, 7, txn(4)), 30);
    assert_eq!(drawn.left_out, ["    left out: n5 (no part in it)"]);
    let mut all = Made(made());
    (6..=30).filter(|node| *node != 9).for_each(|node| {
        all.step(Event::Wake(n(node)), vec![]);
    });
    let drawn = chart_of(&all.0, &violation(4, 7, txn(4)), 30);
    assert_eq!(drawn.left_out, ["    left out: n5..n8 n10..n30 (no part in it)"]);
    // Each of twelve passes it on to the next.
    let mut many = Made::default();
    let abort = || Message::Txn(TxnMessage::Abort { header: header(4) });
    many.step(Event::Wake(n(1)), vec![sent(1, 1, 2, abort())]);
    for to in 2..=12 {
        let facts = vec![sent(to.into(), to, to + 1, abort())];
        many.deliver(u64::from(to) - 1, to - 1, to, abort(), facts);
    }
    let drawn = chart_of(&many.0, &violation(1, 12, txn(4)), 30);
    let columns: Vec<&str> = drawn.lines[0].split_whitespace().skip(3).collect();
    assert_eq!(columns.len(), 9, "{:?}", drawn.lines);
    let named = drawn.left_out[0].strip_prefix("    left out: ").expect("it is said");
    let named = named.strip_suffix(" (no room for a column)").expect("it is said why");
    let mut all: Vec<&str> = columns.into_iter().chain(named.split(' ')).collect();
    all.sort_by_key(|name| name[1..].parse::<u16>().expect("a number"));
    assert_eq!(all, (1..=12).map(|i| format!("n{i}")).collect::<Vec<_>>());
}
