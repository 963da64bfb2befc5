//! The simulated world itself: messages and time.

mod messages_are_conserved;
mod time_never_goes_back;

pub(in crate::oracle) use messages_are_conserved::MessagesAreConserved;
pub(in crate::oracle) use time_never_goes_back::TimeNeverGoesBack;
