//! Whatever bytes a file has: it is read as it was written, or it is refused.

use proptest::prelude::*;

use super::*;

fn refused(bytes: &[u8]) -> String {
    Artifact::parse("x.jsonl", bytes).expect_err("it is not as it was written").to_string()
}

#[test]
fn a_changed_byte_is_noticed_wherever_it_is() {
    let text = written(20).into_bytes();
    for place in 0..text.len() {
        let mut changed = text.clone();
        changed[place] ^= 1 << (place % 8);
        let error = refused(&changed);
        let is_named = error.contains("corrupt") || error.contains("cut") || place < 60;
        assert!(error.starts_with("x.jsonl") && is_named, "byte {place}: {error}");
    }
}

#[test]
fn a_file_that_was_cut_is_noticed_wherever_it_was() {
    let text = written(20).into_bytes();
    for length in 0..text.len() {
        let error = refused(&text[..length]);
        let expected = if length < 20 { "not an artifact" } else { "cut: the file ends" };
        assert!(error.contains(expected), "{length} bytes: {error}");
    }
}

#[test]
fn lines_that_are_missing_doubled_or_added_are_noticed() {
    let text = written(20);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for place in 1..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(place);
        refused(fewer.concat().as_bytes());
        let mut more = lines.clone();
        more.insert(place, lines[place]);
        refused(more.concat().as_bytes());
    }
    let error = refused(format!("{text}\n").as_bytes());
    assert!(error.ends_with("corrupt: something follows the last line"), "{error}");
}

#[test]
fn the_line_that_is_wrong_is_named() {
    let text = written(20);
    let garbled = text.replace("{\"step\":3,", "{\"step\":x,");
    assert_eq!(refused(garbled.as_bytes()), "x.jsonl:5: corrupt: no such line is written");
    let changed = text.replace("\"seed\":7", "\"seed\":8");
    let error = refused(changed.as_bytes());
    let closing = text.lines().count();
    assert!(error.starts_with(&format!("x.jsonl:{closing}: corrupt: the ")), "{error}");
}

#[test]
fn another_format_is_refused_and_it_is_said_which_one_is_read() {
    let newer = written(20).replace("\"seedbed_artifact\":1", "\"seedbed_artifact\":2");
    let error = "x.jsonl:1: format 2 of artifacts; this build reads format 1";
    assert_eq!(refused(newer.as_bytes()), error);
    assert_eq!(refused(b"{\"seedbed_artifact\":2}\nanything"), error);
}

#[test]
fn what_is_no_artifact_is_said_to_be_none() {
    for bytes in [&b""[..], b"\n", b"title = 'x'\n", b"{}\n", b"[1]\n", b"\xff\xfe", b"null"] {
        let error = refused(bytes);
        assert_eq!(error, "x.jsonl: not an artifact: its first line has no `seedbed_artifact`");
    }
}

#[test]
fn steps_that_make_no_run_are_refused_though_the_checksum_is_right() {
    let mut recorder = Recorder::default();
    let run = run::run(&scenario(), 7, &mut recorder);
    let text = artifact_of(&run, &recorder);
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.swap(3, 4);
    let above = lines[..lines.len() - 1].concat();
    let xxh3 = Hex(xxhash_rust::xxh3::xxh3_64(above.as_bytes()));
    let closing = format!("{{\"lines\":{},\"xxh3\":\"{xxh3}\"}}\n", lines.len() - 1);
    assert_eq!(refused((above + &closing).as_bytes()), "x.jsonl: corrupt: its steps make no run");
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Artifact::parse("x.jsonl", &bytes);
        let mut begun = b"{\"seedbed_artifact\":1".to_vec();
        begun.extend(bytes);
        prop_assert!(Artifact::parse("x.jsonl", &begun).is_err());
    }
}
