//! Files: what is committed is what owners store and what reads return.

mod a_checkpoint_keeps_what_it_replaces;
mod a_full_disk_takes_no_new_work;
mod a_start_recovers_what_the_log_says;
mod acknowledged_writes_survive;
mod answers_follow_from_the_commits;
mod bank_total_never_changes;
mod commits_do_what_was_asked;
mod deleted_files_stay_deleted;
mod log_state;
mod no_increment_is_lost;
mod no_write_below_the_claimed_token;
mod owners_agree;
mod owners_store_what_was_committed;
mod refusals_state_a_true_reason;
mod replicas_agree;

pub(in crate::file_service::oracle) use a_checkpoint_keeps_what_it_replaces::ACheckpointKeepsWhatItReplaces;
pub(in crate::file_service::oracle) use a_full_disk_takes_no_new_work::AFullDiskTakesNoNewWork;
pub(in crate::file_service::oracle) use a_start_recovers_what_the_log_says::AStartRecoversWhatTheLogSays;
pub(in crate::file_service::oracle) use acknowledged_writes_survive::AcknowledgedWritesSurvive;
pub(in crate::file_service::oracle) use answers_follow_from_the_commits::AnswersFollowFromTheCommits;
pub(in crate::file_service::oracle) use bank_total_never_changes::BankTotalNeverChanges;
pub(in crate::file_service::oracle) use commits_do_what_was_asked::CommitsDoWhatWasAsked;
pub(in crate::file_service::oracle) use deleted_files_stay_deleted::DeletedFilesStayDeleted;
pub(in crate::file_service::oracle) use no_increment_is_lost::NoIncrementIsLost;
pub(in crate::file_service::oracle) use no_write_below_the_claimed_token::NoWriteBelowTheClaimedToken;
pub(in crate::file_service::oracle) use owners_agree::OwnersAgree;
pub(in crate::file_service::oracle) use owners_store_what_was_committed::OwnersStoreWhatWasCommitted;
pub(in crate::file_service::oracle) use refusals_state_a_true_reason::RefusalsStateATrueReason;
pub(in crate::file_service::oracle) use replicas_agree::ReplicasAgree;
