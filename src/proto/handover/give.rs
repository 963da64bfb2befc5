//! The owner's side: hands over what it has, or says that it is a witness.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use super::Move;
use crate::machine::NodeId;
use crate::proto::{Arcs, Chunk, Defect, File, Path, Pull, PullEnd};

/// The owner's side: hands over what it has, or says that it is a witness.
pub(in crate::proto) fn on_pull(turn: &mut Move<'_>, from: NodeId, asked: &Pull) {
    let Pull { epoch, pull, incarnation, level, owner, .. } = *asked;
    let (arcs, after) = (&asked.arcs, asked.after.clone());
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
    let chunk = Chunk { epoch, pull, incarnation, after, files, doubtful, answers, end };
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
