//! Data transfer between owners of successive epochs.

mod a_claimed_path_has_the_last_decided_contents;
mod a_serving_owner_has_the_last_decided_contents;
mod claimed_copies_are_kept;
mod complete_owners_have_every_decided_write;
mod copies_are_given_up_only_for_settled_epochs;
mod every_arc_is_complete_and_settled_at_the_end;
mod hand_overs_keep_tokens_and_answers;
mod no_copies_elsewhere_at_the_end;
mod no_path_is_handed_over_in_doubt;
mod only_complete_owners_serve_and_vote;

pub(in crate::file_service::oracle) use a_claimed_path_has_the_last_decided_contents::AClaimedPathHasTheLastDecidedContents;
pub(in crate::file_service::oracle) use a_serving_owner_has_the_last_decided_contents::AServingOwnerHasTheLastDecidedContents;
pub(in crate::file_service::oracle) use claimed_copies_are_kept::ClaimedCopiesAreKept;
pub(in crate::file_service::oracle) use complete_owners_have_every_decided_write::CompleteOwnersHaveEveryDecidedWrite;
pub(in crate::file_service::oracle) use copies_are_given_up_only_for_settled_epochs::CopiesAreGivenUpOnlyForSettledEpochs;
pub(in crate::file_service::oracle) use every_arc_is_complete_and_settled_at_the_end::EveryArcIsCompleteAndSettledAtTheEnd;
pub(in crate::file_service::oracle) use hand_overs_keep_tokens_and_answers::HandOversKeepTokensAndAnswers;
pub(in crate::file_service::oracle) use no_copies_elsewhere_at_the_end::NoCopiesElsewhereAtTheEnd;
pub(in crate::file_service::oracle) use no_path_is_handed_over_in_doubt::NoPathIsHandedOverInDoubt;
pub(in crate::file_service::oracle) use only_complete_owners_serve_and_vote::OnlyCompleteOwnersServeAndVote;
