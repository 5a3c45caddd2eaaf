//! Owns the machine that holds the source to its layering, its sizes and its words.

mod reading;

use std::collections::{BTreeMap, BTreeSet};

use reading::{Source, code, paths, sources};

/// Which room may name which. `lib.rs` and `main.rs` name what they like.
const ROOMS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("settings", &["domain"]),
    ("domain", &[]),
    ("workspace", &["domain"]),
    ("store", &["domain"]),
    ("channels", &["domain", "clock"]),
    ("engine", &["domain", "store", "channels", "clock"]),
    ("customers", &["domain", "store", "clock"]),
    (
        "definitions",
        &["domain", "workspace", "store", "engine", "clock"],
    ),
    (
        "simulation",
        &[
            "domain",
            "workspace",
            "store",
            "channels",
            "engine",
            "customers",
            "clock",
        ],
    ),
    (
        "web",
        &[
            "domain",
            "workspace",
            "store",
            "channels",
            "engine",
            "customers",
            "definitions",
            "clock",
        ],
    ),
    (
        "daemon",
        &[
            "domain",
            "workspace",
            "store",
            "channels",
            "engine",
            "customers",
            "definitions",
            "web",
            "settings",
            "clock",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "workspace",
            "store",
            "customers",
            "definitions",
            "engine",
            "simulation",
            "daemon",
            "settings",
            "clock",
        ],
    ),
];

/// What only one place may name.
const OWNED: &[(&str, &str)] = &[
    ("sqlx", "store"),
    ("serde_yaml", "workspace/parse.rs"),
    ("Timestamp::now", "clock.rs"),
    ("Zoned::now", "clock.rs"),
    ("SystemTime::now", "clock.rs"),
    ("env::var", "settings.rs"),
    ("env::vars", "settings.rs"),
];

const DRAWERS: &[&str] = &[
    "util", "utils", "common", "helpers", "manager", "service", "types",
];
const BANNED: &[&str] = &[
    "journey",
    "journeys",
    "automation",
    "automations",
    "blast",
    "blasts",
];
const LONGEST: usize = 400;

fn refuse(what: &str, mut wrong: Vec<String>) {
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{what}:\n  {}\n", wrong.join("\n  "));
}

#[test]
fn rooms_name_only_the_rooms_below_them() {
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let room = source.room();
        if ["lib", "main"].contains(&room) {
            continue;
        }
        let Some(allowed) = rooms.get(room) else {
            wrong.push(format!(
                "{}: `{room}` is no room of the design",
                source.name
            ));
            continue;
        };
        for path in paths(&source.code, &["crate"]) {
            let named = path.get(1).map(String::as_str).unwrap_or_default();
            if named != room && rooms.contains_key(named) && !allowed.contains(&named) {
                let path = path.join("::");
                wrong.push(format!(
                    "{}: `{room}` may not name `{named}`: {path}",
                    source.name
                ));
            }
        }
    }
    refuse("a room names one that it may not", wrong);
}

/// Which files each file names, within its room.
fn edges(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let modules: BTreeMap<Vec<&str>, &str> = sources
        .iter()
        .map(|source| (source.module(), source.name.as_str()))
        .collect();
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources {
        let own = source.module();
        for path in paths(outside_tests(&source.code), &["crate", "super", "self"]) {
            let Some(full) = absolute(&own, &path) else {
                continue;
            };
            let full: Vec<&str> = full.iter().map(String::as_str).collect();
            let longest = (1..=full.len()).rev().find_map(|n| modules.get(&full[..n]));
            let Some(named) = longest else { continue };
            let same_room = full.first() == own.first();
            if same_room && *named != source.name {
                let names = edges.entry(source.name.clone()).or_default();
                names.insert((*named).to_owned());
            }
        }
        edges
            .entry(source.name.clone())
            .or_default()
            .extend(children(source, &modules));
    }
    edges
}

/// The children whose names a `mod.rs` gives on: `pub use claim::Claimer`.
fn children(source: &Source, modules: &BTreeMap<Vec<&str>, &str>) -> Vec<String> {
    let own = source.module();
    let uses = source.code.split(';').filter_map(|line| {
        let line = line.trim_start();
        let line = line.rsplit_once("use ").map(|(_, path)| path)?;
        line.split("::").next()
    });
    uses.filter_map(|first| {
        let mut path = own.clone();
        path.push(first.trim());
        modules.get(&path).map(|name| (*name).to_owned())
    })
    .collect()
}

fn outside_tests(code: &str) -> &str {
    code.find("mod tests {").map_or(code, |at| &code[..at])
}

/// `super::a::B` in `engine::claim` is `engine`, `a`, `B`.
fn absolute(own: &[&str], path: &[String]) -> Option<Vec<String>> {
    let mut base: Vec<String> = own.iter().map(|part| (*part).to_owned()).collect();
    let mut rest = path.iter();
    for part in rest.by_ref() {
        match part.as_str() {
            "crate" => base.clear(),
            "self" => {}
            "super" => drop(base.pop()?),
            _ => {
                base.push(part.clone());
                break;
            }
        }
    }
    base.extend(rest.cloned());
    Some(base)
}

#[test]
fn no_two_files_of_a_room_name_each_other() {
    let edges = edges(&sources());
    let mut wrong = Vec::new();
    for file in edges.keys() {
        if let Some(circle) = circle(&edges, file) {
            wrong.push(circle.join(" -> "));
        }
    }
    refuse("files name each other in a circle", wrong);
}

/// The shortest way from a file back to itself, told from its smallest name.
fn circle(edges: &BTreeMap<String, BTreeSet<String>>, file: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![file.to_owned()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in edges.get(way.last()?)? {
                let mut way = way.clone();
                if next == file {
                    let smallest = (0..way.len()).min_by_key(|at| way[*at].clone())?;
                    way.rotate_left(smallest);
                    way.push(way[0].clone());
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    way.push(next.clone());
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

#[test]
fn each_outside_thing_is_named_in_one_place() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (thing, owner) in OWNED {
            if source.code.contains(thing) && !source.name.starts_with(owner) {
                wrong.push(format!("{}: only {owner} names `{thing}`", source.name));
            }
        }
    }
    refuse("something is named outside its place", wrong);
}

#[test]
fn files_are_short_and_say_what_they_own() {
    let mut wrong = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > LONGEST {
            wrong.push(format!(
                "{}: {lines} lines, {LONGEST} at most: split it",
                source.name
            ));
        }
        let starts = ["lib.rs", "main.rs"].contains(&source.name.as_str());
        let first = source.text.lines().next().unwrap_or_default();
        if !starts && !first.starts_with("//!") {
            wrong.push(format!(
                "{}: begins without saying what it owns",
                source.name
            ));
        }
        let drawer = source
            .module()
            .into_iter()
            .find(|part| DRAWERS.contains(part));
        if let Some(drawer) = drawer {
            wrong.push(format!(
                "{}: `{drawer}` is a drawer: name what is in it",
                source.name
            ));
        }
    }
    refuse("a file is too long or does not say what it owns", wrong);
}

#[test]
fn the_source_speaks_the_words_of_the_glossary() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (number, line) in (1..).zip(source.text.lines()) {
            let line = line.to_lowercase();
            let words = line.split(|c: char| !c.is_alphanumeric());
            for word in words.filter(|word| BANNED.contains(word)) {
                wrong.push(format!("{}:{number}: `{word}`", source.name));
            }
        }
    }
    refuse("a banned word", wrong);
}

#[test]
fn the_machine_sees_what_it_should() {
    let text = "use crate::a::{b, c::{D, e}}; // crate::no\nlet x = \"crate::no\"; super::f::g();";
    let found = paths(&code(text), &["crate", "super"]);
    let found: Vec<String> = found.iter().map(|path| path.join("::")).collect();
    let expected = [
        "crate::a::b",
        "crate::a::c::D",
        "crate::a::c::e",
        "super::f::g",
    ];
    assert_eq!(found, expected);
}
