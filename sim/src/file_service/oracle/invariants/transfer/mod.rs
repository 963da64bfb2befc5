//! Data transfer between owners of successive epochs.

mod a_serving_owner_has_the_last_decided_contents;
mod claimed_copies_are_kept;
mod complete_owners_have_every_decided_write;
mod every_arc_is_complete_and_settled_at_the_end;
mod hand_overs_keep_tokens_and_answers;
mod no_claim_without_what_it_claims;
mod no_copies_elsewhere_at_the_end;
mod no_path_is_handed_over_in_doubt;
mod only_complete_owners_serve_and_vote;
mod only_settled_epochs_give_up_copies;

pub(in crate::file_service::oracle) use a_serving_owner_has_the_last_decided_contents::AServingOwnerHasTheLastDecidedContents;
pub(in crate::file_service::oracle) use claimed_copies_are_kept::ClaimedCopiesAreKept;
pub(in crate::file_service::oracle) use complete_owners_have_every_decided_write::CompleteOwnersHaveEveryDecidedWrite;
pub(in crate::file_service::oracle) use every_arc_is_complete_and_settled_at_the_end::EveryArcIsCompleteAndSettledAtTheEnd;
pub(in crate::file_service::oracle) use hand_overs_keep_tokens_and_answers::HandOversKeepTokensAndAnswers;
pub(in crate::file_service::oracle) use no_claim_without_what_it_claims::NoClaimWithoutWhatItClaims;
pub(in crate::file_service::oracle) use no_copies_elsewhere_at_the_end::NoCopiesElsewhereAtTheEnd;
pub(in crate::file_service::oracle) use no_path_is_handed_over_in_doubt::NoPathIsHandedOverInDoubt;
pub(in crate::file_service::oracle) use only_complete_owners_serve_and_vote::OnlyCompleteOwnersServeAndVote;
pub(in crate::file_service::oracle) use only_settled_epochs_give_up_copies::OnlySettledEpochsGiveUpCopies;
