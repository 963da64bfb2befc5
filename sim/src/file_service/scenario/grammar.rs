//! The tables of the file service, and what it adds to those of the testbed.

use super::request::grammar::{OPERATION, SCRIPT};
use super::settings::grammar::{CLUSTER, TIMING};
use super::stored::{EXPECT, STORED};
use super::swarm::KEYS;
use super::wishes::{CHAOS, SET};
use super::{answer, limits, workload};
use crate::scenario::reading::{Extra, Key};
use crate::scenario::tables::TableReference;

/// What the file service adds to a table of the testbed.
pub(in crate::file_service) fn extra(table: &str) -> Extra {
    match table {
        "" => FILE,
        "cluster" => CLUSTER,
        "script" => SCRIPT,
        "fault" => FAULT,
        "chaos" => CHAOS,
        "chaos.budget" => BUDGET,
        "swarm" => SWARM,
        "expect" => EXPECT,
        _ => Extra::default(),
    }
}

/// The tables of the file service that stand behind a table of the testbed.
pub(in crate::file_service) fn tables(behind: &str) -> Vec<TableReference> {
    match behind {
        "cluster" => vec![(&TIMING).into(), (&limits::LIMITS).into()],
        "clock" => vec![(&workload::WORKLOAD).into()],
        "script.steps" => vec![(&OPERATION).into(), (&answer::ANSWER).into()],
        "fault.duplicate" => vec![(&SET).into()],
        "expect.reached" => vec![(&STORED).into()],
        _ => Vec::new(),
    }
}

const FILE: Extra = Extra {
    keys: &[
        Key::perhaps("timing", "table", "as if empty", "see `[timing]`"),
        Key::perhaps("limits", "table", "as if empty", "see `[limits]`"),
    ],
    notes: &[],
    example: None,
};

const FAULT: Extra = Extra {
    keys: &[],
    notes: &["`wipe`, `join`, `leave`, `set` and `accept_loss` need `membership = \"managed\"`."],
    example: None,
};

const BUDGET: Extra = Extra {
    keys: &[],
    notes: &[
        "`wipes` needs `membership = \"managed\"`. Without `last_copies` a disk is lost only where \
         another owner has all of it.",
    ],
    example: None,
};

const SWARM: Extra = Extra {
    keys: KEYS,
    notes: &["`spare` and `wipes` need `membership = \"managed\"`."],
    example: None,
};
