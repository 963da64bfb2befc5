//! Where the command writes: plain text, or in colours on a terminal.

use std::io::{self, BufWriter, Write};

use anstyle::{AnsiColor, Style};

use crate::report::{Line, Tone};

/// Standard output. Once its reader has gone, what is written is dropped.
pub(super) struct Output {
    to: BufWriter<anstream::Stdout>,
    is_broken: bool,
}

impl Output {
    pub fn new() -> Output {
        Output { to: BufWriter::new(anstream::stdout()), is_broken: false }
    }

    /// Has the reader gone away?
    pub fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Writes one line.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.write(|to| writeln!(to, "{text}"))
    }

    /// Writes whole lines.
    pub fn text(&mut self, lines: &str) -> io::Result<()> {
        self.write(|to| to.write_all(lines.as_bytes()))
    }

    /// Writes one line in the colours of its tone.
    pub fn toned(&mut self, Line { tone, text }: &Line) -> io::Result<()> {
        let style = style(*tone);
        if style.is_plain() || text.is_empty() {
            return self.line(text);
        }
        self.write(|to| writeln!(to, "{style}{text}{style:#}"))
    }

    /// Lets the reader see what is written so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write(Write::flush)
    }

    /// The last thing to do.
    pub fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut BufWriter<anstream::Stdout>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.is_broken {
            return Ok(());
        }
        match write(&mut self.to) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_broken = true;
                Ok(())
            }
            done => done,
        }
    }
}

fn style(tone: Tone) -> Style {
    match tone {
        Tone::Plain => Style::new(),
        Tone::Good => AnsiColor::Green.on_default().bold(),
        Tone::Bad => AnsiColor::Red.on_default().bold(),
        Tone::Heading => Style::new().bold(),
        Tone::Faint => Style::new().dimmed(),
    }
}

/// Says on standard error what is wrong; if it has no reader, that is all.
pub(super) fn complain(text: &str) {
    let red = AnsiColor::Red.on_default().bold();
    let told = match text.split_once(": ") {
        Some((word, rest)) => writeln!(anstream::stderr(), "{red}{word}{red:#}: {rest}"),
        None => writeln!(anstream::stderr(), "{text}"),
    };
    drop(told);
}
