//! What a start makes of a log.

use seedbed::machine::NodeId;
use seedbed::proto::{Defect, FileService, Record};

use super::log_state::{LogState, Told};
use crate::file_service::World;
use crate::file_service::oracle::{Breach, Evidence, Invariant, Model, Moment, Seen, SeenKinds};
use seedbed::proto::Process;

/// After a start, a node's memory says what its log says: contents, votes, outcomes, answers,
/// refusals, marks, claims, and of the central node grants, lines and views.
///
/// What the memory says is what a checkpoint would write now, so the records of that are compared
/// with those of the log, kind by kind. A start that forgets something does harm when the rest of
/// an old story goes on, which may take longer than the run. Where the harm is seen, the run shows
/// it; otherwise the first such start is told of at the end. Mohan and others, "ARIES", 1992,
/// section 5: restart repeats history.
#[derive(Clone, Debug, Default)]
pub struct AStartRecoversWhatTheLogSays {
    first: Option<Breach>,
}

impl Invariant<FileService> for AStartRecoversWhatTheLogSays {
    fn interest(&self) -> SeenKinds {
        SeenKinds::STARTED
    }

    fn see(
        &mut self,
        seen: &Seen<'_>,
        Moment { model, world, .. }: &Moment<'_>,
    ) -> Result<(), Breach> {
        let Seen::Started { node, .. } = *seen else { return Ok(()) };
        // With that defect a node skips what its disk gave it wrongly: it has not read the log.
        let is_misread = world.config().defects.has(Defect::CorruptRecordSkipped);
        if self.first.is_some() || is_misread {
            return Ok(());
        }
        let host = world.host(node);
        let memory = match host.process() {
            Some(Process::Storage(node)) => node.durable_state(),
            Some(Process::Control(control)) => control.durable_state(),
            Some(Process::Client(_)) | None => return Ok(()),
        };
        self.first = judge(node, host.disk().durable_records(), &memory, model, world).err();
        Ok(())
    }

    fn at_end(&mut self, _moment: &Moment<'_>) -> Result<(), Breach> {
        self.first.clone().map_or(Ok(()), Err)
    }
}

/// Compares a log with what a node remembers of it.
fn judge<'a>(
    node: NodeId,
    log: impl Iterator<Item = &'a Record>,
    memory: &[Record],
    model: &Model,
    world: &World,
) -> Result<(), Breach> {
    let config = world.config();
    let (log, memory) = (LogState::of(log, config), LogState::of(memory.iter(), config));
    let nothing = Told::default();
    let is_control = node == NodeId::CONTROL;
    let Some(now) = log.difference(&memory, &nothing, is_control, (model, config)) else {
        return Ok(());
    };
    let log = model.log(node);
    let earlier = format!("{node}'s log is durable for {} records and says otherwise", log.durable);
    let now = now.reworded(|now| format!("{node} has started and {now}"));
    let now = Evidence { step: model.step, ..now };
    Err(Breach::of(Evidence::at(log.synced, earlier).about(node), now.about(node)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::*;
    use seedbed::proto::{Config, Refusal, Settings};

    /// What a node says that has started with this log and remembers this of it.
    fn started(log: &[Record], memory: &[Record]) -> Option<String> {
        let config = Config::new(Settings::default()).expect("sound settings");
        let (world, model) = (World::of_config(config, 1), Model::default());
        let breach = judge(n(1), log.iter(), memory, &model, &world).err()?;
        Some(breach.now.is)
    }

    fn declined() -> Record {
        Record::Declined { request: request(1, 1), refusal: Refusal::Exists }
    }

    #[test]
    fn a_start_that_forgets_a_refusal_or_a_vote_is_a_breach() {
        assert_eq!(started(&[declined()], &[declined()]), None);
        let said = started(&[declined()], &[]).expect("a breach");
        assert!(said.starts_with("n1 has started and has forgotten"), "{said}");
        let vote = voted(txn(1), "/a", 1, "x");
        let said = started(&[vote], &[]).expect("a breach");
        assert!(said.contains("forgotten that it voted yes"), "{said}");
    }

    #[test]
    fn a_start_that_remembers_what_the_log_does_not_say_is_a_breach() {
        assert!(started(&[], &[voted(txn(1), "/a", 1, "x")]).is_some());
    }
}
