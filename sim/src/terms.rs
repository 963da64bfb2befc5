//! What the names and words of a report mean: a report explains those that it uses.

use crate::under_test::UnderTest;

/// A name or a word, and what it means.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// How it looks.
    pub form: Form,
    /// What it means, as the rest of the sentence "... is".
    pub meaning: &'static str,
}

/// How a term looks.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// One word, as it stands here.
    Word(&'static str),
    /// Several words, or a part of one.
    Phrase(&'static str),
    /// Names of one form, of which the first that comes up is the example.
    Like(fn(&str) -> bool),
}

impl Term {
    /// A word.
    pub const fn word(word: &'static str, meaning: &'static str) -> Term {
        Term { form: Form::Word(word), meaning }
    }

    /// Several words.
    pub const fn phrase(phrase: &'static str, meaning: &'static str) -> Term {
        Term { form: Form::Phrase(phrase), meaning }
    }

    /// Names of one form.
    pub const fn like(is_it: fn(&str) -> bool, meaning: &'static str) -> Term {
        Term { form: Form::Like(is_it), meaning }
    }

    /// Where the term comes up in `text` first, and how it looks there.
    fn first<'a>(&self, text: &'a str, words: &[&'a str]) -> Option<(usize, &'a str)> {
        match self.form {
            Form::Word(term) => {
                let word = words.iter().find(|word| **word == term)?;
                Some((place(text, word), *word))
            }
            Form::Phrase(term) => {
                let at = text.find(term)?;
                Some((at, &text[at..at + term.len()]))
            }
            Form::Like(is_it) => {
                let word = words.iter().find(|word| is_it(word))?;
                Some((place(text, word), *word))
            }
        }
    }
}

/// Terms of every system.
const GENERAL: &[Term] = &[
    Term::like(is_request, "a request: its client, the client's life, a count"),
    Term::phrase("(forced)", "what depends on it waits until it is durable"),
    Term::phrase("is durable", "the disk has it: no crash takes it away"),
    Term::phrase("(lazy)", "nothing waits for it: a crash may lose it"),
];

/// What the terms mean that come up in `text`, in the order in which they do: `a: ...; b: ...`.
pub fn meanings<S: UnderTest>(text: &str) -> String {
    let is_edge = |c: char| !c.is_alphanumeric() && c != '/' && c != '"';
    let words: Vec<&str> = text.split_whitespace().map(|word| word.trim_matches(is_edge)).collect();
    let terms = GENERAL.iter().chain(S::TERMS);
    let mut found: Vec<(usize, String)> = terms
        .filter_map(|term| {
            let (at, name) = term.first(text, &words)?;
            Some((at, format!("{}: {}", name.trim_matches(['(', ')', ' ', '/']), term.meaning)))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, it)| it).collect::<Vec<_>>().join("; ")
}

/// Where `word`, which is a part of `text`, begins in it.
fn place(text: &str, word: &str) -> usize {
    word.as_ptr() as usize - text.as_ptr() as usize
}

/// Is it `c1.1#4`?
fn is_request(word: &str) -> bool {
    word.parse::<seedbed::machine::RequestId>().is_ok()
}

#[cfg(all(test, feature = "file-service"))]
mod tests {
    use super::*;
    use seedbed::proto::FileService;

    #[test]
    fn what_comes_up_is_explained_in_its_order() {
        let told = meanings::<FileService>("n1 log #1 voted n3.1/2 (forced), asked by c1.1#4");
        let at = |term: &str| told.find(term).unwrap_or_else(|| panic!("{term}: {told}"));
        assert!(at("n3.1/2: ") < at("forced: ") && at("forced: ") < at("c1.1#4: "), "{told}");
        assert!(!told.contains("lazy"), "{told}");
        assert_eq!(meanings::<FileService>("nothing of note"), "");
    }
}
