//! What a checkpoint stands for.

#[cfg(test)]
mod tests;

use seedbed::machine::NodeId;
use seedbed::proto::{FileService, MessageKind};

use super::log_state::{LogState, Told};
use crate::file_service::oracle::PerNode;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};

/// A log whose head a checkpoint has replaced says the same as the whole log did.
///
/// Every other invariant looks at records as they are appended, and a checkpoint's are not. So the
/// log is read twice, in the simplest way there is: as it was written, and as the disk has it with
/// the checkpoint in place. Both must say the same of every kind of record. What a checkpoint may
/// leave out is what its own low-water marks say is over, and answers that it says are not waited
/// for; of both it may say no more than the node was told. It may also name an abort that the node
/// only remembered. Mohan and others, "ARIES", 1992, section 5.4.
#[derive(Clone, Debug, Default)]
pub struct ACheckpointKeepsWhatItReplaces {
    told: PerNode<Told>,
}

impl Invariant<FileService> for ACheckpointKeepsWhatItReplaces {
    fn interest(&self) -> SeenKinds {
        let tells = SeenKinds::received(&[
            MessageKind::Begin,
            MessageKind::Prepare,
            MessageKind::Execute,
            MessageKind::Commit,
            MessageKind::Abort,
            MessageKind::Decline,
            MessageKind::Acquire,
        ]);
        SeenKinds::CHECKPOINTED | SeenKinds::WIPED | tells
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        match *seen {
            Seen::Received { to, message, .. } => self.told.slot(to).hear(message),
            Seen::Wiped { node } => *self.told.slot(node) = Told::default(),
            Seen::Checkpointed { node, replaced } => {
                let (config, disk) = (world.config(), world.host(node).disk());
                let was = LogState::of(replaced.iter().chain(disk.durable_tail()), config);
                let is = LogState::of(disk.durable_records(), config);
                let (told, is_control) = (self.told.slot(node), node == NodeId::CONTROL);
                return match was.difference(&is, told, is_control, (model, config)) {
                    None => Ok(()),
                    Some(now) => Err(broken(node, now, model)),
                };
            }
            _ => {} // not asked for
        }
        Ok(())
    }
}

fn broken(node: NodeId, now: Evidence, model: &Model) -> Breach {
    let log = model.log(node);
    let earlier = format!("{node}'s log is durable for {} records and says otherwise", log.durable);
    let now = now.reworded(|now| format!("the checkpoint of {node} {now}"));
    let now = Evidence { step: model.step, ..now };
    Breach::of(Evidence::at(log.synced, earlier).about(node), now.about(node))
}
