//! A disk with one ordered log: what is durable, what is on its way, what a crash leaves.
//!
//! Records are kept as values while the machine runs. Their binary form is made when it matters, at
//! a start: then the disk writes out what a reader would find, with the torn record at its end or
//! the bit that reads wrong, and the recovery that ships reads it.

use std::collections::VecDeque;

use seedbed::machine::log::{self, OnCorruption, Recovered};
use seedbed::machine::{Append, Snapshot, System};
use serde::Serialize;

use super::tear::{Tear, tear};

/// A bit of the log that reads wrong at one start. The disk itself is unharmed: a later start reads
/// it right, as if a bad cable had been replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Rot {
    /// Which record, counted from the log's head, wrapped at its length.
    pub record: u32,
    /// Which bit of its binary form, wrapped at its length.
    pub bit: u32,
}

/// A disk.
#[derive(Clone, Debug)]
pub struct Disk<S: System> {
    checkpoint: Option<Snapshot<S>>,
    /// The position of the first record in `records`.
    first: u64,
    records: VecDeque<Written<S>>,
    /// Everything below this position survives a crash.
    durable: u64,
    /// How far the sync under way reaches.
    syncing: Option<u64>,
    /// A checkpoint on its way, and whether the sync under way carries it.
    checkpointing: Option<(Snapshot<S>, bool)>,
    /// What is left of records that were being written in the last crash.
    torn: Vec<u8>,
    forced_records: u64,
    /// Is there room only for what was begun or promised?
    is_full: bool,
    /// Does no sync end?
    is_stalled: bool,
}

/// A record with the log's durable mark from when it was written.
#[derive(Clone, Debug)]
struct Written<S: System> {
    record: S::Record,
    durable: u64,
}

impl<S: System> Default for Disk<S> {
    fn default() -> Disk<S> {
        Disk {
            checkpoint: None,
            first: 0,
            records: VecDeque::new(),
            durable: 0,
            syncing: None,
            checkpointing: None,
            torn: Vec::new(),
            forced_records: 0,
            is_full: false,
            is_stalled: false,
        }
    }
}

impl<S: System> Disk<S> {
    /// The log's length.
    pub fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// Everything below this position survives a crash.
    pub fn durable(&self) -> u64 {
        self.durable
    }

    /// Records that a crash may lose.
    pub fn pending(&self) -> u64 {
        self.end() - self.durable
    }

    /// Records that something had to wait for.
    pub fn forced_records(&self) -> u64 {
        self.forced_records
    }

    /// Is there room only for what was begun or promised?
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Does no sync end until it goes on?
    pub fn is_stalled(&self) -> bool {
        self.is_stalled
    }

    /// The records that the sync under way makes durable; none if there is no sync.
    pub fn syncing_records(&self) -> impl Iterator<Item = &S::Record> {
        let to = self.syncing.map_or(self.durable, |reached| reached.max(self.durable));
        let (from, to) = ((self.durable - self.first) as usize, (to - self.first) as usize);
        self.records.range(from..to).map(|written| &written.record)
    }

    pub(super) fn set_full(&mut self, is_full: bool) {
        self.is_full = is_full;
    }

    pub(super) fn set_stalled(&mut self, is_stalled: bool) {
        self.is_stalled = is_stalled;
    }

    /// The records that a start would replay if the machine crashed now and lost all that is not
    /// durable.
    pub fn durable_records(&self) -> impl Iterator<Item = &S::Record> {
        self.head().chain(self.durable_tail())
    }

    /// Those of them that no checkpoint has replaced.
    pub fn durable_tail(&self) -> impl Iterator<Item = &S::Record> {
        let durable = (self.durable - self.first.min(self.durable)) as usize;
        self.records.iter().take(durable).map(|written| &written.record)
    }

    /// Its checkpoint and all that was appended since, durable or not.
    pub fn records(&self) -> impl Iterator<Item = &S::Record> {
        self.head().chain(self.records.iter().map(|written| &written.record))
    }

    fn head(&self) -> impl Iterator<Item = &S::Record> {
        self.checkpoint.iter().flat_map(|snapshot| snapshot.records.iter())
    }

    pub(super) fn append(&mut self, append: Append<S>) -> u64 {
        let position = self.end();
        self.forced_records += u64::from(append.forced);
        self.records.push_back(Written { record: append.record, durable: self.durable });
        position
    }

    /// Is a sync under way?
    pub fn is_syncing(&self) -> bool {
        self.syncing.is_some()
    }

    /// Is a checkpoint being written?
    pub fn is_checkpointing(&self) -> bool {
        self.checkpointing.is_some()
    }

    /// What the checkpoint says that is being written, or else the last one.
    pub fn newest_checkpoint(&self) -> Option<&[S::Record]> {
        let newest = self.checkpointing.as_ref().map(|(snapshot, _)| snapshot);
        newest.or(self.checkpoint.as_ref()).map(|snapshot| &*snapshot.records)
    }

    /// Begins to sync what is there, unless a sync is under way.
    pub(super) fn begin_sync(&mut self) -> bool {
        if self.syncing.is_some() {
            return false;
        }
        self.syncing = Some(self.end());
        if let Some((_, carried)) = &mut self.checkpointing {
            *carried = true;
        }
        true
    }

    /// The sync under way is done: everything up to here is durable, and maybe a checkpoint is in
    /// place. What it has replaced goes into `replaced`; gives how far it covers the log.
    pub(super) fn finish_sync(&mut self, replaced: &mut Vec<S::Record>) -> Option<u64> {
        assert!(!self.is_stalled, "no sync ends on a disk that stalls");
        let reached = self.syncing.take().expect("a sync is under way");
        self.durable = self.durable.max(reached);
        let (snapshot, _) = self.checkpointing.take_if(|(_, carried)| *carried)?;
        Some(self.install(snapshot, replaced))
    }

    /// A crash ends a checkpoint that was being written: it is there as a whole or not at all, and
    /// it is there only if a sync carried it and all that it covers is. Says the same as
    /// [`finish_sync`](Disk::finish_sync).
    pub(super) fn end_checkpoint(
        &mut self,
        is_there: bool,
        replaced: &mut Vec<S::Record>,
    ) -> Option<u64> {
        let (snapshot, carried) = self.checkpointing.take()?;
        let is_there = is_there && carried && snapshot.covers <= self.durable;
        is_there.then(|| self.install(snapshot, replaced))
    }

    fn install(&mut self, snapshot: Snapshot<S>, replaced: &mut Vec<S::Record>) -> u64 {
        let covers = snapshot.covers;
        let covered = (covers - self.first) as usize;
        replaced.extend(self.head().cloned());
        replaced.extend(self.records.drain(..covered).map(|written| written.record));
        self.first = covers;
        self.durable = self.durable.max(covers);
        self.checkpoint = Some(snapshot);
        covers
    }

    pub(super) fn write_checkpoint(&mut self, snapshot: Snapshot<S>) {
        self.checkpointing = Some((snapshot, false));
    }

    /// How far the sync under way reaches.
    pub(super) fn syncing_to(&self) -> u64 {
        self.syncing.expect("a sync is under way")
    }

    pub(crate) fn record(&self, position: u64) -> &S::Record {
        &self.records[(position - self.first) as usize].record
    }

    /// Loses what was not durable, but for the first `kept` records of it and `torn` bytes of the
    /// next, which is torn in this form. Gives the position of the first record lost, how many are,
    /// and how many bytes of the first are left.
    pub(super) fn crash(&mut self, kept: u32, torn: u32, form: Tear) -> (u64, u64, u32) {
        let survive = (self.durable + u64::from(kept)).min(self.end());
        let lost = self.records.split_off((survive - self.first) as usize);
        let all = lost.iter().map(|written| (&written.record, written.durable));
        let torn = tear(all, survive, torn, form, &mut self.torn);
        self.syncing = None;
        self.durable = survive;
        (survive, lost.len() as u64, torn)
    }

    /// Loses everything: another disk is in its place, with room and without a stall. What was ever
    /// forced stays counted.
    pub(super) fn wipe(&mut self) {
        *self = Disk { forced_records: self.forced_records, ..Disk::default() };
    }

    /// What the machine finds when it starts.
    pub(super) fn read(
        &mut self,
        rot: Option<Rot>,
        on_corruption: OnCorruption,
    ) -> Result<Recovered<S::Record>, log::Corruption> {
        let checkpoint = self.checkpoint.as_ref();
        let checkpoint = checkpoint.map(|s| log::write_checkpoint(s.covers, &s.records));
        let (mut bytes, starts) = self.written();
        bytes.extend_from_slice(&self.torn);
        if let Some(Rot { record, bit }) = rot.and_then(|rot| self.placed(rot)) {
            let bit = starts[record as usize] * 8 + bit as usize;
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let recovered = log::recover(checkpoint.as_deref(), &bytes, on_corruption)?;
        self.torn.clear(); // a tail is cut when the machine starts, and not before
        Ok(recovered)
    }

    /// The log in binary form, and where its records begin in it; the last is the end.
    fn written(&self) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = Vec::new();
        let mut starts = Vec::with_capacity(self.records.len() + 1);
        for (position, written) in (self.first..).zip(&self.records) {
            starts.push(bytes.len());
            log::append(&written.record, position, written.durable, &mut bytes);
        }
        starts.push(bytes.len());
        (bytes, starts)
    }

    /// The bit that `rot` says, both numbers within what is there; `None` if no record is proved to
    /// have been durable.
    pub fn placed(&self, rot: Rot) -> Option<Rot> {
        let records = u32::try_from(self.provably_durable()).ok().filter(|records| *records > 0)?;
        let record = rot.record % records;
        let (_, starts) = self.written();
        let bytes = starts[record as usize + 1] - starts[record as usize];
        Some(Rot { record, bit: rot.bit % u32::try_from(bytes * 8).ok()? })
    }

    /// How many of the records some later one proves to have been durable. Only there can a bit
    /// that reads wrong be told from a record that was torn.
    fn provably_durable(&self) -> usize {
        let mark = self.records.back().map_or(self.first, |last| last.durable);
        mark.saturating_sub(self.first) as usize
    }
}
