//! A digest or checksum as text: not every reader of JSON has 64-bit integers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number that is written as sixteen hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Hex> for String {
    fn from(hex: Hex) -> String {
        hex.to_string()
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Hex, Self::Error> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_hex = text.len() == 16 && text.bytes().all(is_digit);
        let number = u64::from_str_radix(&text, 16).ok().filter(|_| is_hex);
        number.map(Hex).ok_or("expected sixteen hexadecimal digits")
    }
}
