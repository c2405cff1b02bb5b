//! The rooms of each package are its top-level modules, and in `woody_adapters::http` the modules of that. What one room
//! imports of another leads one way; so it does among files. `dev/rooms.sh` prints the figures.

mod house;
mod source;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use crate::repository::Repository;
use house::House;

/// Who needs whom, with the number of imports.
type Arrows = BTreeMap<(String, String), usize>;

/// Rooms with an order of their own: a room needs only what stands after it.
const ORDER: [(&str, &str, &[&str]); 1] =
    [("woody-adapters", "http", &["routes", "server", "layers", "request", "response"])];

/// The arrows between the rooms of the module `within`, a room being called by its name there.
fn rooms(house: &House, within: &[&str]) -> Arrows {
    let room = |module: &[String]| {
        let inside = module.len() > within.len() && module.iter().zip(within).all(|(a, b)| a == b);
        inside.then(|| module[within.len()].clone())
    };
    let mut arrows = Arrows::new();
    for import in house.imports() {
        if let (Some(from), Some(to)) = (room(&import.from), room(&import.to))
            && from != to
        {
            *arrows.entry((from, to)).or_default() += 1;
        }
    }
    arrows
}

/// The arrows between files.
fn files(house: &House) -> Arrows {
    let mut arrows = Arrows::new();
    for import in house.imports() {
        let (from, to) = (house.file(&import.from), house.file(&import.to));
        *arrows.entry((from.to_owned(), to.to_owned())).or_default() += 1;
    }
    arrows
}

/// Those that lead back to where they began, each circle once.
fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<&str>> {
    let names: BTreeSet<&str> = arrows.keys().map(|(from, _)| from.as_str()).collect();
    let reached: BTreeMap<&str, BTreeSet<&str>> = names
        .iter()
        .map(|name| {
            let mut reached = BTreeSet::new();
            let mut next = vec![*name];
            while let Some(from) = next.pop() {
                let onward = arrows.keys().filter(|(a, _)| a == from).map(|(_, to)| to.as_str());
                next.extend(onward.filter(|to| reached.insert(*to)));
            }
            (*name, reached)
        })
        .collect();
    let in_circles = names.iter().filter(|name| reached[*name].contains(*name));
    in_circles
        .map(|name| {
            let back = |other: &&&str| reached.get(**other).is_some_and(|on| on.contains(name));
            reached[name].iter().filter(back).copied().collect()
        })
        .collect()
}

/// The arrows that lead up in an order.
fn upward<'a>(arrows: &'a Arrows, order: &[&str]) -> Vec<&'a (String, String)> {
    let level = |room: &String| order.iter().position(|name| name == room);
    let leads_down = |(from, to): &&(String, String)| {
        level(from).zip(level(to)).is_some_and(|(from, to)| from < to)
    };
    arrows.keys().filter(|arrow| !leads_down(arrow)).collect()
}

/// A house in figures.
fn figures(name: &str, arrows: &Arrows) -> String {
    let rooms: BTreeSet<&String> = arrows.keys().flat_map(|(from, to)| [from, to]).collect();
    let imports: usize = arrows.values().sum();
    let mut text = format!(
        "{name}: {} rooms, {imports} imports between them, {} circles\n",
        rooms.len(),
        circles(arrows).len()
    );
    for room in rooms {
        let needs: Vec<_> = arrows
            .iter()
            .filter(|((from, _), _)| from == room)
            .map(|((_, to), n)| format!("{to} {n}"))
            .collect();
        if !needs.is_empty() {
            writeln!(text, "  {room} -> {}", needs.join(", ")).unwrap();
        }
    }
    text
}

fn houses() -> Vec<(String, House)> {
    let repository = Repository::read();
    let packages = repository.packages.iter();
    packages
        .map(|(name, folder)| (name.clone(), House::read(&repository, folder)))
        .filter(|(_, house)| house.files() > 0)
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for notes")]
fn arrows_between_rooms_lead_one_way() {
    let mut wrong = Vec::new();
    for (name, house) in houses() {
        let arrows = rooms(&house, &[]);
        print!("{}", figures(&name, &arrows));
        wrong.extend(
            circles(&arrows).into_iter().map(|circle| format!("{name}: {circle:?} is a circle")),
        );
        for (_, module, order) in ORDER.iter().filter(|(package, ..)| *package == name) {
            let arrows = rooms(&house, &[module]);
            print!("{}", figures(&format!("{name}::{module}"), &arrows));
            wrong.extend(
                upward(&arrows, order)
                    .into_iter()
                    .map(|(from, to)| format!("{name}::{module}: {from} -> {to} leads up")),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for notes")]
fn no_files_need_each_other_in_a_circle() {
    let mut wrong = Vec::new();
    for (name, house) in houses() {
        let arrows = files(&house);
        let found = circles(&arrows);
        println!(
            "{name}: {} files, {} imports between them, {} circles",
            house.files(),
            arrows.values().sum::<usize>(),
            found.len()
        );
        wrong.extend(found.into_iter().map(|circle| format!("{circle:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A package `p` of these files, by their names below `src/`.
fn package(files: &[(&str, &str)]) -> House {
    House::of(
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*name).to_owned(), (*text).to_owned())),
    )
}

#[test]
fn an_import_leads_to_the_file_that_has_the_thing_whoever_hands_it_on() {
    let house = package(&[
        ("lib.rs", "pub mod a; pub mod b; mod d;"),
        ("a.rs", "use crate::b::{self, Thing}; fn f() { b::g(); crate::d::h() }"),
        (
            "b/mod.rs",
            "mod c; mod e; pub use c::*; pub use e::g; #[cfg(test)] mod tests { use crate::a; }",
        ),
        ("b/c.rs", "pub struct Thing; use super::g;"),
        ("b/e.rs", "pub fn g() {}"),
        ("d.rs", "pub fn h() {}"),
    ]);
    let arrows: Vec<_> = files(&house).into_keys().collect();
    let expected = [
        ("a.rs", "b/c.rs"),
        ("a.rs", "b/e.rs"),
        ("a.rs", "b/mod.rs"),
        ("a.rs", "d.rs"),
        ("b/c.rs", "b/e.rs"),
    ];
    assert_eq!(arrows, expected.map(|(from, to)| (from.to_owned(), to.to_owned())));
    assert!(circles(&files(&house)).is_empty());
}

#[test]
fn circles_and_what_leads_up_are_found() {
    let house = package(&[
        ("a/mod.rs", "mod b; fn f() { b::g() }"),
        ("a/b.rs", "pub fn g() { crate::c::h() }"),
        ("c.rs", "use crate::d;"),
        ("d.rs", "use crate::a::f; use crate::e;"),
        ("e.rs", ""),
    ]);
    assert_eq!(circles(&rooms(&house, &[])), BTreeSet::from([BTreeSet::from(["a", "c", "d"])]));
    assert_eq!(circles(&files(&house)).len(), 1);
    let arrows = rooms(&house, &[]);
    let up: Vec<_> = upward(&arrows, &["a", "c", "d", "e"]).into_iter().cloned().collect();
    assert_eq!(up, [("d".to_owned(), "a".to_owned())]);
    // A room that is missing in the order stands nowhere.
    assert_eq!(upward(&arrows, &["a", "c", "d"]).len(), 2);
}
