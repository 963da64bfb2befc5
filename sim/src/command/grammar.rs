//! `grammar`: what a scenario file may say.

use super::arguments::GrammarArguments;
use super::output::{Output, complain};
use super::{Done, Status};
use crate::reference;

pub(super) fn grammar(arguments: &GrammarArguments, output: &mut Output) -> Done {
    let lines = match &arguments.table {
        _ if arguments.markdown => reference::markdown().lines().map(str::to_owned).collect(),
        None => reference::overview(),
        Some(name) => match reference::find(name) {
            Ok(table) => reference::table_lines(&table),
            Err(meant) => {
                complain(&format!("error: {}", unknown(name, meant)));
                return Ok(Status::WrongInput);
            }
        },
    };
    lines.iter().try_for_each(|line| output.line(line))?;
    Ok(Status::AsExpected)
}

fn unknown(name: &str, meant: Option<&str>) -> String {
    let name = crate::text::shorten(name);
    match meant {
        Some(meant) => format!("unknown table `{name}`; did you mean `{meant}`?"),
        None => {
            let all = crate::text::one_of(reference::names());
            format!("unknown table `{name}`, expected {all}")
        }
    }
}
