//! A holder always stops before the giver, judged in true time with exact arithmetic.

use proptest::prelude::*;
use seedbed::machine::{Span, Time};
use seedbed::proto::lease::LeaseTerms;

/// True time is counted in millionths of a nanosecond, so that a clock's drift in ppm needs no
/// fractions.
const NANO: u128 = 1_000_000;
const MILLION: u128 = 1_000_000;

/// A clock with a fixed rate; its hand moves smoothly and it reads whole nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Clock {
    drift_ppm: i32,
    /// In millionths of a nanosecond, as true time.
    offset: u128,
}

impl Clock {
    fn rate(self) -> u128 {
        (1_000_000 + self.drift_ppm) as u128
    }

    /// The hand at true time `t`, in 10^-12 ns.
    fn hand(self, t: u128) -> u128 {
        t * self.rate() + self.offset * MILLION
    }

    fn read(self, t: u128) -> Time {
        Time::from_nanos((self.hand(t) / MILLION / NANO) as u64)
    }

    /// The first true time at which the clock reads at least `reading`.
    fn when(self, reading: Time) -> u128 {
        let hand = u128::from(reading.as_nanos()) * NANO * MILLION;
        hand.saturating_sub(self.offset * MILLION).div_ceil(self.rate())
    }
}

/// True times at which the holder stops and the giver may give to another.
fn ends(
    terms: LeaseTerms,
    holder: Clock,
    giver: Clock,
    asked: u128,
    answered: u128,
) -> (u128, u128) {
    let stops = holder.when(terms.holder_until(holder.read(asked)));
    (stops, giver.when(terms.giver_until(giver.read(answered))))
}

fn terms(length: Span, drift_max_ppm: u32) -> LeaseTerms {
    LeaseTerms { length, drift_max_ppm }
}

/// A bound, and two clocks within it: often exactly at it, which is where the proof has no slack.
fn bound_and_clocks() -> impl Strategy<Value = (u32, Clock, Clock)> {
    let bound = prop_oneof![Just(0), 1..1_000u32, 1..900_000u32];
    bound.prop_flat_map(|ppm| {
        let max = ppm as i32;
        let drift = move || prop_oneof![Just(-max), Just(max), -max..=max];
        let offset = || prop_oneof![Just(0), 0..NANO, 0..1_000_000_000 * NANO];
        let clock =
            move || (drift(), offset()).prop_map(|(drift_ppm, offset)| Clock { drift_ppm, offset });
        (Just(ppm), clock(), clock())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_holder_stops_before_the_giver_whatever_the_clocks_within_the_bound(
        (drift_max_ppm, holder, giver) in bound_and_clocks(),
        length in prop_oneof![0..100u64, 0..60_000_000_000u64],
        asked in 0..1_000_000_000 * NANO,
        delay in prop_oneof![Just(0), 0..NANO, 0..10_000_000_000 * NANO],
    ) {
        let terms = terms(Span::from_nanos(length), drift_max_ppm);
        let (stops, over) = ends(terms, holder, giver, asked, asked + delay);
        prop_assert!(stops <= over, "holder until {stops}, giver until {over}");
    }

    #[test]
    fn a_lease_is_never_longer_for_the_holder_than_for_the_giver(
        length in any::<u64>(),
        drift_max_ppm in any::<u32>(),
        now in any::<u64>(),
    ) {
        let (terms, now) = (terms(Span::from_nanos(length), drift_max_ppm), Time::from_nanos(now));
        prop_assert!(now <= terms.holder_until(now));
        prop_assert!(terms.holder_until(now) <= terms.giver_until(now));
    }
}

/// A slow holder and a fast giver, both `ppm` off, and messages that take no time.
fn worst_case(drift_max_ppm: u32, ppm: i32) -> (u128, u128) {
    let (holder, giver) =
        (Clock { drift_ppm: -ppm, offset: 0 }, Clock { drift_ppm: ppm, offset: 0 });
    ends(terms(Span::from_secs(10), drift_max_ppm), holder, giver, 0, 0)
}

#[test]
fn clocks_exactly_at_the_bound_end_the_lease_together() {
    let (stops, over) = worst_case(500, 500);
    assert!(stops <= over);
    assert!(over - stops <= 3 * NANO, "no more than rounding is given away");
}

#[test]
fn clocks_beyond_the_bound_break_the_lease() {
    let (stops, over) = worst_case(500, 501);
    assert!(stops > over, "holder until {stops}, giver until {over}");
}

#[test]
fn counting_from_the_reply_breaks_the_lease() {
    let terms = terms(Span::from_secs(10), 500);
    let clock = Clock { drift_ppm: 0, offset: 0 };
    let second = 1_000_000_000 * NANO;
    let (asked, answered, arrived) = (second, 2 * second, 4 * second);
    let (stops, over) = ends(terms, clock, clock, asked, answered);
    assert!(stops < over);
    let (stops, over) = ends(terms, clock, clock, arrived, answered);
    assert!(stops > over);
}

#[test]
fn a_reading_cut_to_whole_nanoseconds_does_not_shorten_the_givers_wait() {
    // The giver's hand is almost at 1 ns when it reads 0. Counted from 0 it would wait almost 1 ns
    // too little.
    let holder = Clock { drift_ppm: 0, offset: 0 };
    let giver = Clock { drift_ppm: 0, offset: NANO - 1 };
    let (stops, over) = ends(terms(Span::from_nanos(5), 0), holder, giver, 0, 0);
    assert!(stops <= over, "holder until {stops}, giver until {over}");
}

#[test]
fn a_lease_of_ten_seconds_at_500_ppm() {
    let terms = terms(Span::from_secs(10), 500);
    let now = Time::from_nanos(1_000);
    assert_eq!(terms.holder_until(now), now + Span::from_millis(9_995));
    assert_eq!(terms.giver_until(now), now + Span::from_millis(10_005) + Span::from_nanos(1));
}

#[test]
fn fractions_of_a_nanosecond_count_against_the_side_that_would_profit() {
    let terms = terms(Span::from_nanos(1), 500);
    assert_eq!(terms.holder_until(Time::ZERO), Time::ZERO);
    assert_eq!(terms.giver_until(Time::ZERO), Time::from_nanos(3));
}

#[test]
fn a_clock_that_may_stand_still_gives_the_holder_nothing() {
    for ppm in [1_000_000, u32::MAX] {
        assert_eq!(terms(Span::from_secs(10), ppm).holder_until(Time::ZERO), Time::ZERO);
    }
}

#[test]
fn a_lease_beyond_the_end_of_the_clock_never_ends() {
    let terms = terms(Span::from_nanos(u64::MAX), u32::MAX);
    assert_eq!(terms.giver_until(Time::MAX), Time::MAX);
    assert_eq!(terms.giver_until(Time::ZERO), Time::MAX);
}
