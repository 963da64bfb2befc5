//! Leases: the one arithmetic of how long a promise lasts, for locks and membership alike.
//!
//! A lease lets its *giver* take something back from a *holder* that it cannot reach. It is safe if
//! the holder has always stopped believing by the time the giver considers it over, although no
//! message passes between them then and their clocks show different times. Only the *rates* of the
//! clocks must be nearly right: each runs at between 1-ρ and 1+ρ of true time, where ρ is
//! [`LeaseTerms::drift_max_ppm`]. The technique is that of Gray and Cheriton, "Leases" (SOSP 1989),
//! whose ε for the uncertainty of clocks is here a bound on drift alone.
//!
//! ```text
//!  holder   asks |========= L(1-ρ) on the holder's clock =======| stops
//!                 \
//!                  \ message
//!                   \
//!  giver       answers |========= L(1+ρ) on the giver's clock =========| may give it to another
//!
//!  true time ----a-----b------------------------------------a+L---b+L----->
//! ```
//!
//! # Why the holder always stops first
//!
//! Let the holder send its request at true time a and the giver answer at true time b. The answer
//! names the message that it answers, so it was sent after that message was: **a ≤ b**, whatever
//! the network did to either, and however late the answer arrives.
//!
//! - The holder stops once its clock has moved on by at most L(1-ρ) since a. A clock that moves at
//!   least 1-ρ per unit of true time does that within L(1-ρ)/(1-ρ) = L.
//!   *The holder stops by a + L.*
//! - The giver waits until its clock has moved on by at least L(1+ρ) since b. A clock that moves at
//!   most 1+ρ per unit of true time needs L(1+ρ)/(1+ρ) = L for that.
//!   *The giver waits until b + L.*
//!
//! With a ≤ b the holder's a + L is never after the giver's b + L. A holder believes while
//! `now < until`, a giver acts when `now >= until`, so even if both ends meet there is no moment at
//! which both are true.
//!
//! The holder must count from its *asking*: counted from when the answer arrived, the delay of that
//! answer would be added to the lease, and the giver knows nothing of that delay.
//!
//! # Rounding
//!
//! Fractions of a nanosecond are rounded against the side that would profit: the holder's span
//! down, the giver's up. A reading is itself cut to whole nanoseconds, so the truth may be almost
//! one later than it says. That makes the holder stop earlier, but it would make the giver's wait
//! too short; the giver therefore counts from the next nanosecond.
//!
//! # What it does not do
//!
//! A lease is only a belief about time. A holder may pause between looking at its clock and
//! writing; against that the write carries a fencing token. A clock that *jumps*, or drifts beyond
//! the bound, breaks the proof. And a giver that restarts has lost its readings: it counts every
//! lease that may still run as answered at its first reading after the start, which is later than
//! any real answer.

use serde::{Deserialize, Serialize};

use crate::machine::{Span, Time};

/// What giver and holder have agreed on.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct LeaseTerms {
    /// How long a lease lasts in true time: L.
    pub length: Span,
    /// How far the rate of any clock may be from true time, in parts per million: ρ. From a million
    /// upwards a clock might stand still, and no holder may believe anything.
    pub drift_max_ppm: u32,
}

const MILLION: u128 = 1_000_000;

impl LeaseTerms {
    /// When the holder stops believing, on its own clock: L(1-ρ), rounded down, from `asked`.
    ///
    /// `asked` is the holder's reading when it *sent* the message that the grant or acknowledgement
    /// names.
    pub fn holder_until(self, asked: Time) -> Time {
        let parts = MILLION.saturating_sub(u128::from(self.drift_max_ppm));
        asked + span(u128::from(self.length.as_nanos()) * parts / MILLION)
    }

    /// When the giver considers the lease over, on its own clock: L(1+ρ), rounded up, from the
    /// nanosecond after `answered`.
    ///
    /// `answered` is the giver's reading when it *decided* to answer; sending later does no harm to
    /// safety, because the holder does not count from the answer.
    pub fn giver_until(self, answered: Time) -> Time {
        let parts = MILLION + u128::from(self.drift_max_ppm);
        let wait = (u128::from(self.length.as_nanos()) * parts).div_ceil(MILLION);
        answered + span(wait + 1)
    }
}

/// Saturates, as the clock does: a lease too long for the clock never ends.
fn span(ns: u128) -> Span {
    Span::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
}
