//! The invariants of the simulated world itself, shown what a run of the file service would show.

use seedbed::machine::Span;

use super::*;
use crate::file_service::InvariantName;
use crate::file_service::oracle::Seen;
use crate::file_service::oracle::registry::Named;
use crate::invariant::General;
use crate::oracle::{MessagesAreConserved, TimeNeverGoesBack};
use crate::world::{Clock, PacketId};

impl Named for TimeNeverGoesBack {
    const NAME: InvariantName = InvariantName::General(General::TimeNeverGoesBack);
}

impl Named for MessagesAreConserved {
    const NAME: InvariantName = InvariantName::General(General::MessagesAreConserved);
}

#[test]
fn true_time_goes_back() {
    let mut play = Play::new(TimeNeverGoesBack::default());
    play.at(2).wakes(CONTROL);
    play.at(1).wakes(c(1));
    play.is_broken_by("time_never_goes_back", (1, "it was 0.002000s"), (2, "it is 0.001000s"));
}

#[test]
fn a_clock_goes_back() {
    let mut play = Play::new(TimeNeverGoesBack::default());
    play.has_clock(c(1), Clock::new(Span::from_secs(1), 0));
    play.at(1).wakes(c(1));
    play.has_clock(c(1), Clock::new(Span::ZERO, 0));
    play.at(2).wakes(CONTROL);
    play.at(3).wakes(c(1));
    play.is_broken_by(
        "time_never_goes_back",
        (1, "clock of c1 showed 1.001000s"),
        (3, "it shows 0.003000s"),
    );
}

#[test]
fn a_clock_is_behind_another_and_starts_anew_with_its_machine() {
    let mut play = Play::new(TimeNeverGoesBack::default());
    play.has_clock(c(1), Clock::new(Span::from_secs(1), 0));
    play.at(1).wakes(c(1));
    play.at(1).wakes(CONTROL);
    play.has_clock(c(1), Clock::new(Span::ZERO, 0));
    play.at(2).starts(c(1)).and().wakes(c(1));
    play.holds();
}

// The world of these plays has nothing in flight, ever.

#[test]
fn a_message_vanishes() {
    let mut play = Play::new(MessagesAreConserved::default());
    play.at(1).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.at(2).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.is_broken_by(
        "messages_are_conserved",
        (1, "1 messages were sent"),
        (1, "0 are in flight"),
    );
}

#[test]
fn a_message_arrives_twice_without_a_copy() {
    let mut play = Play::new(MessagesAreConserved::default());
    play.at(1).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.and().receives(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.at(2).receives(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.ends();
    play.is_broken_by("messages_are_conserved", (2, "0 copied"), (2, "2 were received"));
}

#[test]
fn a_message_and_its_copy_end_somewhere() {
    let mut play = Play::new(MessagesAreConserved::default());
    play.at(1).sends(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.and().sees(&Seen::Copied { packet: PacketId(1) });
    play.and().receives(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.and().loses(c(1), CONTROL, acquire("/a", request(1, 1)));
    play.at(2).ends();
    play.holds();
}
