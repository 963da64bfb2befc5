//! Views: how they are decided, and which node may serve in which epoch.

mod a_view_is_active_after_all_have_left;
mod admissions_are_used_once;
mod epochs_of_a_node_only_grow;
mod keys_move_only_to_joiners_and_from_leavers;
mod leases_follow_recorded_entries;
mod no_view_change_without_a_cause;
mod one_epoch_is_served_at_once;
mod only_leased_members_serve_and_vote;
mod the_newest_view_is_what_the_operator_wants;
mod views_are_decided_once_and_in_order;

pub(in crate::file_service::oracle) use a_view_is_active_after_all_have_left::AViewIsActiveAfterAllHaveLeft;
pub(in crate::file_service::oracle) use admissions_are_used_once::AdmissionsAreUsedOnce;
pub(in crate::file_service::oracle) use epochs_of_a_node_only_grow::EpochsOfANodeOnlyGrow;
pub(in crate::file_service::oracle) use keys_move_only_to_joiners_and_from_leavers::KeysMoveOnlyToJoinersAndFromLeavers;
pub(in crate::file_service::oracle) use leases_follow_recorded_entries::LeasesFollowRecordedEntries;
pub(in crate::file_service::oracle) use no_view_change_without_a_cause::NoViewChangeWithoutACause;
pub(in crate::file_service::oracle) use one_epoch_is_served_at_once::OneEpochIsServedAtOnce;
pub(in crate::file_service::oracle) use only_leased_members_serve_and_vote::OnlyLeasedMembersServeAndVote;
pub(in crate::file_service::oracle) use the_newest_view_is_what_the_operator_wants::TheNewestViewIsWhatTheOperatorWants;
pub(in crate::file_service::oracle) use views_are_decided_once_and_in_order::ViewsAreDecidedOnceAndInOrder;
