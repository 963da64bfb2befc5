//! The binary form of a node's one ordered log, and what a restart makes of the bytes it finds.
//!
//! ```text
//!  frame       | length u32 | crc u32 | position u64 | durable u64 | payload: `length` bytes |
//!  checkpoint  | crc u32 | covers u64 | payload: to the end |
//! ```
//!
//! Numbers are little endian, payloads are postcard: a record, or a list of them. Each CRC-32
//! covers everything of its frame or checkpoint but itself. *Positions* count records, from 0.
//! `durable` is how far the log was known to be on disk when the record was written: every record
//! below it had been synced. A checkpoint stands for all records below `covers`.
//!
//! # Torn or rotten?
//!
//! A crash may leave any part of what was not yet synced: half a record, zeroes, a later record
//! without an earlier one. No machine was told about those records, so they are a *tail*, and cut.
//! But a bad record that had been synced was a promise to another machine (a vote, a decision, a
//! grant), and a node that starts without it may break that promise. Bytes alone cannot tell the
//! two apart: both are a wrong checksum, and many a log has thrown away its middle as if it were
//! its end. That is what the marks are for (Alagappan et al., "Protocol-Aware Recovery for
//! Consensus-Based Storage", FAST 2018, draw the same line, with the marks kept apart from the
//! log):
//!
//! - a bad record *below* a position that a later intact record, or the checkpoint, names as
//!   durable is [`Corruption`]: the node refuses to start and never skips it;
//! - *above* the last such position it is a tail, holes included, and is cut, whatever intact
//!   records lie behind it: they were not durable either, and a log with a hole is not in order.
//!
//! The length of a bad frame cannot be trusted, so the search for marks behind it goes on byte by
//! byte. What cannot be known: rot in what was synced last, with no record written since, looks
//! like a tear.
//!
//! # What the driver owes
//!
//! - It passes as `durable` only what a *finished* sync covered, and a sync covers what was
//!   appended when it began.
//! - It makes a cut durable before it appends again, else remains of the old tail could fall in
//!   place behind the new records.
//! - It writes a checkpoint only when the log is durable up to `covers`, lazy records included, and
//!   replaces the old one in one piece. After that it may drop frames below `covers` from the front
//!   of the log.
//!
//! A client chooses the contents of its files and could hide a well-formed frame in them. If a
//! crash tears the record around it, recovery may take the hidden frame's mark for a real one, and
//! refuse to start where it could have cut. It errs on that side only: nothing behind a bad record
//! is ever taken over.

use std::ops::Range;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a node finds on its disk at a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered<R> {
    /// The checkpoint's records, then the log's from where the checkpoint ends.
    pub records: Vec<R>,
    /// The position of the next record to be appended.
    pub next: u64,
    /// How many bytes at the end of the log are a torn tail. They must be removed before the next
    /// append.
    pub cut: usize,
}

/// What a start does about a record that is damaged although it was durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCorruption {
    /// It refuses to start.
    Refuse,
    /// It goes on with the next intact record: a deliberate bug.
    Skip,
}

/// Why a node refuses to start: its disk has lost or changed what it had synced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corruption {
    /// A record is damaged although a later one says that it was durable.
    #[error(
        "record {position} at byte {offset} of the log is damaged, \
         but record {named_by} says that the log was durable up to {durable}"
    )]
    BelowMark {
        /// The damaged record's position.
        position: u64,
        /// Where in the log it should begin.
        offset: usize,
        /// The mark that contradicts.
        durable: u64,
        /// The position of the record that carries the mark.
        named_by: u64,
    },
    /// A record is damaged or missing although the checkpoint covers it, so that it was durable.
    #[error(
        "record {position} at byte {offset} of the log is damaged or missing, \
         but the checkpoint says that the log was durable up to {covers}"
    )]
    BelowCheckpoint {
        /// The damaged record's position.
        position: u64,
        /// Where in the log it should begin.
        offset: usize,
        /// How far the checkpoint covers the log.
        covers: u64,
    },
    /// A record is as it was written, but no record of this program.
    #[error(
        "record {position} at byte {offset} of the log is intact but not one of this program's"
    )]
    Foreign {
        /// The record's position.
        position: u64,
        /// Where in the log it begins.
        offset: usize,
    },
    /// The checkpoint is damaged. It is written in one piece, so no crash explains that.
    #[error("the checkpoint of {length} bytes is damaged")]
    Checkpoint {
        /// Its length in bytes.
        length: usize,
    },
    /// The checkpoint is as it was written, but does not hold records of this program.
    #[error("the checkpoint up to record {covers} is intact but not one of this program's")]
    ForeignCheckpoint {
        /// How far it covers the log.
        covers: u64,
    },
}

/// Appends the frame of `record` to `out`.
///
/// `position` is the record's own; every record below `durable` had been synced when this was
/// called.
pub fn append<R: Serialize>(record: &R, position: u64, durable: u64, out: &mut Vec<u8>) {
    assert!(durable <= position, "record {position} written when {durable} were durable");
    let start = out.len();
    out.extend_from_slice(&[0; PAYLOAD]);
    encode(record, out);
    let frame = &mut out[start..];
    let length = u32::try_from(frame.len() - PAYLOAD).expect("a record is shorter than 4 GiB");
    frame[LENGTH].copy_from_slice(&length.to_le_bytes());
    frame[POSITION].copy_from_slice(&position.to_le_bytes());
    frame[DURABLE].copy_from_slice(&durable.to_le_bytes());
    let crc = frame_crc(frame);
    frame[CRC].copy_from_slice(&crc.to_le_bytes());
}

/// The checkpoint that stands for all records below position `covers`.
pub fn write_checkpoint<R: Serialize>(covers: u64, records: &[R]) -> Vec<u8> {
    let mut out = vec![0; CHECKPOINT_CRC];
    out.extend_from_slice(&covers.to_le_bytes());
    encode(records, &mut out);
    let crc = crc32fast::hash(&out[CHECKPOINT_CRC..]);
    out[..CHECKPOINT_CRC].copy_from_slice(&crc.to_le_bytes());
    out
}

/// Reads what a crash, or rot, has left of a checkpoint and the log.
///
/// The log's first record must be one that the checkpoint covers or the next one after. Records
/// that it covers must be intact in the log as long as the log still has them, but are not looked
/// into.
pub fn recover<R: DeserializeOwned>(
    checkpoint: Option<&[u8]>,
    log: &[u8],
    on_corruption: OnCorruption,
) -> Result<Recovered<R>, Corruption> {
    let (covers, mut records) = checkpoint.map_or(Ok((0, Vec::new())), read_checkpoint)?;
    let mut offset = 0;
    let mut position = first_position(log, covers);
    loop {
        if let Some(frame) = Frame::intact(log, offset, |frame| frame.position == position) {
            if position >= covers {
                let foreign = Corruption::Foreign { position, offset };
                records.push(decode(frame.payload).ok_or(foreign)?);
            }
            offset += frame.size();
            position += 1;
        } else if let Some(corruption) = contradiction(log, offset, position, covers) {
            if on_corruption == OnCorruption::Refuse {
                return Err(corruption);
            }
            match search(log, offset, |frame| frame.position > position) {
                Some((behind, frame)) => (offset, position) = (behind, frame.position),
                None => break,
            }
        } else {
            break;
        }
    }
    Ok(Recovered { records, next: position.max(covers), cut: log.len() - offset })
}

/// Where the log begins: below `covers` if the checkpoint is newer than the last trimming, else
/// there.
///
/// If the first frame is bad, the next intact one shows whether it was one that the checkpoint
/// covers.
fn first_position(log: &[u8], covers: u64) -> u64 {
    match search(log, 0, |_| true) {
        Some((0, first)) => first.position.min(covers),
        Some((_, second)) if second.position <= covers => second.position.saturating_sub(1),
        _ => covers,
    }
}

/// What says that the record at `position`, which is bad, was durable; `None` if nothing does.
///
/// Only records behind it can: a mark is never above the position of the record that carries it.
fn contradiction(log: &[u8], offset: usize, position: u64, covers: u64) -> Option<Corruption> {
    if position < covers {
        return Some(Corruption::BelowCheckpoint { position, offset, covers });
    }
    let (_, witness) = search(log, offset, |frame| frame.durable > position)?;
    let (durable, named_by) = (witness.durable, witness.position);
    Some(Corruption::BelowMark { position, offset, durable, named_by })
}

/// The first intact frame at any byte from `from` on that is `wanted`, and where it begins.
fn search(
    log: &[u8],
    from: usize,
    wanted: impl Fn(&Frame<'_>) -> bool,
) -> Option<(usize, Frame<'_>)> {
    (from..log.len()).find_map(|at| Some((at, Frame::intact(log, at, &wanted)?)))
}

const LENGTH: Range<usize> = 0..4;
const CRC: Range<usize> = 4..8;
const POSITION: Range<usize> = 8..16;
const DURABLE: Range<usize> = 16..24;
/// Where the payload begins: the size of a frame's head.
const PAYLOAD: usize = 24;
const CHECKPOINT_CRC: usize = 4;

/// A frame as it stands in the log. Nothing is copied: a length is a claim until it fits what
/// remains.
struct Frame<'a> {
    position: u64,
    durable: u64,
    payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame that begins at byte `offset`, if it is `wanted` and its checksum is right.
    ///
    /// The checksum comes last because a search asks this at every byte.
    fn intact(
        log: &'a [u8],
        offset: usize,
        wanted: impl Fn(&Frame<'a>) -> bool,
    ) -> Option<Frame<'a>> {
        let rest = log.get(offset..)?;
        let head = rest.get(..PAYLOAD)?;
        let length = usize::try_from(u32_at(head, LENGTH)).ok()?;
        let payload = rest[PAYLOAD..].get(..length)?;
        let frame =
            Frame { position: u64_at(head, POSITION), durable: u64_at(head, DURABLE), payload };
        // No log has a record at the largest number, which would leave none for the next.
        let possible = frame.durable <= frame.position && frame.position < u64::MAX;
        let intact = || frame_crc(&rest[..frame.size()]) == u32_at(head, CRC);
        (possible && wanted(&frame) && intact()).then_some(frame)
    }

    fn size(&self) -> usize {
        PAYLOAD + self.payload.len()
    }
}

/// The checksum of a whole frame: of its length and of all that follows the checksum's own place.
fn frame_crc(frame: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&frame[LENGTH]);
    crc.update(&frame[CRC.end..]);
    crc.finalize()
}

fn read_checkpoint<R: DeserializeOwned>(bytes: &[u8]) -> Result<(u64, Vec<R>), Corruption> {
    let damaged = Corruption::Checkpoint { length: bytes.len() };
    let Some((crc, body)) = bytes.split_first_chunk::<CHECKPOINT_CRC>() else {
        return Err(damaged);
    };
    match body.split_first_chunk() {
        Some((covers, payload)) if crc32fast::hash(body) == u32::from_le_bytes(*crc) => {
            let covers = u64::from_le_bytes(*covers);
            let records = decode(payload).ok_or(Corruption::ForeignCheckpoint { covers })?;
            Ok((covers, records))
        }
        _ => Err(damaged),
    }
}

fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    let bytes = postcard::to_allocvec(value).expect("records can be written to memory");
    out.extend_from_slice(&bytes);
}

/// The value, if the payload is one and nothing else.
fn decode<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(payload) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

/// `bytes` is a whole head, `range` four bytes of it.
fn u32_at(bytes: &[u8], range: Range<usize>) -> u32 {
    bytes[range].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// `bytes` is a whole head, `range` eight bytes of it.
fn u64_at(bytes: &[u8], range: Range<usize>) -> u64 {
    bytes[range].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
