//! What recovery makes of a log that a crash has torn or time has rotted.

use std::fmt::Debug;

use proptest::prelude::*;
use seedbed::machine::log::{
    Corruption, OnCorruption, Recovered, append, recover, write_checkpoint,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Record {
    Born,
    Count(u64),
    Wrote(String, Vec<u8>),
}

/// A log as it was written, and what the test knows of it.
#[derive(Clone, Debug, Default)]
struct Written {
    /// Position of the first record in `bytes`.
    base: u64,
    records: Vec<Record>,
    /// The mark each record was written with; ascending.
    marks: Vec<u64>,
    /// Where each frame begins.
    starts: Vec<usize>,
    bytes: Vec<u8>,
}

impl Written {
    fn from(base: u64) -> Written {
        Written { base, ..Written::default() }
    }

    fn push(&mut self, record: Record, durable: u64) {
        self.starts.push(self.bytes.len());
        append(&record, self.next(), durable, &mut self.bytes);
        self.records.push(record);
        self.marks.push(durable);
    }

    fn next(&self) -> u64 {
        self.base + self.records.len() as u64
    }

    /// Where frame `i` begins, or the log ends.
    fn start(&self, i: usize) -> usize {
        self.starts.get(i).copied().unwrap_or(self.bytes.len())
    }

    /// Which frame byte `at` belongs to.
    fn frame_at(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at) - 1
    }

    /// The highest mark in the frames behind frame `i`.
    fn mark_behind(&self, i: usize) -> u64 {
        self.marks[i + 1..].iter().copied().max().unwrap_or(0)
    }

    /// What a recovery should give that keeps the first `keep` records.
    fn kept(&self, keep: usize) -> Recovered<Record> {
        Recovered {
            records: self.records[..keep].to_vec(),
            next: self.base + keep as u64,
            cut: self.bytes.len() - self.start(keep),
        }
    }
}

/// Counting records 0, 1, ..., each written with the mark given.
fn counting(marks: &[u64]) -> Written {
    let mut log = Written::default();
    for (i, durable) in (0..).zip(marks) {
        log.push(Record::Count(i), *durable);
    }
    log
}

fn counts(numbers: impl IntoIterator<Item = u64>) -> Vec<Record> {
    numbers.into_iter().map(Record::Count).collect()
}

fn read(log: &[u8]) -> Result<Recovered<Record>, Corruption> {
    recover(None, log, OnCorruption::Refuse)
}

fn skipping() -> OnCorruption {
    OnCorruption::Skip
}

fn any_record() -> impl Strategy<Value = Record> {
    prop_oneof![
        Just(Record::Born),
        any::<u64>().prop_map(Record::Count),
        ("[a-z/]{0,8}", prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(path, contents)| Record::Wrote(path, contents)),
    ]
}

/// Records, each with the number of those before it that are not yet synced when it is written.
fn any_log() -> impl Strategy<Value = Written> {
    prop::collection::vec((any_record(), 0..4u64), 0..12).prop_map(|records| {
        let mut log = Written::default();
        let mut durable = 0;
        for (record, pending) in records {
            durable = log.next().saturating_sub(pending).max(durable);
            log.push(record, durable);
        }
        log
    })
}

/// What a crash may do to the bytes that no sync covered.
#[derive(Clone, Debug)]
enum Tear {
    Cut(usize),
    Zeroes { from: usize, length: usize },
    Garbage { from: usize, bytes: Vec<u8> },
}

fn any_tear() -> impl Strategy<Value = Tear> {
    prop_oneof![
        (0..400usize).prop_map(Tear::Cut),
        (0..400usize, 1..100usize).prop_map(|(from, length)| Tear::Zeroes { from, length }),
        (0..400usize, prop::collection::vec(any::<u8>(), 1..60))
            .prop_map(|(from, bytes)| Tear::Garbage { from, bytes }),
    ]
}

fn tear(tail: &mut Vec<u8>, tear: &Tear) {
    let holed = |tail: &mut Vec<u8>, from: usize, bytes: &mut dyn Iterator<Item = u8>| {
        tail.iter_mut().skip(from).zip(bytes).for_each(|(byte, new)| *byte = new);
    };
    match tear {
        Tear::Cut(length) => tail.truncate(*length),
        Tear::Zeroes { from, length } => holed(tail, *from, &mut std::iter::repeat_n(0, *length)),
        Tear::Garbage { from, bytes } => holed(tail, *from, &mut bytes.iter().copied()),
    }
}

/// One rotten place: the recovered records are exactly those before it, or the refusal names it.
fn check_rot(log: &Written, bytes: &[u8], frame: usize) {
    let position = frame as u64;
    match read(bytes) {
        Ok(recovered) => {
            assert!(log.mark_behind(frame) <= position, "durable record {position} was cut");
            assert_eq!(recovered, log.kept(frame));
        }
        Err(Corruption::BelowMark { position: at, offset, durable, named_by }) => {
            assert_eq!((at, offset), (position, log.start(frame)));
            assert!(position < durable && log.marks[named_by as usize] == durable);
        }
        Err(other) => panic!("{other}"),
    }
}

proptest! {
    #[test]
    fn what_was_appended_is_recovered(log in any_log()) {
        prop_assert_eq!(read(&log.bytes), Ok(log.kept(log.records.len())));
    }

    #[test]
    fn a_log_cut_at_any_byte_is_recovered_up_to_its_last_whole_record(log in any_log()) {
        for end in 0..log.bytes.len() {
            let frame = log.frame_at(end);
            let cut = end - log.start(frame);
            prop_assert_eq!(read(&log.bytes[..end]), Ok(Recovered { cut, ..log.kept(frame) }));
        }
    }

    #[test]
    fn a_flipped_bit_is_refused_below_a_later_mark_and_cut_above_all(log in any_log()) {
        let mut bytes = log.bytes.clone();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                bytes[at] ^= 1 << bit;
                check_rot(&log, &bytes, log.frame_at(at));
                bytes[at] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn a_changed_byte_is_refused_below_a_later_mark_and_cut_above_all(
        log in any_log(),
        change in 1..=255u8,
    ) {
        let mut bytes = log.bytes.clone();
        for at in 0..bytes.len() {
            bytes[at] ^= change;
            check_rot(&log, &bytes, log.frame_at(at));
            bytes[at] ^= change;
        }
    }

    #[test]
    fn a_crash_loses_nothing_that_was_synced_and_is_never_refused(
        log in any_log(),
        [synced, covers, trimmed] in any::<[prop::sample::Index; 3]>(),
        tears in prop::collection::vec(any_tear(), 1..4),
    ) {
        // Everything that any record names was synced; perhaps more was.
        let count = log.records.len();
        let named = log.marks.last().map_or(0, |mark| *mark as usize);
        let synced = named + synced.index(count - named + 1);
        let (safe, tail) = log.bytes.split_at(log.start(synced));
        let mut tail = tail.to_vec();
        tears.iter().for_each(|one| tear(&mut tail, one));
        let bytes = [safe, &tail].concat();

        let recovered = read(&bytes).unwrap();
        let kept = recovered.records.len();
        prop_assert!(kept >= synced);
        prop_assert_eq!(&recovered.records[..], &log.records[..kept]);
        prop_assert_eq!(recovered.next, kept as u64);
        prop_assert_eq!(bytes.len() - recovered.cut, log.start(kept));

        // The same with a checkpoint of what was synced, and perhaps without the frames that it
        // covers.
        let covers = covers.index(synced + 1);
        let trimmed = log.start(trimmed.index(covers + 1));
        let checkpoint = write_checkpoint(covers as u64, &log.records[..covers]);
        let beside = recover(Some(&checkpoint), &bytes[trimmed..], OnCorruption::Refuse);
        prop_assert_eq!(beside, Ok(recovered));
    }

    #[test]
    fn a_log_that_was_cut_and_continued_is_whole_again(
        log in any_log(),
        end in any::<prop::sample::Index>(),
        more in any_record(),
    ) {
        let mut bytes = log.bytes[..end.index(log.bytes.len() + 1)].to_vec();
        let Recovered { mut records, next, cut } = read(&bytes).unwrap();
        bytes.truncate(bytes.len() - cut);
        append(&more, next, next, &mut bytes);
        records.push(more);
        prop_assert_eq!(read(&bytes), Ok(Recovered { records, next: next + 1, cut: 0 }));
    }

    #[test]
    fn a_checkpoint_and_the_rest_are_the_whole(
        log in any_log(),
        covers in any::<prop::sample::Index>(),
        trimmed in any::<prop::sample::Index>(),
    ) {
        let covers = covers.index(log.records.len() + 1);
        let trimmed = trimmed.index(covers + 1);
        let checkpoint = write_checkpoint(covers as u64, &log.records[..covers]);
        let rest = &log.bytes[log.start(trimmed)..];
        let recovered = recover(Some(&checkpoint), rest, OnCorruption::Refuse);
        prop_assert_eq!(recovered, Ok(log.kept(log.records.len())));
    }

    #[test]
    fn rot_beside_a_checkpoint_loses_nothing_that_was_durable(
        log in any_log().prop_filter("rot needs a place", |log| !log.bytes.is_empty()),
        covers in any::<prop::sample::Index>(),
        trimmed in any::<prop::sample::Index>(),
        change in 1..=255u8,
    ) {
        let covers = covers.index(log.records.len() + 1);
        let trimmed = trimmed.index(covers + 1);
        let checkpoint = write_checkpoint(covers as u64, &log.records[..covers]);
        for at in log.start(trimmed)..log.bytes.len() {
            let frame = log.frame_at(at);
            let mut rest = log.bytes[log.start(trimmed)..].to_vec();
            rest[at - log.start(trimmed)] ^= change;
            match recover::<Record>(Some(&checkpoint), &rest, OnCorruption::Refuse) {
                Ok(recovered) => {
                    let kept = recovered.records.len();
                    prop_assert!(kept >= covers && kept <= frame.max(covers));
                    prop_assert!(kept as u64 >= log.mark_behind(frame));
                    prop_assert_eq!(&recovered.records[..], &log.records[..kept]);
                    prop_assert_eq!(recovered.next, kept as u64);
                }
                Err(Corruption::BelowCheckpoint { .. }) => prop_assert!(frame < covers),
                Err(Corruption::BelowMark { .. }) => {
                    prop_assert!(log.mark_behind(frame) > frame as u64);
                }
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn a_checkpoint_changed_or_cut_anywhere_is_refused(
        records in prop::collection::vec(any_record(), 0..8),
        covers in any::<u64>(),
        change in 1..=255u8,
    ) {
        let checkpoint = write_checkpoint(covers, &records);
        let refused = |bytes: &[u8]| {
            let damaged = Corruption::Checkpoint { length: bytes.len() };
            recover::<Record>(Some(bytes), &[], OnCorruption::Refuse) == Err(damaged)
        };
        for at in 0..checkpoint.len() {
            let mut changed = checkpoint.clone();
            changed[at] ^= change;
            prop_assert!(refused(&changed));
            prop_assert!(refused(&checkpoint[..at]));
        }
    }

    #[test]
    fn arbitrary_bytes_are_cut_or_refused(
        checkpoint in prop::option::of(prop::collection::vec(any::<u8>(), 0..60)),
        log in prop::collection::vec(prop_oneof![3 => Just(0u8), 1 => any::<u8>()], 0..400),
        on_corruption in prop_oneof![Just(OnCorruption::Refuse), Just(skipping())],
    ) {
        let refused = checkpoint.is_some();
        let recovered = recover::<Record>(checkpoint.as_deref(), &log, on_corruption);
        prop_assert_eq!(recovered.is_err(), refused);
    }

    #[test]
    fn frames_in_any_order_repeated_and_left_out_never_panic_and_give_a_prefix(
        log in any_log().prop_filter("frames", |log| !log.bytes.is_empty()),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
        covers in prop::option::of(0..14u64),
        on_corruption in prop_oneof![Just(OnCorruption::Refuse), Just(skipping())],
    ) {
        let frame = |i: usize| &log.bytes[log.start(i)..log.start(i + 1)];
        let order: Vec<usize> = order.iter().map(|i| i.index(log.records.len())).collect();
        let bytes = order.iter().map(|i| frame(*i)).collect::<Vec<_>>().concat();
        let checkpoint = covers.map(|covers| write_checkpoint::<Record>(covers, &[]));
        let recovered = recover::<Record>(checkpoint.as_deref(), &bytes, on_corruption);
        if let Ok(recovered) = recovered && on_corruption == OnCorruption::Refuse {
            let from = covers.unwrap_or(0) as usize;
            let expected = log.records.iter().skip(from).take(recovered.records.len());
            prop_assert!(recovered.records.iter().eq(expected));
            // Refused if any frame that was there named more than was recovered.
            prop_assert!(order.iter().all(|i| log.marks[*i] <= recovered.next));
        }
    }
}

#[test]
fn an_empty_disk_is_an_empty_log() {
    assert_eq!(read(&[]), Ok(Recovered { records: vec![], next: 0, cut: 0 }));
}

#[test]
fn the_bytes_of_a_record_are_these() {
    // The checksum is that of Python's `zlib.crc32` over the length and what follows the checksum.
    let mut out = vec![0xEE];
    append(&Record::Count(5), 3, 2, &mut out);
    let head = [2, 0, 0, 0, 0xF1, 0xB0, 0x7B, 0x01, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(out, [&[0xEE], &head[..], &[1, 5]].concat());
}

#[test]
#[should_panic(expected = "record 3 written when 4 were durable")]
fn a_record_cannot_be_durable_before_it_is_written() {
    append(&Record::Born, 3, 4, &mut Vec::new());
}

#[test]
fn a_rotten_record_below_a_later_mark_is_refused_with_what_contradicts() {
    let mut log = counting(&[0, 0, 2, 2, 4]);
    log.bytes[log.starts[1] + 24] ^= 1;
    let offset = log.starts[1];
    let corruption = read(&log.bytes).unwrap_err();
    let expected = Corruption::BelowMark { position: 1, offset, durable: 2, named_by: 2 };
    assert_eq!(corruption, expected);
    assert_eq!(
        corruption.to_string(),
        "record 1 at byte 26 of the log is damaged, \
         but record 2 says that the log was durable up to 2"
    );
}

#[test]
fn a_rotten_record_at_the_last_mark_is_a_tail_with_the_intact_ones_behind_it() {
    let mut log = counting(&[0, 0, 2, 2, 2]);
    log.bytes[log.starts[2] + 24] ^= 1;
    assert_eq!(read(&log.bytes), Ok(log.kept(2)));
}

#[test]
fn a_rotten_length_does_not_hide_the_mark_behind_it() {
    for length in [0, 1, 200, u32::MAX] {
        let mut log = counting(&[0, 1, 2]);
        log.bytes[..4].copy_from_slice(&length.to_le_bytes());
        let corruption = read(&log.bytes).unwrap_err();
        let expected = Corruption::BelowMark { position: 0, offset: 0, durable: 1, named_by: 1 };
        assert_eq!(corruption, expected);
    }
}

#[test]
fn a_record_taken_out_of_the_middle_is_refused() {
    let mut log = counting(&[0, 1, 2, 3]);
    log.bytes.drain(log.starts[1]..log.starts[2]);
    let offset = log.starts[1];
    let expected = Corruption::BelowMark { position: 1, offset, durable: 2, named_by: 2 };
    assert_eq!(read(&log.bytes), Err(expected));
}

#[test]
fn a_log_trimmed_behind_its_checkpoint_is_refused_without_it() {
    let mut log = Written::from(5);
    log.push(Record::Count(5), 5);
    let checkpoint = write_checkpoint(5, &counts(0..5));
    let recovered = recover(Some(&checkpoint), &log.bytes, OnCorruption::Refuse);
    assert_eq!(recovered, Ok(Recovered { records: counts(0..6), next: 6, cut: 0 }));
    let expected = Corruption::BelowMark { position: 0, offset: 0, durable: 5, named_by: 5 };
    assert_eq!(read(&log.bytes), Err(expected));
}

#[test]
fn the_first_record_after_trimming_is_torn_and_cut() {
    let mut log = Written::from(5);
    log.push(Record::Count(5), 5);
    log.push(Record::Count(6), 5);
    let checkpoint = write_checkpoint(5, &counts(0..5));
    log.bytes[..24].fill(0);
    let recovered = recover(Some(&checkpoint), &log.bytes, OnCorruption::Refuse);
    assert_eq!(recovered, Ok(Recovered { records: counts(0..5), next: 5, cut: 52 }));
}

#[test]
fn a_trimmed_log_with_a_rotten_beginning_is_refused_by_the_mark_behind_it() {
    let mut log = Written::from(5);
    for (position, durable) in (5..).zip([5, 5, 6]) {
        log.push(Record::Count(position), durable);
    }
    let checkpoint = write_checkpoint(5, &counts(0..5));
    // Two frames are bad, so the first intact one does not say where the log begins.
    log.bytes[..log.starts[1] + 1].fill(0xFF);
    let recovered = recover::<Record>(Some(&checkpoint), &log.bytes, OnCorruption::Refuse);
    let expected = Corruption::BelowMark { position: 5, offset: 0, durable: 6, named_by: 7 };
    assert_eq!(recovered, Err(expected));
}

#[test]
fn a_log_that_ends_before_what_its_checkpoint_covers_is_refused() {
    let log = counting(&[0, 1, 2]);
    let checkpoint = write_checkpoint(3, &counts(0..3));
    let expected = Corruption::BelowCheckpoint { position: 2, offset: log.starts[2], covers: 3 };
    let cut = &log.bytes[..log.starts[2]];
    assert_eq!(recover::<Record>(Some(&checkpoint), cut, OnCorruption::Refuse), Err(expected));
    // All of it gone is what trimming leaves.
    let recovered = recover(Some(&checkpoint), &[], OnCorruption::Refuse);
    assert_eq!(recovered, Ok(Recovered { records: counts(0..3), next: 3, cut: 0 }));
}

#[test]
fn the_first_record_of_a_covered_log_is_rotten_and_refused() {
    for covers in 1..4 {
        let mut log = counting(&[0, 1, 2, 3]);
        let checkpoint = write_checkpoint(covers, &counts(0..covers));
        log.bytes[0] ^= 1;
        let expected = Corruption::BelowCheckpoint { position: 0, offset: 0, covers };
        let recovered = recover::<Record>(Some(&checkpoint), &log.bytes, OnCorruption::Refuse);
        assert_eq!(recovered, Err(expected));
    }
}

#[test]
fn a_mark_above_its_own_record_names_nothing() {
    // No program of ours writes such a frame, so its checksum has to be made by hand.
    let mut frame = counting(&[0]).bytes;
    frame[16] = 5;
    let crc = crc32fast::hash(&[&frame[..4], &frame[8..]].concat());
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(read(&frame), Ok(Recovered { records: vec![], next: 0, cut: frame.len() }));
}

/// Intact bytes are no record of this program: neither skipped nor cut, with the defect or without.
fn is_foreign<T: Serialize + Debug>(value: &T) {
    let mut bytes = counting(&[0]).bytes;
    let offset = bytes.len();
    append(value, 1, 1, &mut bytes);
    for on_corruption in [OnCorruption::Refuse, skipping()] {
        let recovered = recover::<Record>(None, &bytes, on_corruption);
        assert_eq!(recovered, Err(Corruption::Foreign { position: 1, offset }), "{value:?}");
    }
}

#[test]
fn a_record_of_another_program_is_refused() {
    is_foreign(&9u8);
    is_foreign(&(Record::Born, 0u8));
    is_foreign(&());
    let checkpoint = write_checkpoint(1, &[9u8]);
    let expected = Corruption::ForeignCheckpoint { covers: 1 };
    assert_eq!(recover::<Record>(Some(&checkpoint), &[], OnCorruption::Refuse), Err(expected));
}

#[test]
fn the_defect_loses_a_durable_record_that_the_rule_refuses() {
    let mut log = counting(&[0, 1, 2, 3]);
    log.bytes[log.starts[1] + 5] ^= 1;
    assert!(matches!(read(&log.bytes), Err(Corruption::BelowMark { position: 1, .. })));
    let recovered = recover(None, &log.bytes, skipping());
    assert_eq!(recovered, Ok(Recovered { records: counts([0, 2, 3]), next: 4, cut: 0 }));
}

#[test]
fn the_defect_goes_on_from_the_checkpoint_when_the_log_ends_before_it() {
    let log = counting(&[0, 1]);
    let checkpoint = write_checkpoint(5, &counts(0..5));
    let recovered = recover(Some(&checkpoint), &log.bytes, skipping());
    assert_eq!(recovered, Ok(Recovered { records: counts(0..5), next: 5, cut: 0 }));
}

#[test]
fn the_defect_changes_nothing_about_a_torn_tail() {
    let mut log = counting(&[0, 1, 2, 2]);
    log.bytes[log.starts[2]..log.starts[3]].fill(0);
    assert_eq!(recover(None, &log.bytes, skipping()), Ok(log.kept(2)));
}

#[test]
fn a_file_with_a_frame_in_it_is_never_taken_for_the_log() {
    let mut hidden = Vec::new();
    append(&Record::Count(99), 2, 1, &mut hidden);
    let mut log = counting(&[0, 1]);
    log.push(Record::Wrote("/trap".into(), hidden), 2);
    log.push(Record::Count(3), 2);
    assert_eq!(read(&log.bytes), Ok(log.kept(4)));
    // Torn, the record ends the log, although the frame inside it has the very position that is
    // missing.
    log.bytes[log.starts[2]] ^= 1;
    assert_eq!(read(&log.bytes), Ok(log.kept(2)));
}
