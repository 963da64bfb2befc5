//! The lines of a report.

use super::chart::shorten;
use super::layout::Layout;

/// How a line of a report is meant; a terminal shows it in colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Plain text.
    Plain,
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
    /// The head of a part.
    Heading,
    /// Not so important.
    Faint,
}

/// A line of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

/// A report as it grows.
#[derive(Debug)]
pub(super) struct Page {
    pub layout: Layout,
    pub lines: Vec<Line>,
}

impl Page {
    pub fn new(layout: Layout) -> Page {
        Page { layout, lines: Vec::new() }
    }

    pub fn put(&mut self, tone: Tone, text: impl Into<String>) {
        self.lines.push(Line { tone, text: text.into() });
    }

    pub fn plain(&mut self, text: impl Into<String>) {
        self.put(Tone::Plain, text);
    }

    pub fn gap(&mut self) {
        self.plain("");
    }

    /// One line, cut where it is too long.
    pub fn cut(&mut self, text: &str) {
        self.plain(shorten(text, self.layout.width));
    }

    /// `text` on up to `most` lines, from column `indent` on.
    pub fn paragraph(&mut self, text: &str, indent: usize, most: usize) {
        let most = self.layout.at_most(most);
        for line in paragraph(text, self.layout.width - indent, most) {
            self.plain(format!("{:indent$}{line}", ""));
        }
    }

    /// `name  text`, the text on up to `most` lines.
    pub fn named(&mut self, name: &str, text: &str, most: usize) {
        const INDENT: usize = 12;
        let most = self.layout.at_most(most);
        for (i, line) in paragraph(text, self.layout.width - INDENT, most).into_iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            self.plain(format!("  {name:<9} {line}"));
        }
    }
}

/// `text` on up to `most` lines of `width`; what does not fit is left out, and `...` says so.
pub(super) fn paragraph(text: &str, width: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(&shorten(word, width));
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept: String = last.chars().take(width - 4).collect();
            *last = format!("{} ...", kept.trim_end_matches(['.', ' ']));
        }
    }
    lines
}
