//! `grammar`: what a scenario file may say.

use super::arguments::GrammarArguments;
use super::output::{Output, complain};
use super::{Done, Status};
use crate::reference;
use crate::under_test::UnderTest;

pub(super) fn grammar<S: UnderTest>(arguments: &GrammarArguments, output: &mut Output) -> Done {
    let lines = match &arguments.table {
        _ if arguments.markdown => reference::markdown::<S>().lines().map(str::to_owned).collect(),
        None => reference::overview::<S>(),
        Some(name) => match reference::find::<S>(name) {
            Ok(table) => reference::table_lines(&table),
            Err(meant) => {
                complain(&format!("error: {}", unknown::<S>(name, meant)));
                return Ok(Status::WrongInput);
            }
        },
    };
    lines.iter().try_for_each(|line| output.line(line))?;
    Ok(Status::AsExpected)
}

fn unknown<S: UnderTest>(name: &str, meant: Option<&str>) -> String {
    let name = crate::text::shorten(name);
    match meant {
        Some(meant) => format!("unknown table `{name}`; did you mean `{meant}`?"),
        None => {
            let all = crate::text::one_of(reference::names::<S>());
            format!("unknown table `{name}`, expected {all}")
        }
    }
}
