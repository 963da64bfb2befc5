//! The settings of the file service: what `[cluster]` says beside its machines, `[timing]`,
//! `[limits]`.

pub(super) mod grammar;

use std::sync::Arc;

use seedbed::machine::{NodeId, Span};
use seedbed::proto::ring::HashKind;
use seedbed::proto::{CommitMode, Config, ConfigError, Limits, Membership, Settings};

use super::limits;
use super::shared::{POINTS, points, too_many};
use crate::cast::Cast;
use crate::scenario::reading::{Grammar, ReadConfig, Refused, Result, Table, Value};
use grammar::TIMING;

/// Reads the settings.
pub(in crate::file_service) fn read(
    root: &Table<'_>,
    cluster: &Table<'_>,
    cast: Result<Cast>,
) -> ReadConfig<Config> {
    let timing = root.section(&TIMING);
    let usual = Settings::default().membership;
    let membership = cluster.or("membership", usual, |v| v.pick("kind of membership", MEMBERSHIPS));
    let limits = limits::read(root);
    let config = config(cluster, &timing, cast, membership, limits);
    let lenient = config.clone().unwrap_or_else(|_| {
        let membership = membership.unwrap_or(Membership::Managed);
        let usual = Settings { membership, ..Settings::default() };
        Config::new(usual).expect("the usual settings go together")
    });
    ReadConfig { config, lenient }
}

fn config(
    cluster: &Table<'_>,
    timing: &Table<'_>,
    cast: Result<Cast>,
    membership: Result<Membership>,
    limits: Result<Limits>,
) -> Result<Arc<Config>> {
    let settings = settings(cluster, cast, membership);
    let settings = timed(timing, settings);
    let settings = Settings { limits: limits?, ..settings? };
    let cast = cast?;
    let spare = check_spare(cluster, &settings, cast);
    let points = points(settings.virtual_nodes, cast.all_nodes());
    if points > POINTS {
        return Err(cluster.error("virtual_nodes", too_many(points)));
    }
    spare?;
    Config::new(settings).map_err(|error| located(cluster, timing, &error))
}

/// Spare machines are of use only where the central node may let them in, and count as storage
/// nodes.
fn check_spare(cluster: &Table<'_>, settings: &Settings, cast: Cast) -> Result<()> {
    if cast.spare == 0 {
        return Ok(());
    }
    if settings.membership == Membership::Fixed {
        let message = "a spare machine is of no use while membership is fixed: \
                       expected 0, or `membership = \"managed\"`";
        return Err(cluster.error("spare", message));
    }
    let (found, most) = (cast.all_nodes(), settings.limits.nodes);
    if usize::from(found) > most {
        let message = format!("{found} storage nodes in all, expected at most {most}");
        return Err(cluster.error("spare", message));
    }
    Ok(())
}

fn settings(
    cluster: &Table<'_>,
    cast: Result<Cast>,
    membership: Result<Membership>,
) -> Result<Settings> {
    let usual = Settings::default();
    let whole = |value: Value<'_>| value.integer::<u32>(0..=u32::MAX.into());
    let fewest = cast.map_or(usual.replicas, |cast| usual.replicas.min(cast.nodes.into()));
    let replicas = cluster.or("replicas", fewest, |v| v.integer(0..=NodeId::MAX_NUMBER.into()));
    let virtual_nodes = cluster.or("virtual_nodes", usual.virtual_nodes, whole);
    let hash = cluster.or("hash", usual.hash, |v| v.pick("hash", HASHES));
    let ring_bits = cluster.or("ring_bits", usual.ring_bits, |v| v.integer(1..=64));
    let commit = cluster.or("commit", usual.commit, |v| v.pick("commit mode", COMMITS));
    let checkpoint_records = cluster.or("checkpoint_records", usual.checkpoint_records, whole);
    let chunk_paths = cluster.or("chunk_paths", usual.chunk_paths, whole);
    Ok(Settings {
        members: cast?.first_nodes().collect(),
        replicas: replicas?,
        membership: membership?,
        virtual_nodes: virtual_nodes?,
        hash: hash?,
        ring_bits: ring_bits?,
        commit: commit?,
        checkpoint_records: checkpoint_records?,
        chunk_paths: chunk_paths?,
        ..usual
    })
}

const HASHES: [(&str, HashKind); 2] = [("sha1", HashKind::Sha1), ("md5", HashKind::Md5)];
const MEMBERSHIPS: [(&str, Membership); 2] =
    [("fixed", Membership::Fixed), ("managed", Membership::Managed)];
const COMMITS: [(&str, CommitMode); 2] =
    [("staged", CommitMode::Staged), ("two_phase", CommitMode::TwoPhase)];

fn timed(timing: &Table<'_>, settings: Result<Settings>) -> Result<Settings> {
    let usual = Settings::default();
    let span = |key, usual: Span| timing.or(key, usual, |value| value.span());
    let whole = |value: Value<'_>| value.integer(0..=u32::MAX.into());
    let lock_lease = span("lock_lease", usual.lock_lease);
    let membership_lease = span("membership_lease", usual.membership_lease);
    let request_timeout = span("request_timeout", usual.request_timeout);
    let attempt_timeout = span("attempt_timeout", usual.attempt_timeout);
    let retry_delay = span("retry_delay", usual.retry_delay);
    let vote_timeout = span("vote_timeout", usual.vote_timeout);
    let inquiry_interval = span("inquiry_interval", usual.inquiry_interval);
    let chunk_pause = span("chunk_pause", usual.chunk_pause);
    let drift_max_ppm = timing.or("drift_max_ppm", usual.drift_max_ppm, whole);
    Ok(Settings {
        lock_lease: lock_lease?,
        membership_lease: membership_lease?,
        request_timeout: request_timeout?,
        attempt_timeout: attempt_timeout?,
        retry_delay: retry_delay?,
        vote_timeout: vote_timeout?,
        inquiry_interval: inquiry_interval?,
        chunk_pause: chunk_pause?,
        drift_max_ppm: drift_max_ppm?,
        ..settings?
    })
}

/// Notes what the settings have against themselves, at the key that says it.
fn located(cluster: &Table<'_>, timing: &Table<'_>, error: &ConfigError) -> Refused {
    match error {
        ConfigError::NoMembers | ConfigError::BadMember(_) | ConfigError::TooManyMembers { .. } => {
            cluster.error("nodes", error.to_string())
        }
        ConfigError::Replicas { .. } => cluster.error("replicas", error.to_string()),
        ConfigError::Range { name, expected, .. } => {
            let table = if TIMING.known().contains(name) { timing } else { cluster };
            match table.known_value(name) {
                Some(value) => value.not(expected),
                None => table.fault(error.to_string()),
            }
        }
    }
}
