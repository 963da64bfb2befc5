//! Requests of users: each has one answer and one effect, and the two agree.

mod a_client_waits_for_nothing_below_its_marks;
mod a_told_refusal_holds_for_all_attempts;
mod done_means_effect;
mod every_request_ends;
mod histories_are_strictly_serializable;
mod one_answer_per_request;
mod one_effect_per_request;
mod recorded_refusal_is_durable_before_it_leaves;
mod refused_means_no_effect;

pub(in crate::file_service::oracle) use a_client_waits_for_nothing_below_its_marks::AClientWaitsForNothingBelowItsMarks;
pub(in crate::file_service::oracle) use a_told_refusal_holds_for_all_attempts::AToldRefusalHoldsForAllAttempts;
pub(in crate::file_service::oracle) use done_means_effect::DoneMeansEffect;
pub(in crate::file_service::oracle) use every_request_ends::EveryRequestEnds;
pub(in crate::file_service::oracle) use histories_are_strictly_serializable::HistoriesAreStrictlySerializable;
pub(in crate::file_service::oracle) use one_answer_per_request::OneAnswerPerRequest;
pub(in crate::file_service::oracle) use one_effect_per_request::OneEffectPerRequest;
pub(in crate::file_service::oracle) use recorded_refusal_is_durable_before_it_leaves::RecordedRefusalIsDurableBeforeItLeaves;
pub(in crate::file_service::oracle) use refused_means_no_effect::RefusedMeansNoEffect;
