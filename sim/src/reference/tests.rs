use seedbed::proto::FileService;

use super::*;
use crate::scenario::tables::tables;

#[test]
fn a_table_is_found_by_every_way_to_write_its_name() {
    for name in ["fault", "[[fault]]", "[fault]"] {
        assert_eq!(find::<FileService>(name).unwrap().name, "fault", "{name}");
    }
    assert_eq!(find::<FileService>("fault.when").unwrap().name, "fault.when");
    assert_eq!(find::<FileService>("clog").unwrap().name, "fault.clog");
    assert_eq!(find::<FileService>("when").unwrap_err(), Some("script.when"));
    assert_eq!(find::<FileService>("file").unwrap().style, Style::File);
    assert_eq!(find::<FileService>("falt").unwrap_err(), Some("fault"));
    assert_eq!(find::<FileService>("qqqqqq").unwrap_err(), None);
    assert!(
        names::<FileService>()
            .iter()
            .all(|name| find::<FileService>(name).is_ok_and(|table| called(&table) == *name))
    );
}

#[test]
fn no_line_for_a_terminal_is_too_long_and_no_key_is_left_out() {
    let overview = overview::<FileService>();
    for table in tables::<FileService>() {
        let lines = table_lines(&table);
        let all = lines.iter().chain(&overview);
        for line in all {
            assert!(line.chars().count() <= 100 && line.trim_end() == line, "{line:?}");
        }
        for (_, key) in table.all_keys() {
            let is_it = |line: &&String| line.trim_start().split(' ').next() == Some(key.name);
            assert!(lines.iter().any(|line| is_it(&line)), "{}.{}", table.name, key.name);
            assert!(overview.iter().any(|line| line.contains(key.name)), "{}", key.name);
        }
    }
}

#[test]
fn columns_stand_below_each_other() {
    let lines = table_lines(&find::<FileService>("clock").unwrap());
    assert_eq!(lines[0], "[[clock]]: a clock that differs from true time");
    let at = |line: &str, word: &str| line.find(word).unwrap();
    assert_eq!(at(&lines[2], "value"), at(&lines[3], "machine"));
    assert_eq!(at(&lines[3], "machine"), at(&lines[4], "duration"));
    assert_eq!(at(&lines[3], "must be there"), at(&lines[4], "`\"0s\"`"));
}

#[test]
fn a_table_of_markdown_has_as_many_cells_in_every_line() {
    let text = markdown::<FileService>();
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        assert!([3, 5].contains(&cells(line)), "{line}");
    }
    for table in tables::<FileService>() {
        assert!(table.all_keys().all(|(_, key)| text.contains(&format!("`{}` |", key.name))));
    }
}
