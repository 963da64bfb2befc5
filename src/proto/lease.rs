//! stub
use super::*;
/// terms
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseTerms { /// l
 pub length: Span, /// d
 pub drift_max_ppm: u32 }
impl LeaseTerms {
/// h
pub fn holder_until(self, asked: Time) -> Time { asked + self.length }
/// g
pub fn giver_until(self, answered: Time) -> Time { answered + self.length }
}
