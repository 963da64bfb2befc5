//! The tables of the file service, and what it adds to those of the testbed.

use super::examples::example;
use super::request::grammar::{OPERATION, SCRIPT};
use super::settings::grammar::{CLUSTER, TIMING};
use super::stored::{EXPECT, STORED};
use super::swarm::KEYS;
use super::wishes::{CHAOS, SET};
use super::{answer, limits, workload};
use crate::scenario::reading::Extra;
use crate::scenario::tables::TableReference;

/// What the file service adds to a table of the testbed.
pub(in crate::file_service) fn extra(table: &str) -> Extra {
    let extra = match table {
        "cluster" => CLUSTER,
        "script" => SCRIPT,
        "fault" => FAULT,
        "chaos" => CHAOS,
        "chaos.budget" => BUDGET,
        "swarm" => SWARM,
        "phases" => PHASES,
        "expect" => EXPECT,
        _ => Extra::default(),
    };
    Extra { example: extra.example.or_else(|| example(table)), ..extra }
}

/// The tables of the file service, each with the table of the testbed behind which it stands.
pub(in crate::file_service) fn tables() -> Vec<(&'static str, TableReference)> {
    vec![
        ("cluster", (&TIMING).into()),
        ("cluster", (&limits::LIMITS).into()),
        ("clock", (&workload::WORKLOAD).into()),
        ("script.steps", (&OPERATION).into()),
        ("script.steps", (&answer::ANSWER).into()),
        ("fault.duplicate", (&SET).into()),
        ("expect.reached", (&STORED).into()),
    ]
}

const PHASES: Extra = Extra {
    keys: &[],
    notes: &[
        "With `probes`, paths that a request touched are read and written through each owner, and \
              their locks are taken and given back.",
    ],
    example: None,
};

const FAULT: Extra = Extra {
    keys: &[],
    notes: &[
        "With `full_disk` the machine refuses new work with `disk_full`, and does what it has \
         promised.",
        "`wipe`, `join`, `leave`, `set` and `accept_loss` need `membership = \"managed\"`.",
    ],
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
