//! docs/architecture.md walks an order's way by the names of functions: each is in the file that the page says.

use crate::repository::Repository;

/// `(function, file)` of the rows of the section: the first code of the first cell, and that of the second.
fn rows(document: &str) -> Vec<(String, String)> {
    let section = document.split("\n## The order's way\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let code = |cell: &str| cell.split('`').nth(1).map(str::to_owned);
    let cells = section.lines().map(|line| line.split('|').collect::<Vec<_>>());
    cells.filter_map(|cells| Some((code(cells.get(1)?)?, code(cells.get(2)?)?))).collect()
}

/// What keeps `function`, `Type::function` or a function alone, from being in `text`.
fn missing(function: &str, text: &str) -> Option<String> {
    let (of, name) =
        function.rsplit_once("::").map_or((None, function), |(of, name)| (Some(of), name));
    let is_defined = ["(", "<"].iter().any(|next| text.contains(&format!("fn {name}{next}")));
    if !is_defined {
        return Some(format!("fn {name}"));
    }
    let is_of = |of: &str| {
        text.lines().any(|line| {
            line.trim_start().starts_with("impl")
                && line.split(|c: char| !c.is_alphanumeric()).any(|word| word == of)
        })
    };
    of.filter(|of| !is_of(of)).map(|of| format!("impl {of}"))
}

#[test]
fn every_function_of_the_way_is_where_the_page_says() {
    let repository = Repository::read();
    let rows = rows(&Repository::text("docs/architecture.md"));
    assert!(rows.len() > 20, "{rows:?}");
    let mut wrong = Vec::new();
    for (function, file) in rows {
        let paths: Vec<&String> =
            repository.files.iter().filter(|path| path.ends_with(&format!("/{file}"))).collect();
        match paths[..] {
            [path] => wrong.extend(
                missing(&function, &Repository::text(path)).map(|it| format!("{path} has no {it}")),
            ),
            _ => wrong.push(format!("{file} is {paths:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_function_that_is_elsewhere_is_found() {
    let text = "impl<D> Intake<D> {\n    pub async fn accept(&self) {}\n}\nfn record() {}\n";
    assert_eq!(missing("Intake::accept", text), None);
    assert_eq!(missing("record", text), None);
    assert_eq!(missing("Intake::take", text), Some("fn take".to_owned()));
    assert_eq!(missing("Worker::accept", text), Some("impl Worker".to_owned()));
}
