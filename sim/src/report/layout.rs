//! How much room a report has.

/// How a report is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How wide a line may be, in characters.
    pub width: usize,
    /// Is everything told? Else what fits into [`Layout::LINES`] lines.
    pub is_full: bool,
    /// Are the steps drawn of a run that ends as one does that goes well?
    pub is_charted: bool,
}

impl Default for Layout {
    fn default() -> Layout {
        Layout { width: Layout::WIDTH, is_full: false, is_charted: false }
    }
}

impl Layout {
    /// The most lines of a report of which not everything is wanted.
    pub const LINES: usize = 66;
    /// How wide a line may be where nothing else is known.
    pub const WIDTH: usize = 120;
    /// The least and the most that a line may be wide.
    pub const WIDTHS: (usize, usize) = (80, 160);

    /// The layout for a terminal of `columns` characters.
    pub fn of_terminal(columns: usize) -> Layout {
        let (least, most) = Layout::WIDTHS;
        Layout { width: columns.clamp(least, most), ..Layout::default() }
    }

    /// So many lines, or all that there are.
    pub(super) fn at_most(self, lines: usize) -> usize {
        if self.is_full { usize::MAX } else { lines }
    }
}
