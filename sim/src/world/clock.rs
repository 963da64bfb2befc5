//! What a machine believes the time is.

use seedbed::machine::{Span, Time};

/// A clock that runs at nearly the true rate: reading = start + elapsed * (1 + drift).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Clock {
    /// The true time from which `reading_then` counts.
    since: Time,
    reading_then: Time,
    drift_ppm: i32,
}

impl Clock {
    /// A clock that shows `offset` at true time 0 and gains `drift_ppm` microseconds each second.
    ///
    /// # Panics
    /// If the clock would stand still or run backwards.
    pub fn new(offset: Span, drift_ppm: i32) -> Clock {
        assert!(drift_ppm > -1_000_000, "a clock that does not go forward");
        Clock { since: Time::ZERO, reading_then: Time::ZERO + offset, drift_ppm }
    }

    /// What it shows at true time `now`, rounded down.
    pub fn reading(&self, now: Time) -> Time {
        let elapsed = now.since(self.since).as_nanos();
        let shown = match self.drift_ppm {
            0 => elapsed,
            _ => (u128::from(elapsed) * self.rate() / MILLION) as u64,
        };
        self.reading_then + Span::from_nanos(shown)
    }

    /// The first true time at which it shows `reading` or later; never earlier than when it was
    /// last set.
    pub fn true_time(&self, reading: Time) -> Time {
        let shown = reading.since(self.reading_then).as_nanos();
        let elapsed = match self.drift_ppm {
            0 => shown,
            _ => (u128::from(shown) * MILLION).div_ceil(self.rate()).min(u64::MAX.into()) as u64,
        };
        self.since + Span::from_nanos(elapsed)
    }

    /// Jumps forward.
    pub fn jump(&mut self, now: Time, by: Span) {
        self.reading_then = self.reading(now) + by;
        self.since = now;
    }

    /// Runs at another rate from now on.
    pub fn set_drift(&mut self, now: Time, drift_ppm: i32) {
        assert!(drift_ppm > -1_000_000, "a clock that does not go forward");
        self.reading_then = self.reading(now);
        self.since = now;
        self.drift_ppm = drift_ppm;
    }

    fn rate(&self) -> u128 {
        (1_000_000 + i64::from(self.drift_ppm)) as u128
    }
}

const MILLION: u128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_true_time_of_a_reading_is_the_first_that_shows_it(
            offset in 0..1u64 << 40, drift in -900_000..900_000i32, reading in 0..1u64 << 45,
        ) {
            let clock = Clock::new(Span::from_nanos(offset), drift);
            let reading = Time::from_nanos(reading);
            let at = clock.true_time(reading);
            prop_assert!(clock.reading(at) >= reading);
            if at > Time::ZERO {
                let before = Time::from_nanos(at.as_nanos() - 1);
                prop_assert!(clock.reading(before) < reading);
            }
        }

        #[test]
        fn a_clock_never_goes_back(
            drift in -900_000..900_000i32, times in prop::collection::vec(0..1u64 << 30, 1..20),
        ) {
            let mut clock = Clock::new(Span::ZERO, drift);
            let (mut now, mut last) = (Time::ZERO, Time::ZERO);
            for (i, span) in times.into_iter().enumerate() {
                now = now + Span::from_nanos(span);
                if i % 3 == 0 {
                    clock.jump(now, Span::from_nanos(span / 7));
                }
                prop_assert!(clock.reading(now) >= last);
                last = clock.reading(now);
            }
        }
    }
}
