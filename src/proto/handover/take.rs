//! What taking over does to the node's memory, durably, and when it recovers.

use std::collections::BTreeSet;

use super::Move;
use crate::proto::owner::{Answered, Owner};
use crate::proto::txn::participant::Participant;
use crate::proto::{Arcs, Chunk, Config, Defect, File, Handed, Path, Record};

/// What was pulled, as its record has it.
pub(in crate::proto) struct Pulled<'a> {
    pub files: &'a [(Path, File)],
    pub answers: &'a [Handed],
    pub replaced: &'a Arcs,
}

/// Takes over what was pulled, durably.
pub(super) fn install(turn: &mut Move<'_>, chunk: &Chunk) {
    let replaced = chunk.end.as_ref().map(|end| end.complete.clone()).unwrap_or_default();
    if chunk.files.is_empty() && replaced.is_empty() {
        return;
    }
    let (files, answers) = (chunk.files.clone(), chunk.answers.clone());
    let pulled = Pulled { files: &files, answers: &answers, replaced: &replaced };
    replay_pulled(turn.config, turn.owner, turn.participant, &pulled);
    turn.out.force(Record::Pulled { files, answers, replaced });
}

/// What taking over does to the node's memory, also when it recovers.
pub(in crate::proto) fn replay_pulled(
    config: &Config,
    owner: &mut Owner,
    participant: &mut Participant,
    pulled: &Pulled<'_>,
) {
    let Pulled { files, answers, replaced } = *pulled;
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
pub(super) fn reset(turn: &mut Move<'_>, arcs: &Arcs) {
    let record = turn.standing.begin_again(arcs);
    replay_reset(turn.config, turn.owner, turn.participant, arcs);
    turn.out.force(record);
}

/// What beginning again does to the node's memory, also when it recovers. What it remembers of
/// requests it keeps: it cannot tell which of them were about these files.
pub(in crate::proto) fn replay_reset(
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
pub(super) fn complete(turn: &mut Move<'_>, arcs: &Arcs) {
    let record = turn.standing.complete(arcs);
    turn.out.force(record);
}
