//! The files of both packages and the arrows between them, read from the sources.
//!
//! An arrow goes from a file that names something to the file that defines it. Names are looked for
//! in `use` and in paths anywhere in the code, from `crate`, `self`, `super`, `seedbed`,
//! `seedbed_sim` or a name that the module has imported. What a module only passes on (`pub use`)
//! belongs to the file that defines it, so a `mod.rs` does not tie together all that it lists.
//!
//! No arrow goes between a file and one that lies in it by `mod`, however deep: a `mod.rs` puts its
//! parts together and holds what they share, and is one thing with them. Methods are not seen: a
//! file that calls one on a value that it was handed has no arrow to where it is written.

mod made_up;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use reading::Module;

/// A module, from its package down: `seedbed_sim`, `world`, `disk`.
pub type Place = Vec<String>;

/// What becomes of modules under `#[cfg(test)]`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tests {
    /// They are part of their file.
    Included,
    /// They are not there.
    LeftOut,
}

/// Files and the arrows between them.
pub struct Graph {
    /// For each file the files that it takes names from, and which.
    arrows: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
}

impl Graph {
    /// The arrows between `sources`, given as path and text.
    pub fn of<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>, tests: Tests) -> Graph {
        let modules = Modules::read(sources, tests);
        let mut arrows: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for (place, module) in &modules.0 {
            let from = arrows.entry(module.file.clone()).or_default();
            for (file, name) in modules.named_in(place, module) {
                if !are_one_thing(&module.file, &file) {
                    from.entry(file).or_default().insert(name);
                }
            }
        }
        Graph { arrows }
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.arrows.keys().map(String::as_str)
    }

    /// The arrows from `file`: the files that it takes names from, and which.
    pub fn from(&self, file: &str) -> impl Iterator<Item = (&str, &BTreeSet<String>)> {
        self.arrows[file].iter().map(|(to, names)| (to.as_str(), names))
    }

    /// The same arrows between larger parts: `part_of` says what part a file belongs to.
    pub fn between(&self, part_of: impl Fn(&str) -> String) -> Graph {
        let mut arrows: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for (file, to) in &self.arrows {
            let part = part_of(file);
            let from = arrows.entry(part.clone()).or_default();
            for (other, names) in to {
                let other = part_of(other);
                if other != part {
                    from.entry(other).or_default().extend(names.iter().cloned());
                }
            }
        }
        Graph { arrows }
    }

    /// The same arrows but for those that lead to a file that is left out.
    pub fn without_arrows_to(mut self, is_left_out: impl Fn(&str) -> bool) -> Graph {
        self.arrows.values_mut().for_each(|to| to.retain(|file, _| !is_left_out(file)));
        self
    }

    /// The circles: files each of which leads to all others.
    pub fn circles(&self) -> BTreeSet<BTreeSet<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            self.files().map(|file| (file, self.reached_from(file))).collect();
        let circle = |file: &&str| -> BTreeSet<&str> {
            let there = reached[*file].iter().copied();
            there.filter(|other| reached[other].contains(file)).collect()
        };
        self.files().map(|file| circle(&file)).filter(|circle| !circle.is_empty()).collect()
    }

    /// The files of a circle, and the names that tie them.
    pub fn describe(&self, circle: &BTreeSet<&str>) -> String {
        let mut text = String::new();
        for from in circle {
            for (to, names) in self.from(from).filter(|(to, _)| circle.contains(to)) {
                let names: Vec<_> = names.iter().map(String::as_str).collect();
                let _ = writeln!(text, "  {from} -> {to}: {}", names.join(", "));
            }
        }
        text
    }

    /// What can be reached from `start` along at least one arrow.
    fn reached_from(&self, start: &str) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let mut ahead: Vec<&str> = self.from(start).map(|(to, _)| to).collect();
        while let Some(file) = ahead.pop() {
            if reached.insert(file) {
                ahead.extend(self.from(file).map(|(to, _)| to));
            }
        }
        reached
    }
}

/// The module that a file is: `sim/src/world/disk.rs` is `seedbed_sim`, `world`, `disk`.
pub fn place_of(path: &str) -> Place {
    let (package, inside) = match path.strip_prefix("sim/src/") {
        // A program of its own, beside the library.
        Some("main.rs") => return vec!["main".to_owned()],
        Some(inside) => ("seedbed_sim", inside),
        None => ("seedbed", path.trim_start_matches("src/")),
    };
    let parts = inside.trim_end_matches(".rs").split('/');
    let parts = parts.filter(|part| !["mod", "lib"].contains(part));
    [package].into_iter().chain(parts).map(str::to_owned).collect()
}

/// Is one of two files the other, or does it lie in it?
fn are_one_thing(one: &str, other: &str) -> bool {
    let (one, other) = (place_of(one), place_of(other));
    one.starts_with(&other) || other.starts_with(&one)
}

/// All modules, also those that are written inside a file.
struct Modules(BTreeMap<Place, Module>);

/// Names may be passed on so often.
const DEEPEST: u32 = 16;

impl Modules {
    fn read<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>, tests: Tests) -> Modules {
        let mut modules = BTreeMap::new();
        for (path, text) in sources {
            reading::read(path, text, tests, &mut modules);
        }
        let of_tests: Vec<Place> =
            modules.values().flat_map(|module: &Module| module.of_tests.clone()).collect();
        modules.retain(|place, _| !of_tests.iter().any(|tests| place.starts_with(tests)));
        Modules(modules)
    }

    /// The file behind each name that a module takes from elsewhere, and the name.
    fn named_in(&self, place: &Place, module: &Module) -> BTreeSet<(String, String)> {
        let paths = module.paths.iter().filter_map(|path| {
            let file = self.file_of(&self.place_under_root(place, path)?, DEEPEST)?;
            Some((file, path.last()?.clone()))
        });
        let globs = module.globs.iter().filter_map(|glob| self.place_under_root(place, glob));
        let by_glob = globs.flat_map(|glob| {
            let words = module.words.iter().filter(|word| !module.items.contains(*word));
            let theirs = words.filter(|word| self.has(&glob, word, DEEPEST)).cloned();
            let named = theirs.filter_map(|word| {
                let path: Place = glob.iter().chain([&word]).cloned().collect();
                Some((self.file_of(&path, DEEPEST)?, word))
            });
            named.collect::<Vec<_>>()
        });
        paths.chain(by_glob).collect()
    }

    /// `path`, as it is written in the module `place`, from the root of its package; `None` if it
    /// leads out of both packages, or begins with a name that is no module.
    fn place_under_root(&self, place: &Place, path: &[String]) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => vec![place[0].clone()],
            "self" => place.clone(),
            "super" => place[..place.len() - 1].to_vec(),
            "seedbed" | "seedbed_sim" => vec![first.clone()],
            _ => {
                let child: Place = place.iter().chain([first]).cloned().collect();
                match self.0.get(place)?.imports.get(first) {
                    _ if self.0.contains_key(&child) => child,
                    Some(import) if import[0] != *first => self.place_under_root(place, import)?,
                    Some(_) | None => return None,
                }
            }
        };
        for segment in rest {
            if segment == "super" {
                base.pop();
            } else {
                base.push(segment.clone());
            }
        }
        Some(base)
    }

    /// The file that defines what `path` leads to.
    fn file_of(&self, path: &[String], depth: u32) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        let known = (1..=path.len()).rev().find(|end| self.0.contains_key(&path[..*end]))?;
        let (place, rest) = (path[..known].to_vec(), &path[known..]);
        let module = &self.0[&place];
        let Some((name, after)) = rest.split_first() else { return Some(module.file.clone()) };
        if module.items.contains(name) {
            return Some(module.file.clone());
        }
        let import =
            module.imports.get(name).and_then(|import| self.place_under_root(&place, import));
        let mut globs = module.globs.iter().filter_map(|glob| self.place_under_root(&place, glob));
        let mut glob = || globs.find(|glob| self.has(glob, name, depth));
        let passed_on = import.or_else(|| Some([glob()?, vec![name.clone()]].concat()));
        match passed_on {
            Some(target) => self.file_of(&[&target, after].concat(), depth),
            // Made by a macro there, or nothing that could be imported.
            None => Some(module.file.clone()),
        }
    }

    /// Has the module `place` this name, its own or passed on?
    fn has(&self, place: &Place, name: &str, depth: u32) -> bool {
        let (Some(module), Some(depth)) = (self.0.get(place), depth.checked_sub(1)) else {
            return false;
        };
        let child: Place = place.iter().cloned().chain([name.to_owned()]).collect();
        let mut globs = module.globs.iter().filter_map(|glob| self.place_under_root(place, glob));
        module.items.contains(name)
            || module.imports.contains_key(name)
            || self.0.contains_key(&child)
            || globs.any(|glob| self.has(&glob, name, depth))
    }
}
