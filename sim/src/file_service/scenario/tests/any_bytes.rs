//! Any bytes are a scenario or an error, and never a panic.

use proptest::prelude::*;

use super::*;

#[test]
fn deep_nesting_is_refused_before_it_costs_stack() {
    let deep = |open: &str, n: usize| format!("title = 't'\nabout = {}", open.repeat(n));
    assert_eq!(
        wrong_text(&deep("[", 100_000)),
        "2: not TOML: cannot recurse further; max recursion depth met"
    );
    assert_eq!(
        wrong_text(&deep("{a=", 100_000)),
        "2: not TOML: cannot recurse further; max recursion depth met"
    );
    assert_eq!(wrong_text(&deep("{a.b.c.d.e.f.g.h.i=", 79)), "2: a key of more than 8 parts");
    assert_eq!(wrong_text("[a.b.c.'d'.\"e\" . f.g.h.i]"), "1: a key of more than 8 parts");
    // The deepest that is read to the end.
    let inner = "a.b.c.d.e.f.g.h";
    let open = format!("{{{inner}=").repeat(78);
    let text = format!("[{inner}]\n{inner}={open}1{}", "}".repeat(78));
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let read = small.spawn(move || wrong_text(&text)).unwrap();
    assert!(read.join().unwrap().starts_with("1: a: unknown key, expected"));
}

/// Whatever the bytes, each error is one line about the file, and they come in the order of lines.
fn read_anything(bytes: &[u8]) {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    if let Err(errors) = Scenario::read("x.toml", bytes) {
        for shown in errors.lines() {
            assert!(shown.starts_with("x.toml:") && !shown.contains(char::is_control), "{shown:?}");
            assert!(shown.len() < 2_000, "{shown}");
        }
        let told = errors.told();
        assert!(told.iter().all(|error| error.line.is_none_or(|line| (1..=lines).contains(&line))));
        assert!(told.is_sorted_by_key(|error| error.line), "{errors}");
        assert!((1..=ScenarioErrors::TOLD).contains(&told.len()), "{errors}");
    }
}

fn lines() -> impl Strategy<Value = (usize, usize)> {
    let count = SAMPLE.lines().count();
    (0..count, 0..count)
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_anything(&bytes);
    }

    #[test]
    fn any_toml_like_text_is_read_or_refused(
        text in "(\\[\\[?(cluster|fault|script|network\\.link)\\]?\\]\n|[a-z_.]{1,9} ?= ?|\
                 '[a-z0-9/]*'|[-0-9.e_]+|[\\[\\]{},=.\n])*"
    ) {
        read_anything(text.as_bytes());
    }

    #[test]
    fn flipped_bytes_are_read_or_refused(
        flips in proptest::collection::vec((0..SAMPLE.len(), any::<u8>()), 1..4)
    ) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for (at, byte) in flips {
            bytes[at] = byte;
        }
        read_anything(&bytes);
    }

    #[test]
    fn lost_and_doubled_lines_are_read_or_refused((lost, doubled) in lines()) {
        let mut text: Vec<_> = SAMPLE.lines().collect();
        text.insert(doubled, text[doubled]);
        text.remove(lost);
        read_anything(text.join("\n").as_bytes());
    }

    #[test]
    fn swapped_values_are_read_or_refused((one, other) in lines()) {
        let text: Vec<_> = SAMPLE.lines().collect();
        let value = |at: usize| text[at].split_once(" = ");
        if let (Some((key, a)), Some((other_key, b))) = (value(one), value(other)) {
            let mut text: Vec<_> = text.iter().map(|line| (*line).to_owned()).collect();
            text[one] = format!("{key} = {b}");
            text[other] = format!("{other_key} = {a}");
            read_anything(text.join("\n").as_bytes());
        }
    }
}
