//! What the modules of a file define, import and name: its tokens, read one after the other.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::{Place, Tests, place_of};

/// A module, as its source says.
#[derive(Default)]
pub struct Module {
    /// The file that it is written in.
    pub file: String,
    /// What it defines, as far as no macro does.
    pub items: BTreeSet<String>,
    /// Names that it imports, and what they lead to.
    pub imports: BTreeMap<String, Vec<String>>,
    /// Modules of which it imports everything.
    pub globs: Vec<Vec<String>>,
    /// Paths of at least two names, imports among them.
    pub paths: BTreeSet<Vec<String>>,
    /// Every word in it.
    pub words: BTreeSet<String>,
    /// Modules in files of their own that are only there for tests.
    pub of_tests: Vec<Place>,
}

/// Puts the modules that the file at `path` has into `modules`.
pub fn read(path: &str, text: &str, tests: Tests, modules: &mut BTreeMap<Place, Module>) {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut reader = Reader { file: path, tests, modules };
    reader.module(&place_of(path), tokens);
}

struct Reader<'a> {
    file: &'a str,
    tests: Tests,
    modules: &'a mut BTreeMap<Place, Module>,
}

/// Where tokens stand: only what a module itself holds is one of its items.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Items,
    Inside,
}

impl Reader<'_> {
    fn module(&mut self, place: &Place, tokens: TokenStream) {
        let mut module = Module { file: self.file.to_owned(), ..Module::default() };
        self.tokens(place, &mut module, tokens, Level::Items);
        self.modules.insert(place.clone(), module);
    }

    fn tokens(&mut self, place: &Place, module: &mut Module, tokens: TokenStream, level: Level) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = &tokens[..];
        while let [first, after @ ..] = rest {
            rest = match first {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    self.attribute(place, module, after)
                }
                TokenTree::Ident(ident) => {
                    let word = ident.to_string();
                    self.word(place, module, &word, rest, level)
                }
                TokenTree::Group(group) => {
                    self.tokens(place, module, group.stream(), Level::Inside);
                    after
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => after,
            };
        }
    }

    /// What is left behind the attribute whose `#` precedes `rest`: behind its item as well, if
    /// that is left out.
    fn attribute<'t>(
        &self,
        place: &Place,
        module: &mut Module,
        rest: &'t [TokenTree],
    ) -> &'t [TokenTree] {
        let rest = if is_punct(rest.first(), '!') { &rest[1..] } else { rest };
        let [TokenTree::Group(attribute), rest @ ..] = rest else { return rest };
        if self.tests == Tests::Included || !is_for_tests(attribute) {
            return rest;
        }
        let end = rest.iter().position(|token| is_punct(Some(token), ';') || is_block(token));
        let (item, rest) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        let at = item.iter().position(|token| is_word(Some(token), "mod"));
        if let Some(TokenTree::Ident(name)) = at.and_then(|at| item.get(at + 1)) {
            module.of_tests.push(child(place, &name.to_string()));
        }
        rest
    }

    /// What is left behind the word that `rest` begins with, and behind what belongs to it.
    fn word<'t>(
        &mut self,
        place: &Place,
        module: &mut Module,
        word: &str,
        rest: &'t [TokenTree],
        level: Level,
    ) -> &'t [TokenTree] {
        module.words.insert(word.to_owned());
        match (word, &rest[1..]) {
            // A visibility, not a path that is followed.
            ("pub", [TokenTree::Group(group), after @ ..])
                if group.delimiter() == Delimiter::Parenthesis =>
            {
                after
            }
            ("use", after) => {
                let end = after.iter().position(|token| is_punct(Some(token), ';'));
                let (tree, after) = after.split_at(end.unwrap_or(after.len()));
                import(module, &[], tree);
                after
            }
            ("mod", [TokenTree::Ident(name), TokenTree::Group(body), after @ ..]) => {
                self.module(&child(place, &name.to_string()), body.stream());
                after
            }
            (_, after) => {
                if level == Level::Items {
                    module.items.extend(defined(word, after));
                }
                let (path, after) = path(rest);
                module.words.extend(path.iter().cloned());
                if path.len() > 1 {
                    module.paths.insert(path);
                }
                after
            }
        }
    }
}

/// The name that an item defines which begins with `word`.
fn defined(word: &str, after: &[TokenTree]) -> Option<String> {
    let kinds = ["fn", "struct", "enum", "union", "trait", "type", "const", "static"];
    let name = match after {
        [TokenTree::Ident(name), ..] if kinds.contains(&word) => name.to_string(),
        [TokenTree::Punct(_), TokenTree::Ident(name), ..] if word == "macro_rules" => {
            name.to_string()
        }
        _ => return None,
    };
    // `const fn` defines what follows.
    (name != "fn").then_some(name)
}

/// The path that `tokens` begin with, and what is left behind it.
fn path(tokens: &[TokenTree]) -> (Vec<String>, &[TokenTree]) {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Ident(name), after @ ..] = rest {
        path.push(name.to_string());
        rest = after;
        match after {
            [colon, other, next @ ..]
                if is_punct(Some(colon), ':') && is_punct(Some(other), ':') =>
            {
                rest = next;
            }
            _ => break,
        }
    }
    (path, rest)
}

/// Takes in what a `use` says behind `prefix`.
fn import(module: &mut Module, prefix: &[String], tree: &[TokenTree]) {
    let (path, rest) = path(tree);
    let mut full = [prefix, &path].concat();
    match rest {
        [TokenTree::Group(group), ..] => {
            let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
            for part in tokens.split(|token| is_punct(Some(token), ',')) {
                if !part.is_empty() {
                    import(module, &full, part);
                }
            }
            return;
        }
        [star, ..] if is_punct(Some(star), '*') => return module.globs.push(full),
        _ => {}
    }
    if full.len() > 1 {
        full.pop_if(|last| last == "self");
    }
    let alias = match rest {
        [_as, TokenTree::Ident(alias), ..] => Some(alias.to_string()),
        _ => full.last().cloned(),
    };
    module.imports.extend(alias.map(|alias| (alias, full.clone())));
    module.paths.insert(full);
}

fn child(place: &Place, name: &str) -> Place {
    place.iter().cloned().chain([name.to_owned()]).collect()
}

/// Is this `[cfg(test)]`, or one that needs `test` among others?
fn is_for_tests(attribute: &Group) -> bool {
    let tokens: Vec<TokenTree> = attribute.stream().into_iter().collect();
    let [TokenTree::Ident(name), TokenTree::Group(condition)] = &tokens[..] else { return false };
    let words = condition.to_string();
    let mut words = words.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    name == "cfg" && words.clone().all(|word| word != "not") && words.any(|word| word == "test")
}

fn is_punct(token: Option<&TokenTree>, expected: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == expected)
}

fn is_word(token: Option<&TokenTree>, expected: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(ident)) if ident == expected)
}

fn is_block(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}
