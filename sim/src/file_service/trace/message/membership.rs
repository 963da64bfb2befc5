//! Membership, and what the centre decides when a disk is lost.

use seedbed::proto::{Epoch, FromCentre, Lost, Open, ToCentre, Verdict, Views};

use super::Spelled;
use super::txn::result_list;
use crate::file_service::trace::Detail;
use crate::file_service::trace::words::{count, list, members_of, settled, views};

pub(super) fn to_centre(message: &ToCentre) -> Spelled {
    match message {
        ToCentre::Resolve { admission, txn, epoch, participants } => {
            let participants = list(participants.iter());
            Spelled::brief(format!("Resolve {txn}"))
                .needed(format!("it was for {epoch}, participants {participants}"))
                .rest(format!("under {admission}"))
        }
        ToCentre::Admit { incarnation } => Spelled::brief(format!("Admit {incarnation}")),
        ToCentre::Heartbeat { admission, incarnation, known, asked, answered } => {
            let known = match known {
                Epoch(0) => "no view".to_owned(),
                _ => known.to_string(),
            };
            let answered = answered.map_or("none".to_owned(), |answered| answered.to_string());
            Spelled::brief(format!("Heartbeat, knows {known}")).contents(format!(
                "under {admission} in {incarnation}, asked {asked}; last answered: {answered}"
            ))
        }
        ToCentre::Entered { admission, epoch, open } => {
            let open = open.iter().map(|Open { txn, results }| {
                format!("{txn} ({})", count(results.len(), "outcome"))
            });
            Spelled::brief(format!("Entered {epoch}"))
                .needed(format!("open: {}", list(open)))
                .rest(format!("under {admission}"))
        }
        ToCentre::Completed { admission, epoch } => {
            Spelled::brief(format!("Completed in {epoch}")).rest(format!("under {admission}"))
        }
        ToCentre::Departed { admission, epoch } => {
            Spelled::brief(format!("Departed by {epoch}")).rest(format!("under {admission}"))
        }
        ToCentre::Watch { known: Epoch(0) } => Spelled::brief("Watch for any view".to_owned()),
        ToCentre::Watch { known } => Spelled::brief(format!("Watch for views after {known}")),
    }
}

pub(super) fn from_centre(message: &FromCentre) -> Spelled {
    match message {
        FromCentre::Resolved { admission, txn, verdict } => {
            let (how, results) = match verdict {
                Verdict::Committed(results) => ("committed", result_list(results)),
                Verdict::Aborted => ("aborted", String::new()),
            };
            Spelled::brief(format!("Resolved {txn} {how}"))
                .contents(results)
                .rest(format!("under {admission}"))
        }
        FromCentre::Admitted { incarnation, admission } => {
            Spelled::brief(format!("Admitted under {admission}")).rest(format!("for {incarnation}"))
        }
        FromCentre::Alive { incarnation, asked, epoch, settled: last, lost } => {
            Spelled::brief(format!("Alive: a lease for {epoch}"))
                .contents(format!("counts from {asked} of {incarnation}{}", all_lost(lost)))
                .rest(settled(*last))
        }
        FromCentre::Noted { admission, epoch } => {
            Spelled::brief(format!("Noted {epoch}")).rest(format!("under {admission}"))
        }
    }
}

pub(super) fn news(news: &Views, detail: Detail<'_>) -> Spelled {
    let Views { asked: _, views: all, settled: last, lost } = news;
    let brief = match &all[..] {
        [] => "Views: none".to_owned(),
        [only] => format!("Views {}", only.epoch),
        [oldest, .., newest] => format!("Views {} to {}", oldest.epoch, newest.epoch),
    };
    let all = match detail {
        Detail::Brief | Detail::Whole => views(all.iter()),
        Detail::Report(_) | Detail::Contents(_) => list(all.iter().map(members_of)),
    };
    let newest = news.views.last().map_or(String::new(), members_of);
    Spelled::brief(brief)
        .contents(format!("{all}; {}{}", settled(*last), all_lost(lost)))
        .of_which(format!("{newest}{}", all_lost(lost)))
}

/// The members that are lost.
fn all_lost(members: &[Lost]) -> String {
    let lost =
        |lost: &Lost| format!("; {}, which had entered {}, is lost", lost.member, lost.entered);
    members.iter().map(lost).collect()
}
