//! Roles: how a fault names a machine by the part it plays in what has just happened.

use seedbed::machine::Never;

use crate::name::Name;

/// A part that a machine plays in what a milestone is about.
pub trait Role: Name {
    /// The name of all machines that play it, where several may.
    fn plural(self) -> Option<&'static str> {
        None
    }

    /// Is it a client that plays this part? Clients have no log.
    fn is_client(self) -> bool {
        false
    }
}

/// A system without roles.
impl Role for Never {}
