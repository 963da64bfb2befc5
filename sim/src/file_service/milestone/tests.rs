//! Names, topics and stories.

use super::*;
use crate::milestone::General;
use crate::name::Name;

#[test]
fn every_name_is_used_once_and_leads_back() {
    for milestone in Milestone::all() {
        assert_eq!(milestone.name().parse(), Ok(milestone));
    }
    assert_eq!(Milestone::Sent(MessageKind::Prepare).name(), "prepare_sent");
    assert_eq!(Milestone::durable(RecordKind::Voted).unwrap().name(), "voted_durable");
    assert_eq!(Milestone::ALL_VOTED.name(), "all_voted");
}

#[test]
fn the_milestones_of_a_kind_are_about_what_the_kind_is_about() {
    for kind in MessageKind::ALL.iter().copied() {
        let of_kind = [Milestone::Sent(kind), Milestone::Received(kind), Milestone::Lost(kind)];
        assert_eq!(of_kind.map(Milestone::topic), [Topic::of_message(kind); 3], "{kind:?}");
    }
    for kind in RecordKind::ALL.iter().copied() {
        let of_kind = [Milestone::appended(kind), Milestone::durable(kind)];
        for milestone in of_kind.into_iter().flatten() {
            assert_eq!(milestone.topic(), Topic::of_record(kind), "{kind:?}");
        }
    }
}

#[test]
fn of_the_named_milestones_twenty_six_are_about_a_machine_a_link_or_a_request() {
    let system = Named::ALL.iter().filter(|named| named.topic() == Topic::Other).count();
    assert_eq!(General::ALL.len() + system, 26);
}

#[test]
fn what_stands_only_in_checkpoints_is_no_milestone() {
    assert_eq!(Milestone::appended(RecordKind::Settled), None);
    assert_eq!(Milestone::durable(RecordKind::LastToken), None);
    assert!("settled_durable".parse::<Milestone>().is_err());
    let records = RecordKind::ALL.iter().filter_map(|kind| Milestone::durable(*kind));
    assert!(records.eq(Milestone::all().filter(|it| it.name().ends_with("_durable"))));
}

#[test]
fn every_story_has_a_beginning() {
    for milestone in Milestone::all() {
        let story = std::iter::successors(Some(milestone), |it| it.follows());
        assert!(story.take(20).count() < 20, "{milestone}");
    }
    let story = std::iter::successors(Some(Milestone::TRANSACTION_OVER), |it| it.follows());
    let names: Vec<_> = story.map(Milestone::name).collect();
    let expected = ["transaction_over", "decided", "all_voted", "all_ready", "transaction_begun"];
    assert_eq!(names, expected);
    let lost = Milestone::Lost(MessageKind::Commit);
    assert_eq!(lost.follows(), Some(Milestone::Sent(MessageKind::Commit)));
    let durable = Milestone::durable(RecordKind::Over).unwrap();
    assert_eq!(durable.follows(), Milestone::appended(RecordKind::Over));
}
