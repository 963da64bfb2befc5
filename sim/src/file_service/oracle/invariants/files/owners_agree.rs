//! Every node that takes part in a transaction owns a path in it, and every owner takes part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::file_service::World;
use crate::file_service::oracle::model::reference::program::paths;
use crate::file_service::oracle::{
    At, Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds,
};
use seedbed::machine::{NodeId, RequestId};
use seedbed::proto::{
    Decided, Epoch, FileRequest, FileService, Member, Message, MessageKind, Operation, Path,
    Record, RecordKind, TxnId, TxnMessage,
};

/// The participants of a transaction, with its coordinator, are the owners of its paths, all of
/// them.
///
/// An owner that is left out does not hear of the change and serves the old contents; one too many
/// stores what no machine will ever ask it for. The owners are those in the epoch that the message
/// or record names, worked out by the definition (`Placement`): Karger et al., "Consistent Hashing
/// and Random Trees", STOC 1997; DeCandia et al., "Dynamo", SOSP 2007, section 4.3. Where
/// membership is managed they must be named under the admissions that the view gives them, and
/// where a client sends a read is its guess until it has heard of a view, and is not judged.
#[derive(Clone, Debug, Default)]
pub struct OwnersAgree {
    /// What each request asks for that is to become a transaction.
    asked: BTreeMap<RequestId, Arc<Asked>>,
}

/// What a request is about.
#[derive(Debug)]
struct Asked {
    step: u64,
    paths: BTreeSet<Path>,
    /// The owners of all of them in the epoch in which it was asked for first.
    owners: (Epoch, BTreeSet<NodeId>),
}

/// The nodes that take part, as a record or a message names them.
struct Part<'a> {
    txn: TxnId,
    request: RequestId,
    epoch: Epoch,
    participants: &'a [Member],
    /// By what it was said, and in which step.
    said: At<&'static str>,
}

impl Invariant<FileService> for OwnersAgree {
    fn interest(&self) -> SeenKinds {
        SeenKinds::sent(&[MessageKind::Begin, MessageKind::Prepare, MessageKind::Read])
            | SeenKinds::durable(&[RecordKind::Decided])
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let step = model.step;
        match *seen {
            Seen::Sent { to, message, .. } => match message {
                Message::FileRequest(FileRequest::Begin { request, epoch, operations, .. }) => {
                    self.on_begin(*request, *epoch, operations, model, world);
                    Ok(())
                }
                Message::FileRequest(FileRequest::Read { path, request, epoch, .. }) => {
                    if model.disks.managed().is_some() {
                        return Ok(());
                    }
                    let what = || {
                        let is = format!("{request} is sent to {to} to read {path}");
                        Evidence::at(model.step, is).about(*request).about(path)
                    };
                    judge_owner(path, (to, *epoch), what, model, world)
                }
                Message::Txn(TxnMessage::Prepare { header, epoch, terms, paths, .. }) => {
                    let said = At { step, is: "a prepare message" };
                    let (txn, participants) = (header.txn, &terms.participants[..]);
                    let (request, epoch) = (terms.request, *epoch);
                    let part = Part { txn, request, epoch, participants, said };
                    self.judge_participants(&part, model, world)?;
                    self.judge_paths(&part, to, paths, model, world)
                }
                _ => Ok(()),
            },
            Seen::Durable {
                record: Record::Decided(Decided { txn, request, epoch, participants, .. }),
                ..
            } => {
                let said = At { step, is: "the decision record" };
                let (txn, request, epoch) = (*txn, *request, *epoch);
                let part = Part { txn, request, epoch, participants, said };
                self.judge_participants(&part, model, world)
            }
            _ => Ok(()),
        }
    }
}

impl OwnersAgree {
    fn on_begin(
        &mut self,
        request: RequestId,
        epoch: Epoch,
        operations: &[Operation],
        model: &Model,
        world: &World,
    ) {
        if self.asked.contains_key(&request) {
            return;
        }
        let paths: BTreeSet<Path> = paths(operations).cloned().collect();
        let owners = (epoch, owners_of_all(&paths, epoch, model, world).unwrap_or_default());
        self.asked.insert(request, Arc::new(Asked { step: model.step, paths, owners }));
    }

    /// Are the participants the owners of the request's paths, the coordinator left out?
    fn judge_participants(
        &mut self,
        part: &Part<'_>,
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Part { txn, request, epoch, participants, ref said } = *part;
        let Some(asked) = self.asked.get(&request).cloned() else {
            return Ok(()); // a transaction that no attempt began is judged elsewhere
        };
        let elsewhere = match asked.owners.0 == epoch && !asked.owners.1.is_empty() {
            true => None,
            false => owners_of_all(&asked.paths, epoch, model, world),
        };
        let owners = elsewhere.as_ref().unwrap_or(&asked.owners.1);
        let others = || owners.iter().filter(|owner| **owner != txn.coordinator);
        let is_the_member = |member: &Member| {
            let of_view = model.views.member(epoch, member.node);
            of_view.is_none_or(|of_view| of_view == *member)
        };
        let are_owners = participants.len() == others().count()
            && others().all(|owner| participants.iter().any(|member| member.node == *owner))
            && participants.iter().all(is_the_member);
        if are_owners {
            return Ok(());
        }
        let (paths, owners) = (in_words(&asked.paths), in_words(others()));
        let coordinator = txn.coordinator;
        let asks = format!(
            "{request} asks for {paths}; the owners in {epoch} beside {coordinator} are {owners}"
        );
        let names = format!("{} of {txn} names {}", said.is, in_words(participants));
        Err(Breach::of(
            Evidence::at(asked.step, asks).about(request).about_all(&asked.paths).about(epoch),
            Evidence::at(said.step, names).about(txn),
        ))
    }

    /// Is the participant asked to pin exactly those paths of the request that it owns?
    fn judge_paths(
        &mut self,
        part: &Part<'_>,
        to: NodeId,
        asked: &[Path],
        model: &Model,
        world: &World,
    ) -> Result<(), Breach> {
        let Part { txn, request, epoch, ref said, .. } = *part;
        for path in asked {
            let what = || {
                let is = format!("{} of {txn} asks {to} to pin {path}", said.is);
                Evidence::at(said.step, is).about(txn).about(path)
            };
            judge_owner(path, (to, epoch), what, model, world)?;
        }
        let Some(of_request) = self.asked.get(&request).cloned() else { return Ok(()) };
        for path in &of_request.paths {
            if asked.contains(path) {
                continue;
            }
            if owners(path, epoch, model, world).is_some_and(|owners| owners.contains(&to)) {
                let asks = format!("{request} asks for {path}, which {to} owns");
                let lacks = format!("{} of {txn} to {to} leaves it out", said.is);
                return Err(Breach::of(
                    Evidence::at(of_request.step, asks).about(request).about(path),
                    Evidence::at(said.step, lacks).about(txn).about(path),
                ));
            }
        }
        Ok(())
    }
}

/// Is `node` an owner of `path`?
fn judge_owner(
    path: &Path,
    (node, epoch): (NodeId, Epoch),
    what: impl FnOnce() -> Evidence,
    model: &Model,
    world: &World,
) -> Result<(), Breach> {
    match owners(path, epoch, model, world) {
        Some(owners) if !owners.contains(&node) => {
            let is = format!("the owners of {path} in {epoch} are {}", in_words(&*owners));
            Err(Breach::of(Evidence::at(model.step, is).about(path).about(epoch), what()))
        }
        Some(_) | None => Ok(()),
    }
}

fn owners_of_all(
    paths: &BTreeSet<Path>,
    epoch: Epoch,
    model: &Model,
    world: &World,
) -> Option<BTreeSet<NodeId>> {
    let mut all = BTreeSet::new();
    for path in paths {
        all.extend(owners(path, epoch, model, world)?.iter().copied());
    }
    Some(all)
}

/// The owners of `path` in `epoch`; `None` if there is no such view.
fn owners(path: &Path, epoch: Epoch, model: &Model, world: &World) -> Option<Arc<[NodeId]>> {
    let placement = model.views.placement(world.config(), epoch)?;
    Some(placement.owners(world.config(), path))
}

/// A list for a reader.
fn in_words<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    let list: Vec<String> = list.into_iter().map(|item| item.to_string()).collect();
    match list.is_empty() {
        true => "no node".to_owned(),
        false => list.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::{Config, Settings};

    /// A client asks one of the two owners of `/a` to write it: which transaction comes of that,
    /// which other nodes own it, and which do not.
    fn play() -> (Play, TxnId, NodeId, NodeId) {
        let mut play = Play::of(Settings::default(), OwnersAgree::default());
        let [first, second] = play.owners("/a")[..] else { panic!("two replicas") };
        let third = [1, 2, 3].map(n).into_iter().find(|n| ![first, second].contains(n));
        let by = txn_of(first, 1);
        play.at(1).sends(c(1), first, begin(request(1, 1), request(1, 1), &[write("/a", "1")]));
        (play, by, second, third.expect("three nodes"))
    }

    #[test]
    fn an_owner_is_left_out() {
        let (mut play, txn, _, _) = play();
        play.at(2).logs(txn.coordinator, decided_answer(request(1, 1), txn, &[changed(1)]));
        play.is_broken_by("owners_agree", (1, "c1.1#1 asks for"), (2, "names no node"));
    }

    #[test]
    fn another_node_is_asked() {
        let (mut play, txn, _, third) = play();
        let prepare = prepare(txn, &[third], &["/a"]);
        play.at(2).sends(txn.coordinator, third, prepare);
        play.is_broken_by("owners_agree", (1, "c1.1#1 asks for"), (2, "names"));
    }

    #[test]
    fn a_path_is_pinned_where_it_does_not_belong() {
        let (mut play, txn, second, third) = play();
        let prepare = prepare(txn, &[second], &["/a"]);
        play.at(2).sends(txn.coordinator, third, prepare);
        play.is_broken_by("owners_agree", (2, "the owners of /a in e1 are"), (2, "to pin /a"));
    }

    #[test]
    fn a_path_is_not_pinned_where_it_belongs() {
        let (mut play, txn, second, _) = play();
        play.at(2).sends(txn.coordinator, second, prepare(txn, &[second], &[]));
        play.is_broken_by("owners_agree", (1, "asks for /a"), (2, "leaves it out"));
    }

    #[test]
    fn exactly_the_owners_are_asked() {
        let (mut play, txn, second, _) = play();
        play.at(2).sends(txn.coordinator, second, prepare(txn, &[second], &["/a"]));
        play.holds();
    }

    #[test]
    fn a_read_goes_to_a_node_that_does_not_own_it() {
        let (mut play, _, second, third) = play();
        let read = |attempt| {
            Message::FileRequest(FileRequest::Read {
                epoch: Config::FIRST_EPOCH,
                request: request(1, 2),
                attempt,
                path: path("/a"),
            })
        };
        play.at(2).sends(c(1), second, read(1));
        play.holds();
        play.at(3).sends(c(1), third, read(2));
        play.is_broken_by("owners_agree", (3, "the owners of /a in e1 are"), (3, "to read /a"));
    }
}
