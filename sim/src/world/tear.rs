//! What a crash leaves of the records that it takes.
//!
//! What no sync covered may be on the disk in any part: blocks are written in any order, and a file
//! may have grown before what it holds was written.

use seedbed::machine::log;
use serde::Serialize;

/// How the first record that a crash takes is torn. Whatever the form, it is not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub enum Tear {
    /// It ends early.
    #[default]
    Prefix,
    /// It is as long as it was, and zeros from some place on.
    Zeros,
    /// A block of it is zeros, and what is behind that is there.
    Hole {
        /// How many bytes the block has.
        length: u32,
        /// How many of the records behind it are there, whole.
        behind: u32,
    },
}

/// What is on a disk of `lost`, records with their marks, of which the first would have had the
/// position `first`: `torn` bytes of that one, and what the form of the tear says. Nothing if
/// `torn` is 0. Gives how many bytes of the first are there before it is torn.
pub(super) fn tear<'a, R: Serialize + 'a>(
    mut lost: impl Iterator<Item = (&'a R, u64)>,
    first: u64,
    torn: u32,
    form: Tear,
    out: &mut Vec<u8>,
) -> u32 {
    out.clear();
    let Some((record, durable)) = lost.next().filter(|_| torn > 0) else { return 0 };
    log::append(record, first, durable, out);
    let whole = out.clone();
    // A record that is there to its last byte would not be torn but kept.
    let torn = (torn as usize).min(whole.len() - 1);
    match form {
        Tear::Prefix => out.truncate(torn),
        Tear::Zeros => out[torn..].fill(0),
        Tear::Hole { length, .. } => {
            let end = torn.saturating_add(length as usize).min(whole.len() - 1);
            out[torn..end.max(torn + 1)].fill(0);
        }
    }
    if *out == whole {
        out.truncate(torn); // what is zeros now was zeros before
    }
    if let Tear::Hole { behind, .. } = form {
        for (position, (record, durable)) in (first + 1..).zip(lost).take(behind as usize) {
            log::append(record, position, durable, out);
        }
    }
    torn as u32
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use seedbed::machine::log::{OnCorruption, Recovered, recover};
    use seedbed::machine::{Incarnation, NodeId, RequestId};
    use seedbed::proto::{Admission, Record, Token};

    /// Records that end in zeros and records that do not, of which two were durable when the last
    /// four were written.
    fn log() -> Vec<(Record, u64)> {
        let request =
            RequestId { client: NodeId::client(1), incarnation: Incarnation(0), number: 0 };
        let records = [
            Record::Born { admission: Admission(1) },
            Record::LastToken { token: Token(7) },
            Record::LockOver { request, refused: false },
            Record::LastToken { token: Token(0) },
            Record::Declined { request, refusal: seedbed::proto::Refusal::DiskFull },
            Record::LastToken { token: Token(300) },
        ];
        let marks = [0, 0, 2, 2, 2, 2];
        records.into_iter().zip(marks).collect()
    }

    fn tear_all(lost: &[(Record, u64)], first: u64, torn: u32, form: Tear) -> Vec<u8> {
        let mut tail = Vec::new();
        tear(lost.iter().map(|(record, mark)| (record, *mark)), first, torn, form, &mut tail);
        tail
    }

    fn every_form() -> impl Iterator<Item = Tear> {
        let holes = [1, 3, 20, 1_000]
            .into_iter()
            .flat_map(|length| (0..=3).map(move |behind| Tear::Hole { length, behind }));
        [Tear::Prefix, Tear::Zeros].into_iter().chain(holes)
    }

    #[test]
    fn a_torn_tail_is_cut_whatever_its_form_and_nothing_before_it_is() {
        for form in every_form() {
            for kept in 2..=5 {
                for torn in 0..80 {
                    let mut there = log();
                    let lost = there.split_off(kept);
                    let mut bytes = Vec::new();
                    for (position, (record, mark)) in (0..).zip(&there) {
                        log::append(record, position, *mark, &mut bytes);
                    }
                    let tail = tear_all(&lost, kept as u64, torn, form);
                    bytes.extend(&tail);
                    let records = there.into_iter().map(|(record, _)| record).collect();
                    let expected = Recovered { records, next: kept as u64, cut: tail.len() };
                    let found = recover(None, &bytes, OnCorruption::Refuse);
                    assert_eq!(found, Ok(expected), "{form:?}, {kept} kept, {torn} bytes");
                }
            }
        }
    }

    /// What is left of the first lost record, and how long it was.
    fn tail(torn: u32, form: Tear) -> (Vec<u8>, Vec<u8>) {
        let lost = log().split_off(5);
        let mut whole = Vec::new();
        log::append(&lost[0].0, 5, lost[0].1, &mut whole);
        (tear_all(&lost, 5, torn, form), whole)
    }

    #[test]
    fn each_form_leaves_what_it_says() {
        let (prefix, whole) = tail(9, Tear::Prefix);
        assert_eq!(prefix, whole[..9]);
        let (zeros, whole) = tail(9, Tear::Zeros);
        assert_eq!((zeros.len(), &zeros[..9]), (whole.len(), &whole[..9]));
        assert!(zeros[9..].iter().all(|byte| *byte == 0));
        let (hole, whole) = tail(4, Tear::Hole { length: 5, behind: 0 });
        assert_eq!((&hole[..4], &hole[9..]), (&whole[..4], &whole[9..]));
        assert_eq!(hole[4..9], [0; 5]);
    }

    #[test]
    fn a_hole_where_zeros_were_would_leave_the_record_whole_and_ends_it() {
        let (hole, whole) = tail(10, Tear::Hole { length: 2, behind: 0 });
        assert_eq!(whole[10..12], [0, 0], "the position is a small number");
        assert_eq!(hole, whole[..10]);
    }
}
