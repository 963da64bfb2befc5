//! Isolation of transactions that read.

use seedbed::proto::{FileService, Path, Version};

use crate::file_service::oracle::model::commit_points::{CommitPoint, commit_points};
use crate::file_service::oracle::{
    Breach, Committed, Evidence, Invariant, Moment, Seen, SeenKinds, reads,
};

/// All reads of a committed transaction come from one point in the order of commits; if it changes
/// something, from the point just before its own.
///
/// A participant that lets go of its pins when it has voted, because it only read, lets another
/// transaction commit between two reads of this one: no serial order explains what both saw (Adya,
/// 1999, anomaly G2; read skew in Berenson et al., "A Critique of ANSI SQL Isolation Levels", 1995,
/// A5A). Strict two-phase locking over all participants is what forbids it: Bernstein, Hadzilacos,
/// Goodman, 1987, section 3.5.
pub struct ReadsOfOneTransactionAreOneMoment;

impl Invariant<FileService> for ReadsOfOneTransactionAreOneMoment {
    fn interest(&self) -> SeenKinds {
        commit_points()
    }

    fn see(&mut self, seen: &Seen<'_>, Moment { model, .. }: &Moment<'_>) -> Result<(), Breach> {
        let Some(CommitPoint { id, txn, node, answer }) = model.committed_by(seen) else {
            return Ok(());
        };
        let asked = model.asked_by(id).and_then(|asked| asked.operations.as_deref());
        let changes = !txn.own.is_empty() || txn.yes.values().any(|yes| !yes.is.is_empty());
        // What was read last of all that was written, and what was replaced first of all that was
        // read.
        let mut newest: Option<(&Path, Version, &Committed)> = None;
        let mut replaced: Option<(&Path, Version, &Committed)> = None;
        let is_in_time = |path: &Path| !model.too_late().contains(path);
        let all = reads(asked.unwrap_or_default(), answer);
        for (path, version, _) in all.filter(|(path, ..)| is_in_time(path)) {
            let Some(history) = model.files.get(path) else { continue };
            let order = |end: &Option<(&Path, Version, &Committed)>| end.map(|end| end.2.order);
            let written = history.at_version(version).filter(|state| state.txn != id);
            if let Some(written) = written.filter(|w| Some(w.order) > order(&newest)) {
                newest = Some((path, version, written));
            }
            let next = history.after_version(version).filter(|state| state.txn != id);
            if let Some(next) = next.filter(|n| order(&replaced).is_none_or(|o| n.order < o)) {
                replaced = Some((path, version, next));
            }
        }
        let Some((old, version, by)) = replaced else { return Ok(()) };
        let earlier = || {
            let is = format!("{} replaced {old} {version}", by.txn);
            Evidence::at(by.step, is).about(by.txn).about(old)
        };
        match newest {
            Some((new, found, written)) if written.order >= by.order => {
                let now = format!(
                    "{node} commits {id}, which read {old} {version}, and {new} {found} that {} \
                     committed in step {}, not before",
                    written.txn, written.step
                );
                let now = Evidence::at(model.step, now).about(id).about(old).about(new);
                Err(Breach::of(earlier(), now.about(written.txn)))
            }
            Some(_) | None if changes => {
                let now =
                    format!("{node} commits {id}, which read {old} {version} and changes files");
                Err(Breach::of(earlier(), Evidence::at(model.step, now).about(id).about(old)))
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_service::oracle::tests::{
        Play, changed, decided, decided_answer, found, n, read, request, txn, txn_of, voted, write,
    };
    use seedbed::proto::Record;

    fn play() -> Play {
        let mut play = Play::new(ReadsOfOneTransactionAreOneMoment);
        play.forces(n(1), decided(txn(1), &[], "/a", 1, "x"));
        play.asks(request(1, 3), &[read("/a"), read("/b")]);
        play
    }

    #[test]
    fn a_commit_between_two_reads_is_a_breach() {
        let mut play = play();
        play.forces(n(2), voted(txn(2), "/b", 1, "y"));
        play.forces(n(1), decided(txn(2), &[n(2)], "/a", 2, "y"));
        let answer = [found(1, Some("x")), found(1, Some("y"))];
        let breach = play.forces(n(1), decided_answer(request(1, 3), txn(3), &answer)).breaks();
        assert_eq!(breach.earlier.is, "n1.1/2 replaced /a v1");
        let now = "n1 commits n1.1/3, which read /a v1, and /b v1 that n1.1/2 committed in step";
        assert!(breach.now.is.starts_with(now), "{}", breach.now.is);
    }

    #[test]
    fn a_read_only_transaction_of_an_older_moment_is_none() {
        let mut play = play();
        play.forces(n(2), voted(txn(2), "/b", 1, "y"));
        play.forces(n(1), decided(txn(2), &[n(2)], "/a", 2, "y"));
        let answer = [found(1, Some("x")), found(0, None)];
        play.forces(n(1), decided_answer(request(1, 3), txn(3), &answer));
        play.holds();
    }

    #[test]
    fn a_change_that_builds_on_what_was_replaced_is_a_breach() {
        let mut play = play();
        play.asks(request(1, 4), &[read("/a"), write("/b", "z")]);
        play.forces(n(1), decided(txn(2), &[], "/a", 2, "y"));
        play.forces(n(2), voted(txn(4), "/b", 1, "z"));
        let answer = [found(1, Some("x")), changed(1)];
        let breach = play.forces(n(1), decided_answer(request(1, 4), txn(4), &answer)).breaks();
        assert_eq!(breach.earlier.is, "n1.1/2 replaced /a v1");
        assert_eq!(breach.now.is, "n1 commits n1.1/4, which read /a v1 and changes files");
    }

    #[test]
    fn a_change_that_builds_on_the_newest_is_none() {
        let mut play = play();
        play.asks(request(1, 4), &[read("/a"), write("/a", "z")]);
        play.forces(n(2), voted(txn(4), "/a", 2, "z"));
        let answer = [found(1, Some("x")), changed(2)];
        play.forces(n(1), decided_answer(request(1, 4), txn(4), &answer));
        play.holds();
    }

    #[test]
    fn what_participants_commit_without_their_coordinator_counts_too() {
        let mut play = Play::new(ReadsOfOneTransactionAreOneMoment);
        play.had_lost_its_disk(n(1));
        play.asks(request(1, 1), &[read("/a"), write("/b", "z")]);
        play.forces(n(3), decided(txn_of(n(3), 1), &[], "/a", 1, "x"));
        play.forces(n(3), decided(txn_of(n(3), 2), &[], "/a", 2, "y"));
        play.forces(n(2), voted(txn(1), "/b", 1, "z"));
        let answer = [found(1, Some("x")), changed(1)].into();
        let applied = Record::Applied { txn: txn(1), request: request(1, 1), answer };
        let breach = play.forces(n(2), applied).breaks();
        assert_eq!(breach.now.is, "n2 commits n1.1/1, which read /a v1 and changes files");
    }
}
