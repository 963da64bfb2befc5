//! Fixed lists of names: kinds of message, milestones, roles and whatever else a scenario names.

use std::fmt::Debug;
use std::hash::Hash;

use seedbed::machine::Never;

/// One of a fixed list of things that have names.
pub trait Name: Copy + Eq + Ord + Hash + Debug + Send + Sync + 'static {
    /// All of them, in order.
    const ALL: &'static [Self];

    /// The name used in scenario files and traces.
    fn name(self) -> &'static str;

    /// What it is, in one line.
    fn summary(self) -> &'static str {
        ""
    }

    /// Its place in the list.
    fn index(self) -> usize {
        let place = Self::ALL.iter().position(|it| *it == self);
        place.expect("the list has all of them")
    }

    /// The one of this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }
}

/// The empty list.
impl Name for Never {
    const ALL: &'static [Never] = &[];

    fn name(self) -> &'static str {
        match self {}
    }
}

/// Makes an enum that is a list of names; the first line of documentation is the summary.
///
/// ```
/// use seedbed_sim::name::Name;
///
/// seedbed_sim::names! {
///     /// A kind of message.
///     pub enum MessageKind {
///         /// a client asks
///         Ask = "ask",
///         /// the server answers
///         Tell = "tell",
///     }
/// }
/// assert_eq!(MessageKind::Tell.name(), "tell");
/// assert_eq!(MessageKind::named("ask"), Some(MessageKind::Ask));
/// assert_eq!(MessageKind::Ask.summary(), "a client asks");
/// ```
///
/// With `of` they are the kinds of another enum, whose variants have the same names:
///
/// ```
/// enum Message {
///     Ask { number: u32 },
///     Tell(u32),
/// }
///
/// seedbed_sim::names! {
///     /// A kind of message.
///     pub enum MessageKind of Message {
///         /// a client asks
///         Ask = "ask",
///         /// the server answers
///         Tell = "tell",
///     }
/// }
/// assert_eq!(MessageKind::of(&Message::Ask { number: 1 }), MessageKind::Ask);
/// ```
#[macro_export]
macro_rules! names {
    ($(#[$of:meta])* $vis:vis enum $names:ident of $thing:ident {
        $(#[doc = $doc:literal] $(#[doc = $more:literal])* $variant:ident = $name:literal,)*
    }) => {
        $crate::names! {
            $(#[$of])* $vis enum $names {
                $(#[doc = $doc] $(#[doc = $more])* $variant = $name,)*
            }
        }

        impl $names {
            /// The kind of a thing.
            $vis fn of(thing: &$thing) -> $names {
                match thing { $($thing::$variant { .. } => $names::$variant,)* }
            }
        }
    };
    ($(#[$of:meta])* $vis:vis enum $names:ident {
        $(#[doc = $doc:literal] $(#[doc = $more:literal])* $variant:ident = $name:literal,)*
    }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $names {
            $(#[doc = $doc] $(#[doc = $more])* $variant,)*
        }

        impl $crate::name::Name for $names {
            const ALL: &'static [$names] = &[$($names::$variant,)*];

            fn name(self) -> &'static str {
                match self { $($names::$variant => $name,)* }
            }

            fn summary(self) -> &'static str {
                match self { $($names::$variant => concat!($doc $(, $more)*).trim_ascii(),)* }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
