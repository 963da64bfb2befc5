//! The new owner's side: asks sources for what is missing, chunk by chunk.

use std::collections::{BTreeMap, BTreeSet};

use super::Move;
use super::sources::{Source, Told, Trail};
use super::take::{complete, install, reset};
use crate::machine::{NodeId, Span};
use crate::proto::standing::Standing;
use crate::proto::{Arcs, Chunk, Config, Defect, File, Path, Pull, Timer};

/// What a new owner pulls. All of it is volatile: a new life begins its pulls again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::proto) struct Handover {
    /// The number of the last pull of this life.
    last: u32,
    current: Option<UnderWay>,
    told: Told,
    /// The sources that were asked in vain since there was anything new.
    tried: BTreeSet<Source>,
    /// How many pulls from a source were given up in a row, because it was quiet for too long.
    quiet: BTreeMap<Source, u32>,
}

/// How often a chunk is asked for before another source is.
const MOST_ASKS: u32 = 2;

/// A pull under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct UnderWay {
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

impl Handover {
    /// Forgets what was under way: the node is in another epoch.
    pub fn on_enter(&mut self, turn: &mut Move<'_>) {
        *self = Handover { last: self.last, ..Handover::default() };
        self.proceed(turn);
    }

    /// Pulls what is missing, if anything is and no source is being asked.
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
                self.current = Some(UnderWay {
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
                // Each source has been asked; perhaps one is there, or has settled, a little later.
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

    /// Time for the next chunk, or to ask for it again, or to ask another source.
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
            let (last, _) = chunk.files.last().expect("a chunk that is not the last has paths");
            pull.after = Some(last.clone());
            pull.asks = 0;
            return turn.timers.set(Timer::Pull, turn.now + turn.config.chunk_pause);
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
        let pull = self.current.as_mut().expect("a pull is under way");
        let quiet = self.quiet.get(&pull.source).copied().unwrap_or_default();
        let patience = patience(turn.config, quiet).times(1 << pull.asks);
        pull.asks += 1;
        let Source { level, owner } = pull.source;
        let asks_for = Pull {
            epoch: turn.standing.epoch(),
            pull: pull.number,
            incarnation: turn.incarnation,
            level,
            owner: owner.admission,
            arcs: pull.arcs.clone(),
            after: pull.after.clone(),
        };
        turn.out.send(owner.node, asks_for);
        turn.timers.set(Timer::Pull, turn.now + patience);
    }
}

impl UnderWay {
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
