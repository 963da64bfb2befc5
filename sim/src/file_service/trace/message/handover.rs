//! Hand-overs.

use seedbed::proto::{Changes, Chunk, Path, Pull, PullEnd};

use super::Spelled;
use crate::file_service::trace::Detail;
use crate::file_service::trace::words::{count, file, list};

pub(super) fn pull(pull: &Pull, detail: Detail<'_>) -> Spelled {
    let Pull { epoch, pull, incarnation, level, owner, arcs, after } = pull;
    let (place, after) = (detail.on(arcs), behind(after));
    Spelled::brief(format!("Pull #{pull} for {epoch} of what {level} had"))
        .contents(format!("by {incarnation} from {owner}, {place}{after}"))
}

pub(super) fn chunk(chunk: &Chunk, detail: Detail<'_>) -> Spelled {
    let Chunk { epoch, pull, incarnation, after, files, doubtful, answers, end } = chunk;
    let comes_to = comes_to(end);
    let left_out = match doubtful.is_empty() {
        true => String::new(),
        false => format!("; in doubt {}", detail.on(doubtful)),
    };
    let found = list(files.iter().map(|(path, found)| format!("{path} {}", file(found))));
    let after = behind(after);
    let of_which = of_which(files, answers.len(), &left_out, detail);
    let end = end.as_ref().map_or(String::new(), |end| {
        let (complete, witnessed) = (detail.on(&end.complete), detail.on(&end.witnessed));
        format!("; complete {complete}, witness {witnessed}")
    });
    let known = count(answers.len(), "word");
    let paths = count(files.len(), "path");
    Spelled::brief(format!("Chunk #{pull} for {epoch}, {paths}: {comes_to}"))
        .contents(format!("for {incarnation}{after}: {found}; {known} on requests{left_out}{end}"))
        .of_which(of_which)
}

/// The files that a reader knows by name, and what is said about requests.
fn of_which(files: &Changes, words: usize, left_out: &str, detail: Detail<'_>) -> String {
    let Detail::Report(places) = detail else { return String::new() };
    let known = files.iter().filter(|(path, _)| places.paths().contains(path));
    let known = list(known.map(|(path, found)| format!("{path} {}", file(found))));
    format!("{known}; answers of {}{left_out}", count(words, "request"))
}

/// Up to where paths were handed over before.
fn behind(after: &Option<Path>) -> String {
    after.as_ref().map_or(String::new(), |after| format!(" after {after}"))
}

/// What a chunk says of its pull.
fn comes_to(end: &Option<PullEnd>) -> &'static str {
    match end {
        None => "not the last",
        Some(PullEnd { complete, witnessed, .. }) => {
            match (complete.is_empty(), witnessed.is_empty()) {
                (_, true) => "the last",
                (false, false) => "the last, part is witnessed",
                (true, false) => "only witnessed",
            }
        }
    }
}
