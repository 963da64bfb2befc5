//! The operator of a system: what it can be told to do, and what a drawn plan lets it want.

use std::fmt::Debug;
use std::hash::Hash;

use seedbed::machine::{Class, Never, NodeId, Span};

use super::UnderTest;
use crate::cast::Cast;
use crate::fault::Fault;
use crate::name::Name;
use crate::scenario::reading::{Form, Result, Table, Value};
use crate::scenario::{Chaos, FaultPlace, Phases, Target, written};
use crate::seed::Stream;

/// What the operator of `S` can want. A value of it is the operator of one drawn plan: it remembers
/// what it has wanted, so that what it wants next goes with that.
pub trait Operator<S: UnderTest> {
    /// Kinds of wish.
    type Kind: Name;
    /// What the operator wants, but for the machine that it is about.
    type Wish: Clone + Debug + Eq + Hash + Send + Sync;
    /// What `[chaos]` says of the operator.
    type Options: Clone + Debug + Default + Eq + Hash + Send + Sync;

    /// How a `[[fault]]` says each of them.
    const FORMS: &'static [Form<Self::Kind>];

    /// The kind of a wish.
    fn kind(wish: &Self::Wish) -> Self::Kind;

    /// Reads a wish of this kind, and the machine that it is about.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read(kind: Self::Kind, place: &FaultPlace<'_, S>)
    -> Result<(Self::Wish, Option<Target<S>>)>;

    /// The key and the value by which a `[[fault]]` says it; `None` if no file of the system does.
    fn written(
        _wish: &Self::Wish,
        _node: Option<NodeId>,
    ) -> Option<(&'static str, written::Value)> {
        None
    }

    /// What the operator tells the system, once it is known which machine it is about.
    fn command(wish: &Self::Wish, node: Option<NodeId>) -> S::Command;

    /// The classes of the machines that it strikes.
    fn strikes(kind: Self::Kind) -> &'static [Class];

    /// May a fault of this kind be drawn in a cluster of this configuration? Notes why not.
    ///
    /// # Errors
    /// It may not.
    fn may_be_drawn(kind: Self::Kind, value: &Value<'_>, config: &S::Config) -> Result<()>;

    /// Reads what `[chaos]` says of the operator.
    ///
    /// # Errors
    /// Whatever the file says wrongly, noted where it stands.
    fn read_options(_chaos: &Table<'_>, _config: &S::Config) -> Result<Self::Options> {
        Ok(Self::Options::default())
    }

    /// Notes what does not go together in `[chaos]`.
    fn check(_root: &Table<'_>, _chaos: &Chaos<S>, _phases: &Phases) {}

    /// What the operator wants after the safety phase, and how long after.
    fn afterwards(_options: &Self::Options) -> Vec<(Span, Self::Wish)> {
        Vec::new()
    }

    /// The operator of a plan for such a cluster.
    fn new(cast: Cast, config: &S::Config) -> Self;

    /// Draws a wish of this kind; `may_come_late` where it is told at a milestone. `None` if the
    /// operator has nothing of the kind to want.
    fn draw(
        &mut self,
        kind: Self::Kind,
        may_come_late: bool,
        config: &S::Config,
        stream: &mut Stream,
    ) -> Option<(Self::Wish, Option<NodeId>)>;

    /// Does this drawn fault leave what is promised within reach?
    fn keeps_the_promise(_fault: &Fault<S>, _options: &Self::Options, _model: &S::Model) -> bool {
        true
    }
}

/// The operator of a system that can be told nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoOperator;

impl<S: UnderTest> Operator<S> for NoOperator {
    type Kind = Never;
    type Wish = Never;
    type Options = ();

    const FORMS: &'static [Form<Never>] = &[];

    fn kind(wish: &Never) -> Never {
        *wish
    }

    fn read(kind: Never, _place: &FaultPlace<'_, S>) -> Result<(Never, Option<Target<S>>)> {
        match kind {}
    }

    fn command(wish: &Never, _node: Option<NodeId>) -> S::Command {
        match *wish {}
    }

    fn strikes(kind: Never) -> &'static [Class] {
        match kind {}
    }

    fn may_be_drawn(kind: Never, _value: &Value<'_>, _config: &S::Config) -> Result<()> {
        match kind {}
    }

    fn new(_cast: Cast, _config: &S::Config) -> NoOperator {
        NoOperator
    }

    fn draw(
        &mut self,
        kind: Never,
        _may_come_late: bool,
        _config: &S::Config,
        _stream: &mut Stream,
    ) -> Option<(Never, Option<NodeId>)> {
        match kind {}
    }
}

/// Can the operator of `S` be told anything?
pub fn has_operator<S: UnderTest>() -> bool {
    !S::Operator::FORMS.is_empty()
}

/// What the operator of `S` wants.
pub type Wish<S> = <<S as UnderTest>::Operator as Operator<S>>::Wish;
/// Kinds of what the operator of `S` wants.
pub type WishKind<S> = <<S as UnderTest>::Operator as Operator<S>>::Kind;
/// What `[chaos]` says of the operator of `S`.
pub type Options<S> = <<S as UnderTest>::Operator as Operator<S>>::Options;
