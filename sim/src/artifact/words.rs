//! The words of an artifact are bounded, so that its size is.

/// The longest text of an event or a verdict, in bytes.
const LONGEST_WORDS: usize = 400;

/// At most [`LONGEST_WORDS`] bytes of `words`.
pub(super) fn shortened(words: &str) -> String {
    if words.len() <= LONGEST_WORDS {
        return words.to_owned();
    }
    let end = (0..=LONGEST_WORDS - 3).rev().find(|end| words.is_char_boundary(*end));
    format!("{}...", &words[..end.unwrap_or_default()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        let cut = shortened(&"é".repeat(300));
        assert!(cut.len() <= LONGEST_WORDS && cut.ends_with("é..."), "{cut}");
    }
}
