//! Hand-over: a new owner pulls what it owns from those who had it.
//!
//! | new owner | owner of an earlier epoch |
//! |---|---|
//! | `Pull(epoch, level, arcs, after)` | is in the same epoch, and tells of the earlier epoch `level` |
//! | forces `Pulled`, asks for what comes after | `Chunk(files)`: paths in order, without those that it is in doubt about |
//! | forces `Complete` | `Chunk(files, answers, end)`: where it was complete, and where it is a witness |
//!
//! The table speaks of *arcs*, pieces of the ring with all paths on them. What is pulled is all
//! that is durable of a path: contents, version, fence, also of paths that are deleted, and what
//! is known of requests. It replaces what the new owner had, copies of files that the source does
//! not have included. It also replaces every vote that the new owner gave there in an older epoch:
//! the source knows how that transaction has ended, and what it hands over says so. A later
//! decision is recorded and acknowledged, and changes nothing. A source hands nothing over before
//! the centre has noted that it has left the older epochs ([`reports`](super::reports)).
//!
//! # Whom to ask
//!
//! The owners of the epoch before. One that was complete there hands over: it has all that was
//! committed, because its own vote was needed, and it hands no path over about which it is in
//! doubt. One that was *not* complete never voted there and, having left that epoch, never will: it
//! is a **witness** that nothing was committed in it, and on the pieces it witnesses, the owners of
//! the epoch before that are asked in turn, and so on back to the last epoch that has settled, in
//! which everyone was complete. The new owner may itself be the witness. It may even be the source:
//! it was complete in an older epoch, and each epoch since has a witness. Then it is complete, and
//! its votes count. If neither a complete owner nor a witness answers, the piece waits; it is never
//! served empty.
//!
//! # Pace and crashes
//!
//! One pull at a time and one chunk at a time, with a pause between. Every message names the epoch
//! and the pull, and a chunk of any other is ignored: a late one would put back what has changed
//! since. If the source stays quiet another is asked; if the new owner restarts it begins again.
//!
//! A source that is far away or slow looks like one that is quiet, and its chunk comes when the
//! pull is over. So each pull that a source leaves without an answer doubles the patience with that
//! source, until a pull from it has ended: a round trip of any length up to `request_timeout` fits
//! into some pull. A source that was down for a while is waited for at most about as long as it was
//! down, and sources that were quiet in fewer pulls are asked before it.
//!
//! # Lost disks
//!
//! A node whose disk is lost can neither hand over nor testify; that it is lost the centre says.
//! It also says which epoch it had recorded the node to have entered. The centre gives no lease
//! before that record, so for each later epoch a lost owner counts as a witness. If all owners of
//! a piece have lost their disks in an epoch that they had entered, the piece waits for the
//! operator to give them up. A view says which members are given up, so that all owners that enter
//! it agree, and no copy is taken from a member that is given up.
//!
//! Then the new owner also uses the copy of an epoch before those members were owners, on a
//! stricter condition: *each* owner of every epoch since is given up or has said that it was not
//! complete. One witness for an epoch, enough elsewhere, is not enough here. What was committed in
//! the epoch of the members that are given up, another owner of a newer epoch may have pulled. If
//! the condition holds of every epoch back to the last that has settled, and of that one too, no
//! copy is left: the piece begins again (`Reset`), absent, at version 0, with no fence. An owner
//! drops whatever it has of it, and its votes there, which are of an epoch before.
//!
//! A path that a source is in doubt about does not hold up the others: the source says where paths
//! are left out, and the new owner asks for these again until the doubt is over.

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use sources::{Source, Told, Trail};

use super::owner::{Answered, Owner};
use super::standing::Standing;
use super::txn::participant::Participant;
use super::{
    Admission, Arcs, Config, Defect, Epoch, File, Handed, Message, Outbox, Path, PullEnd, Record,
};
use super::{Timer, Timers};
use crate::machine::{Incarnation, NodeId, Span, Time};

/// What a node has at hand while paths move.
pub(super) struct Move<'a> {
    pub config: &'a Config,
    pub incarnation: Incarnation,
    pub now: Time,
    /// Has the centre noted the report of the node on the epochs that it has left?
    pub is_noted: bool,
    pub standing: &'a mut Standing,
    pub owner: &'a mut Owner,
    pub participant: &'a mut Participant,
    pub timers: &'a mut Timers,
    pub out: &'a mut Outbox,
}

/// What a new owner pulls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Handover {
    /// The number of the last pull of this life.
    last: u32,
    current: Option<Pull>,
    told: Told,
    /// Who has been asked in vain since there was anything new.
    tried: BTreeSet<Source>,
    /// How many pulls from a source were given up in a row, because it was quiet for too long.
    quiet: BTreeMap<Source, u32>,
}

/// How often a chunk is asked for before another source is.
const MOST_ASKS: u32 = 2;

/// A pull under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Pull {
    number: u32,
    source: Source,
    arcs: Arcs,
    after: Option<Path>,
    /// Where the source has left paths out, because it is in doubt about them.
    doubtful: Arcs,
    /// The paths that the source had.
    pulled: BTreeSet<Path>,
    /// How often the next chunk was asked for.
    asks: u32,
}

/// A chunk as it arrives.
pub(super) struct Chunk {
    pub epoch: Epoch,
    pub pull: u32,
    pub incarnation: Incarnation,
    pub after: Option<Path>,
    pub files: Arc<[(Path, File)]>,
    pub doubtful: Arcs,
    pub answers: Arc<[Handed]>,
    pub end: Option<PullEnd>,
}

/// The new owner's side.
impl Handover {
    /// Forgets what was under way: the node is in another epoch.
    pub fn on_enter(&mut self, turn: &mut Move<'_>) {
        *self = Handover { last: self.last, ..Handover::default() };
        self.proceed(turn);
    }

    /// Pulls what is missing, if anything is and nobody is being asked.
    pub fn proceed(&mut self, turn: &mut Move<'_>) {
        if self.current.is_some() || turn.standing.missing().is_empty() {
            return;
        }
        let trail = self.told.trail(turn.config, turn.standing);
        if !trail.at_hand.is_empty() {
            complete(turn, &trail.at_hand);
            return self.proceed(turn);
        }
        if !trail.given_up.is_empty() {
            reset(turn, &trail.given_up);
            return self.proceed(turn);
        }
        // A source hands nothing over before its own report is noted, so it is too early to ask. No
        // machine is asked for what stands above, and nothing is served before the report is noted.
        if !turn.is_noted {
            return;
        }
        match self.next_source(turn.standing, &trail) {
            Some((source, arcs)) => {
                self.last += 1;
                self.tried.insert(source);
                self.current = Some(Pull {
                    number: self.last,
                    source,
                    arcs,
                    after: None,
                    doubtful: Arcs::default(),
                    pulled: BTreeSet::new(),
                    asks: 0,
                });
                self.ask(turn);
            }
            None => {
                // Everyone has been asked; perhaps somebody is there, or settled, a little later.
                self.tried.clear();
                turn.timers.set(Timer::Pull, turn.now + turn.config.inquiry_interval);
            }
        }
    }

    /// The source to ask next, and for what: of those that have not been asked, one that is likely
    /// to be there. That is a source that has answered, and one that is a member still.
    fn next_source(&self, standing: &Standing, trail: &Trail) -> Option<(Source, Arcs)> {
        let is_untried = |source: &Source| {
            Some(source.owner) != standing.member() && !self.tried.contains(source)
        };
        let view = standing.layout().map(|layout| layout.view());
        let has_left = |source: &Source| !view.is_some_and(|view| view.has(source.owner));
        let doubts = |source: &Source| (self.quiet.get(source), has_left(source));
        let is_likely = |source: &Source| is_untried(source) && doubts(source) == (None, false);
        // Usually the first look finds one; of the others all must be compared.
        let likely = self.told.sources(standing, trail, is_likely).next();
        let untried = || self.told.sources(standing, trail, is_untried);
        likely.or_else(|| untried().min_by_key(|(source, _)| doubts(source)))
    }

    /// Time for the next chunk, or to ask for it again, or for somebody else.
    pub fn on_pull_time(&mut self, turn: &mut Move<'_>) {
        if let Some(pull) = self.current.take_if(|pull| pull.asks >= MOST_ASKS) {
            *self.quiet.entry(pull.source).or_default() += 1;
        }
        match self.current.is_some() {
            true => self.ask(turn),
            false => self.proceed(turn),
        }
    }

    pub fn on_chunk(&mut self, turn: &mut Move<'_>, from: NodeId, mut chunk: Chunk) {
        let is_awaited = self.current.as_ref().is_some_and(|pull| {
            chunk.epoch == turn.standing.epoch()
                && (chunk.incarnation, chunk.pull) == (turn.incarnation, pull.number)
                && from == pull.source.owner.node
                && chunk.after == pull.after
                && pull.asks > 0
        });
        if let Some(pull) = self.current.as_mut().filter(|_| is_awaited) {
            pull.take(turn, &mut chunk);
        }
        if is_awaited || turn.config.defects.has(Defect::StaleChunkApplied) {
            install(turn, &chunk);
        }
        let Some(pull) = self.current.as_mut().filter(|_| is_awaited) else { return };
        let Some(end) = chunk.end else {
            if let Some((last, _)) = chunk.files.last() {
                pull.after = Some(last.clone());
                pull.asks = 0;
                return turn.timers.set(Timer::Pull, turn.now + turn.config.chunk_pause);
            }
            return; // no source sends that
        };
        let source = pull.source;
        self.current = None;
        self.quiet.remove(&source); // not before: the next chunk takes as long as this one
        let is_new = self.told.witness(source, &end.witnessed);
        let pulled = end.complete.intersection(turn.standing.missing());
        if !pulled.is_empty() {
            complete(turn, &pulled);
        }
        if is_new || !pulled.is_empty() {
            self.tried.clear();
        }
        match chunk.files.is_empty() {
            true => self.proceed(turn),
            false => turn.timers.set(Timer::Pull, turn.now + turn.config.chunk_pause),
        }
    }

    fn ask(&mut self, turn: &mut Move<'_>) {
        let Some(pull) = &mut self.current else { return };
        let quiet = self.quiet.get(&pull.source).copied().unwrap_or_default();
        let patience = patience(turn.config, quiet).times(1 << pull.asks);
        pull.asks += 1;
        let Source { level, owner } = pull.source;
        let message = Message::Pull {
            epoch: turn.standing.epoch(),
            pull: pull.number,
            incarnation: turn.incarnation,
            level,
            owner: owner.admission,
            arcs: pull.arcs.clone(),
            after: pull.after.clone(),
        };
        turn.out.send(owner.node, message);
        turn.timers.set(Timer::Pull, turn.now + patience);
    }
}

impl Pull {
    /// The last chunk says where the source was complete. What it has left out there, because it
    /// was in doubt, is not pulled; and what it does not have does not exist: the node may have an
    /// old copy of a file that has begun again since.
    fn take(&mut self, turn: &Move<'_>, chunk: &mut Chunk) {
        self.doubtful = self.doubtful.union(&chunk.doubtful);
        self.pulled.extend(chunk.files.iter().map(|(path, _)| path.clone()));
        let Some(end) = &mut chunk.end else { return };
        end.complete = end.complete.difference(&self.doubtful);
        let is_lacking = |path: &&Path| {
            end.complete.contains(turn.config.position(path)) && !self.pulled.contains(*path)
        };
        let lacking = turn.owner.files.keys().filter(is_lacking);
        let absent: Vec<_> = lacking.map(|path| (path.clone(), File::default())).collect();
        if !absent.is_empty() {
            chunk.files = chunk.files.iter().cloned().chain(absent).collect();
        }
    }
}

/// How long the first answer to a pull is waited for, from a source that was quiet in so many pulls
/// before. The second is waited for twice as long.
fn patience(config: &Config, quiet: u32) -> Span {
    let most = config.request_timeout.fraction(3).max(config.inquiry_interval);
    config.inquiry_interval.times(1 << quiet.min(32)).min(most)
}

/// Takes over what was pulled, durably.
fn install(turn: &mut Move<'_>, chunk: &Chunk) {
    let replaced = chunk.end.as_ref().map(|end| end.complete.clone()).unwrap_or_default();
    if chunk.files.is_empty() && replaced.is_empty() {
        return;
    }
    let (files, answers) = (chunk.files.clone(), chunk.answers.clone());
    replay_pulled(turn.config, turn.owner, turn.participant, (&files, &answers, &replaced));
    turn.out.force(Record::Pulled { files, answers, replaced });
}

/// What taking over does to the node's memory, also when it recovers.
pub(super) fn replay_pulled(
    config: &Config,
    owner: &mut Owner,
    participant: &mut Participant,
    (files, answers, replaced): (&[(Path, File)], &[Handed], &Arcs),
) {
    let paths: BTreeSet<&Path> = files.iter().map(|(path, _)| path).collect();
    let is_replaced =
        |path: &Path| paths.contains(path) || replaced.contains(config.position(path));
    participant.void(config, owner, is_replaced);
    for (path, file) in files {
        let keeps_old = config.defects.has(Defect::ReturningNodeKeepsOldFiles);
        if !(keeps_old && owner.files.contains_key(path)) {
            owner.files.insert(path.clone(), file.clone());
        }
    }
    for handed in answers {
        match handed {
            Handed::Done(request, answer) => {
                owner.answers.insert(*request, Answered::Done(answer.clone()));
            }
            Handed::Declined(request, refusal) => {
                owner.answers.insert_if_new(*request, Answered::Declined(*refusal));
            }
            Handed::Forgotten(client, life, lowest) => {
                owner.answers.forget_below(*client, *life, *lowest);
            }
        }
    }
}

/// All that was committed on `arcs` is given up, durably.
fn reset(turn: &mut Move<'_>, arcs: &Arcs) {
    let record = turn.standing.begin_again(arcs);
    replay_reset(turn.config, turn.owner, turn.participant, arcs);
    turn.out.force(record);
}

/// What beginning again does to the node's memory, also when it recovers. What it remembers of
/// requests it keeps: it cannot tell which of them were about these files.
pub(super) fn replay_reset(
    config: &Config,
    owner: &mut Owner,
    participant: &mut Participant,
    arcs: &Arcs,
) {
    let is_dropped = |path: &Path| arcs.contains(config.position(path));
    participant.void(config, owner, is_dropped);
    if !config.defects.has(Defect::KeepsWhatIsGivenUp) {
        owner.files.retain(|path, _| !is_dropped(path));
    }
}

/// The node is a complete owner of `arcs`, durably.
fn complete(turn: &mut Move<'_>, arcs: &Arcs) {
    let record = turn.standing.complete(arcs);
    turn.out.force(record);
}

/// The owner's side: hands over what it has, or says that it is a witness.
pub(super) fn on_pull(
    turn: &mut Move<'_>,
    from: NodeId,
    ask: (Epoch, u32, Incarnation),
    (level, owner): (Epoch, Admission),
    arcs: &Arcs,
    after: Option<Path>,
) {
    let (epoch, pull, incarnation) = ask;
    if epoch != turn.standing.epoch() || level >= epoch {
        return;
    }
    let too_early = turn.config.defects.has(Defect::HandedOverBeforeTheReport);
    if !turn.is_noted && !too_early {
        return;
    }
    if owner != turn.standing.admission() {
        return; // the disk that could tell is lost, and the centre says so
    }
    let Some(claim) = turn.standing.claim(level) else { return };
    let complete = arcs.intersection(&claim);
    let doubtful = doubtful_paths(turn, &complete);
    let (files, is_last) = next_files(turn, &complete, after.as_ref(), &doubtful);
    let doubtful = Arcs::of(doubtful.into_iter().map(|path| {
        let position = turn.config.position(path);
        (position, position)
    }));
    let hands_over = is_last && !complete.is_empty();
    let mut answers = Vec::new();
    if hands_over && !turn.config.defects.has(Defect::AnswersLeftBehind) {
        answers.extend(turn.owner.answers.hand_over());
    }
    let witnessed = arcs.difference(&claim);
    let complete = complete.difference(&doubtful);
    let end = is_last.then_some(PullEnd { complete, witnessed });
    let answers = answers.into();
    let chunk = Message::Chunk { epoch, pull, incarnation, after, files, doubtful, answers, end };
    turn.out.send(from, chunk);
}

/// The paths in `arcs` that the node is in doubt about.
fn doubtful_paths<'p>(turn: &'p Move<'_>, arcs: &Arcs) -> BTreeSet<&'p Path> {
    if turn.config.defects.has(Defect::HandedOverWhileInDoubt) {
        return BTreeSet::new();
    }
    let mut doubtful = turn.participant.paths_in_doubt(turn.standing.epoch());
    doubtful.retain(|path| arcs.contains(turn.config.position(path)));
    doubtful
}

/// The next paths in `arcs`, without those that are doubtful, and whether there are no more.
fn next_files(
    turn: &Move<'_>,
    arcs: &Arcs,
    after: Option<&Path>,
    doubtful: &BTreeSet<&Path>,
) -> (Arc<[(Path, File)]>, bool) {
    let is_asked =
        |path: &Path| arcs.contains(turn.config.position(path)) && !doubtful.contains(path);
    let begin = after.map_or(Bound::Unbounded, Bound::Excluded);
    let size = turn.config.chunk_paths as usize;
    let mut files = Vec::new();
    let behind = turn.owner.files.range::<Path, _>((begin, Bound::Unbounded));
    for (path, file) in behind.filter(|(path, _)| is_asked(path)) {
        if files.len() == size {
            return (files.into(), false);
        }
        let mut file = file.clone();
        if turn.config.defects.has(Defect::FenceLeftBehind) {
            file.fence = Default::default();
        }
        files.push((path.clone(), file));
    }
    (files.into(), true)
}
