//! Pieces of text for messages and reports: the nearest name, a list to choose from, numbers and
//! lengths of time as one says them.

use std::fmt;

/// The name among `known` that the writer of `found` may have meant.
///
/// Slips of the finger are few edits (one in three letters at most); a name that was only begun, or
/// remembered by its beginning, is many edits but similar in the sense of Jaro and Winkler; and a
/// name with a word too many in front ends with the right one.
pub fn nearest<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if found.len() > LONGEST {
        return None;
    }
    let close = |name: &str| {
        let edits = strsim::damerau_levenshtein(found, name);
        let similar = name.len() > 3 && strsim::jaro_winkler(found, name) >= 0.88;
        let has_more_in_front = found.strip_suffix(name).is_some_and(|more| more.ends_with('_'));
        let is_near = edits <= found.len().max(name.len()) / 3;
        (is_near || similar || has_more_in_front).then_some(edits)
    };
    let near = known.into_iter().filter_map(|name| Some((close(name)?, name)));
    near.min().map(|(_, name)| name)
}

/// `text` for use in a message: one line, not long.
pub fn shorten(text: &str) -> String {
    const LONGEST: usize = 48;
    let line = text.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(LONGEST).flat_map(visible).collect();
    if line.len() < text.len() || line.chars().nth(LONGEST).is_some() {
        short.push_str("...");
    }
    short
}

fn visible(c: char) -> impl Iterator<Item = char> {
    let escaped = c.is_control().then(|| c.escape_default());
    let plain = escaped.is_none().then_some(c);
    escaped.into_iter().flatten().chain(plain)
}

/// The names, quoted, as a list to choose from: `` `a`, `b` or `c` ``.
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut quoted: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.pop() {
        Some(last) if quoted.is_empty() => last,
        Some(last) => format!("{} or {last}", quoted.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// `path` as one word of a shell.
pub fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%,:".contains(c);
    match !path.is_empty() && path.chars().all(is_plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// The lines of `text` if it is broken between words at `width`. A longer word has a line alone.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut words = text.split_whitespace();
    words.next().map_or_else(Vec::new, |head| on_lines(head, words, 0, width))
}

/// `head` and the words behind it, on as many lines of `width` as it takes; those below begin with
/// `indent` blanks.
pub fn on_lines<'a>(
    head: &str,
    words: impl IntoIterator<Item = &'a str>,
    indent: usize,
    width: usize,
) -> Vec<String> {
    let mut lines = vec![head.to_owned()];
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(format!("{:indent$}{word}", "")),
        }
    }
    lines
}

/// `12,345`
#[derive(Clone, Copy, Debug)]
pub struct Thousands(pub u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        f.pad(&grouped)
    }
}

/// A length of time as one says it: `1.24 s`, `18.3 ms`.
#[derive(Clone, Copy, Debug)]
pub struct Nanoseconds(pub u64);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            1_000_000_000.. => (1_000_000_000, "s"),
            1_000_000.. => (1_000_000, "ms"),
            _ => (1_000, "us"),
        };
        let hundredths = u128::from(self.0) * 100 / unit;
        let (whole, rest) = (hundredths / 100, hundredths % 100);
        f.pad(&format!("{whole}.{rest:02} {name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_beginnings_are_recognised_and_other_words_are_not() {
        let known = ["latency", "loss", "duplication", "control"];
        assert_eq!(nearest("latncy", known), Some("latency"));
        assert_eq!(nearest("los", known), Some("loss"));
        assert_eq!(nearest("duplicat", known), Some("duplication"));
        assert_eq!(nearest("network_loss", known), Some("loss"));
        assert_eq!(nearest("contorl", known), Some("control"));
        assert_eq!(nearest("bandwidth", known), None);
        assert_eq!(nearest(&"latency".repeat(100), known), None);
    }

    #[test]
    fn what_is_shown_stays_on_one_line() {
        assert_eq!(shorten("a\u{1}b"), "a\\u{1}b");
        assert_eq!(shorten("a\nb"), "a...");
        assert_eq!(shorten(&"é".repeat(100)), format!("{}...", "é".repeat(48)));
    }

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(quoted("a/b-1.toml"), "a/b-1.toml");
        assert_eq!(quoted("it's here"), r"'it'\''s here'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_list_to_choose_from() {
        assert_eq!(one_of(["a"]), "`a`");
        assert_eq!(one_of(["a", "b", "c"]), "`a`, `b` or `c`");
    }

    #[test]
    fn long_lists_go_on_below() {
        let lines = on_lines("head:", ["word"; 61], 4, 100);
        assert_eq!(lines.len(), 4);
        assert!(lines[1].starts_with("    word word") && lines.iter().all(|l| l.len() <= 100));
        assert_eq!(lines.iter().flat_map(|line| line.split_whitespace()).count(), 62);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("", 5), [""; 0]);
        assert_eq!(wrapped("a bc  def", 4), ["a bc", "def"]);
        assert_eq!(wrapped("longer than", 3), ["longer", "than"]);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let spelled = [0, 12, 999, 1000, 12_345, 1_234_567].map(|n| Thousands(n).to_string());
        assert_eq!(spelled, ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
    }

    #[test]
    fn lengths_of_time_have_a_fitting_unit() {
        let spelled = [0, 1_500, 18_300_000, 62_104_000_000].map(|n| Nanoseconds(n).to_string());
        assert_eq!(spelled, ["0.00 us", "1.50 us", "18.30 ms", "62.10 s"]);
        assert_eq!(Nanoseconds(u64::MAX).to_string(), "18446744073.70 s");
    }
}
