//! Shrinking: a run that fails becomes a small scenario that fails in the same way.
//!
//! First the run is written out (`resolve`): what the seed has drawn stands in the file, as
//! settings, scripts and faults. Then whatever can go goes (`passes`): a change stays if the run
//! still ends with the same verdict and the same kind of evidence ([`Kind`]), and passes without
//! the defects if it did so before. The search is that of delta debugging (Zeller and Hildebrandt,
//! "Simplifying and Isolating Failure-Inducing Input", IEEE TSE 28(2), 2002): halves of a list
//! first, then smaller parts of it, then single items. Where messages that take another time change
//! how a run ends, rules for all of them come first, so that the rest can go without them changing.
//!
//! Every candidate is an ordinary scenario file that is read and run, so the result is one. The
//! result depends on file, seed and defect alone.

mod draft;
mod finish;
mod kind;
mod passes;
mod resolve;
mod rules;
mod search;
#[cfg(all(test, feature = "file-service"))]
mod tests;

use std::fmt;
use std::num::NonZeroUsize;

use seedbed::machine::{Span, Time};

use crate::name::Name as _;
use crate::quiet_panics::quietly;
use crate::run;
use crate::scenario::{Scenario, ScenarioErrors};
use crate::simulation::Recording;
use crate::under_test::UnderTest;
use crate::verdict::{RunReport, Verdict};

use draft::{Draft, way};
pub use kind::Kind;

/// A search for a smaller scenario that fails in the same way.
pub struct Shrinking<S: UnderTest> {
    name: String,
    seed: u64,
    defect: Option<S::Defect>,
    kind: Kind,
    /// Must it also pass without the defects? That is how it was.
    must_pass_without_defects: bool,
    best: Draft,
    /// What does not fail in the same way with constant times; known so that it is tried once.
    not_constant: Option<Draft>,
    /// The run of the best one.
    report: RunReport<S>,
    runs: u64,
    most_runs: u64,
    jobs: NonZeroUsize,
    is_over: fn() -> bool,
    tell: Box<dyn FnMut(SoFar)>,
}

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoFar {
    /// How many runs it has taken.
    pub runs: u64,
    /// How large the smallest scenario is.
    pub size: Size,
}

/// The end of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The scenario file.
    pub file: String,
    /// What it has.
    pub size: Size,
    /// How many runs the search has taken.
    pub runs: u64,
    /// Does any seed fail in the same way?
    pub needs_no_seed: bool,
    /// Does the run pass without the defects that the file switches on? `None` if it has none.
    pub passes_without_defects: Option<bool>,
}

/// How large a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Faults that it writes out.
    pub faults: usize,
    /// Scripts.
    pub scripts: usize,
    /// Rules for single messages and syncs.
    pub rules: usize,
    /// How many of `[workload]`, `[chaos]` and `[swarm]` are left.
    pub drawn: usize,
}

/// Why a run cannot be shrunk.
#[derive(Debug)]
pub enum NotShrunk {
    /// The file is not sound.
    Refused(ScenarioErrors),
    /// The run passes.
    Passes,
    /// A file cannot say the seed.
    SeedTooHigh,
}

impl fmt::Display for NotShrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotShrunk::Refused(errors) => errors.fmt(f),
            NotShrunk::Passes => f.write_str(
                "the run passes, but for what `[expect]` may say, which is not looked at: there is \
                 nothing to shrink",
            ),
            NotShrunk::SeedTooHigh => f.write_str("no file can say a seed above 2^63 - 1"),
        }
    }
}

impl std::error::Error for NotShrunk {}

impl fmt::Display for Size {
    /// `1 fault, 2 scripts, no rule`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted = |count: usize, what: &str| match count {
            0 => format!("no {what}"),
            1 => format!("1 {what}"),
            count => format!("{count} {what}s"),
        };
        let Size { faults, scripts, rules, drawn } = *self;
        let all = [(faults, "fault"), (scripts, "script"), (rules, "rule")];
        f.write_str(&all.map(|(count, what)| counted(count, what)).join(", "))?;
        if drawn > 0 {
            write!(f, ", {}", counted(drawn, "drawn table"))?;
        }
        Ok(())
    }
}

impl<S: UnderTest> fmt::Debug for Shrinking<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shrinking { name, seed, kind, runs, .. } = self;
        let mut shown = f.debug_struct("Shrinking");
        shown.field("name", name).field("seed", seed).field("kind", kind).field("runs", runs);
        shown.finish_non_exhaustive()
    }
}

impl<S: UnderTest> Shrinking<S> {
    /// The run of the file `name`, which says `text`, under `seed`, written out as far as a file
    /// can say it. A `defect` is switched on in place of those of the file.
    ///
    /// # Errors
    /// Why it cannot be shrunk.
    pub fn new(
        name: &str,
        text: &str,
        seed: u64,
        defect: Option<S::Defect>,
    ) -> Result<Shrinking<S>, NotShrunk> {
        let read = |text: &str| Scenario::<S>::parse(name, text).map_err(NotShrunk::Refused);
        read(text)?;
        i64::try_from(seed).map_err(|_| NotShrunk::SeedTooHigh)?;
        let mut drawn = Draft::parse(text).expect("a scenario that was read");
        if let Some(defect) = defect {
            drawn.set("cluster.defects", vec![toml::Value::from(defect.name())].into());
        }
        drawn.remove("expect"); // what the file is about may not be what has failed
        let scenario = read(&drawn.text())?;
        let (report, recording) = quietly(|| run::recorded(&scenario, seed)).0;
        let kind = Kind::of(&report.verdict).ok_or(NotShrunk::Passes)?;
        let mut shrinking = Shrinking {
            name: name.to_owned(),
            seed,
            defect,
            kind,
            must_pass_without_defects: false,
            best: drawn.clone(),
            not_constant: None,
            report,
            runs: 1,
            most_runs: u64::MAX,
            jobs: NonZeroUsize::MIN,
            is_over: || false,
            tell: Box::new(|_| {}),
        };
        shrinking.write_out(&drawn, &scenario, recording);
        shrinking.expect_it();
        Ok(shrinking)
    }

    /// The best scenario is the run of `scenario`, which `drawn` says, written out.
    fn write_out(&mut self, drawn: &Draft, scenario: &Scenario<S>, mut recording: Recording<S>) {
        let failed = Time::ZERO + Span::from_nanos(self.report.sim_ns);
        self.first_of(resolve::written_out(drawn, scenario, &recording, self.seed));
        self.must_pass_without_defects = self.passes_without_defects(self.seed) == Some(true);
        if self.must_pass_without_defects {
            return;
        }
        // The run ends where it fails. Without the defects it may need what is drawn later.
        let Some(mended) = drawn.without_defects() else { return };
        let Ok(mended) = Scenario::<S>::parse(&self.name, &mended.text()) else { return };
        let (report, later) = quietly(|| run::recorded(&mended, self.seed)).0;
        self.must_pass_without_defects = report.verdict == Verdict::Pass;
        if self.must_pass_without_defects {
            recording.go_on_with(later, failed);
            let longer = resolve::with_time_for_faults(drawn, scenario, &recording);
            let mut written = resolve::written_out(&longer, scenario, &recording, self.seed);
            written.push(drawn.clone()); // what no file can say may be what the run needs
            self.first_of(written);
        }
    }

    /// The file expects what has failed, where that is by a defect and a file can expect it.
    fn expect_it(&mut self) {
        let violated = match &self.report.verdict {
            Verdict::Violation(violation) | Verdict::Starved(violation) => violation.invariant,
            _ => return,
        };
        if self.best.without_defects().is_some() {
            let mut expecting = self.best.clone();
            expecting.set("expect.violates", violated.name().into());
            self.accepts(expecting);
        }
    }

    /// The search ends when `is_over` says so. The smallest scenario so far is its result.
    #[must_use]
    pub fn until(self, is_over: fn() -> bool) -> Shrinking<S> {
        Shrinking { is_over, ..self }
    }

    /// So many runs at a time. What comes out does not depend on it.
    #[must_use]
    pub fn jobs(self, jobs: NonZeroUsize) -> Shrinking<S> {
        Shrinking { jobs, ..self }
    }

    /// `tell` hears from time to time how far the search has come.
    #[must_use]
    pub fn telling(self, tell: impl FnMut(SoFar) + 'static) -> Shrinking<S> {
        Shrinking { tell: Box::new(tell), ..self }
    }

    /// What has to stay.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// How many runs the search has taken.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How large the smallest scenario so far is.
    pub fn size(&self) -> Size {
        let count = |list: &str| self.best.count(&way(&[list]));
        let drawn = ["workload", "chaos", "swarm"].map(|name| self.best.get(&way(&[name])));
        Size {
            faults: count("fault"),
            scripts: count("script"),
            rules: count("message") + count("sync"),
            drawn: drawn.iter().flatten().count(),
        }
    }
}
