//! What must hold in a run of any system: the simulated world itself, messages and time.

mod messages_are_conserved;
mod time_never_goes_back;

pub use messages_are_conserved::MessagesAreConserved;
pub use time_never_goes_back::TimeNeverGoesBack;
