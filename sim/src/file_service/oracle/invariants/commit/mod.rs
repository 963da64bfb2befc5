//! Atomic commitment: votes, decisions, and what being in doubt demands.

mod a_low_water_mark_covers_only_what_is_over;
mod a_yes_is_kept_until_the_decision;
mod abort_needs_a_reason;
mod acknowledgement_is_durable_before_it_leaves;
mod commit_is_remembered_until_acknowledged;
mod commit_needs_every_yes;
mod decision_is_durable_before_it_leaves;
mod decisions_are_final;
mod in_doubt_keeps_its_pins;
mod no_participant_is_in_doubt_at_the_end;
mod no_pin_is_orphaned;
mod participants_agree;
mod promise_is_durable_before_it_leaves;
mod reads_of_one_transaction_are_one_moment;
mod transaction_ids_are_used_once;
mod vote_is_durable_before_it_leaves;

pub(in crate::file_service::oracle) use a_low_water_mark_covers_only_what_is_over::ALowWaterMarkCoversOnlyWhatIsOver;
pub(in crate::file_service::oracle) use a_yes_is_kept_until_the_decision::AYesIsKeptUntilTheDecision;
pub(in crate::file_service::oracle) use abort_needs_a_reason::AbortNeedsAReason;
pub(in crate::file_service::oracle) use acknowledgement_is_durable_before_it_leaves::AcknowledgementIsDurableBeforeItLeaves;
pub(in crate::file_service::oracle) use commit_is_remembered_until_acknowledged::CommitIsRememberedUntilAcknowledged;
pub(in crate::file_service::oracle) use commit_needs_every_yes::CommitNeedsEveryYes;
pub(in crate::file_service::oracle) use decision_is_durable_before_it_leaves::DecisionIsDurableBeforeItLeaves;
pub(in crate::file_service::oracle) use decisions_are_final::DecisionsAreFinal;
pub(in crate::file_service::oracle) use in_doubt_keeps_its_pins::InDoubtKeepsItsPins;
pub(in crate::file_service::oracle) use no_participant_is_in_doubt_at_the_end::NoParticipantIsInDoubtAtTheEnd;
pub(in crate::file_service::oracle) use no_pin_is_orphaned::NoPinIsOrphaned;
pub(in crate::file_service::oracle) use participants_agree::ParticipantsAgree;
pub(in crate::file_service::oracle) use promise_is_durable_before_it_leaves::PromiseIsDurableBeforeItLeaves;
pub(in crate::file_service::oracle) use reads_of_one_transaction_are_one_moment::ReadsOfOneTransactionAreOneMoment;
pub(in crate::file_service::oracle) use transaction_ids_are_used_once::TransactionIdsAreUsedOnce;
pub(in crate::file_service::oracle) use vote_is_durable_before_it_leaves::VoteIsDurableBeforeItLeaves;
