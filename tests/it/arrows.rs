//! The picture in docs/architecture.md shows who depends on whom, and nothing else.

use std::{collections::BTreeSet, fs};

use crate::repository::Repository;

type Arrows = BTreeSet<(String, String)>;

/// The arrows of the first picture: `a & b --> c --> d` are a to c, b to c, and c to d.
fn drawn(document: &str) -> Arrows {
    let picture = document.split("```mermaid").nth(1).unwrap().split("```").next().unwrap();
    let mut arrows = Arrows::new();
    for line in picture.lines() {
        let stations: Vec<Vec<&str>> =
            line.split("-->").map(|names| names.split('&').map(str::trim).collect()).collect();
        for pair in stations.windows(2) {
            for from in &pair[0] {
                arrows.extend(pair[1].iter().map(|to| ((*from).to_owned(), (*to).to_owned())));
            }
        }
    }
    arrows
}

/// What the manifests say, and, for the folders of the root package, what their files name.
fn real(repository: &Repository) -> Arrows {
    let mut arrows = Arrows::new();
    for (package, folder) in &repository.packages {
        let manifest = Repository::text(format!("{folder}/Cargo.toml").trim_start_matches('/'));
        let dependencies = manifest.split("\n[").find(|part| part.starts_with("dependencies]"));
        for line in dependencies.unwrap_or_default().lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            if let Some(other) = repository.packages.get(name) {
                let used = name_in_the_picture(name, other);
                arrows.insert((name_in_the_picture(package, folder), used));
            }
        }
    }
    for folder in ["examples", "benches"] {
        let folder_of = |file: &str| file.split('/').next() == Some(folder);
        for file in repository.files_of("rs").filter(|file| folder_of(file)) {
            let text = Repository::text(file);
            let used = repository
                .packages
                .keys()
                .filter(|package| text.contains(&format!("{}::", package.replace('-', "_"))));
            arrows.extend(used.map(|package| (folder.to_owned(), package.clone())));
        }
    }
    arrows
}

/// A package that is not called like its folder is known by the folder.
fn name_in_the_picture(package: &str, folder: &str) -> String {
    if package == format!("woody-{folder}") { folder.to_owned() } else { package.to_owned() }
}

/// Whether `arrows` lead from one to the other, by one step or several.
fn leads(arrows: &Arrows, from: &str, to: &str) -> bool {
    arrows.iter().any(|(a, b)| a == from && (b == to || leads(arrows, b, to)))
}

#[test]
fn the_picture_of_the_arrows_is_what_the_manifests_say() {
    let drawn = drawn(&Repository::text("docs/architecture.md"));
    let real = real(&Repository::read());
    let untrue: Vec<_> = drawn.difference(&real).collect();
    assert!(untrue.is_empty(), "drawn, but not so: {untrue:?}");
    // One that others lead to may be left out.
    let undrawn: Vec<_> = real.iter().filter(|(from, to)| !leads(&drawn, from, to)).collect();
    assert!(undrawn.is_empty(), "so, but not drawn: {undrawn:?}");
}

#[test]
fn every_package_has_a_rule_in_the_script_that_checks_arrows() {
    let script = Repository::text("dev/check-arrows.sh");
    for package in Repository::read().packages.keys() {
        assert!(script.contains(&format!("[{package}]=")), "{package}");
    }
}

#[test]
fn a_deployment_uses_nothing_that_only_developers_run() {
    let repository = Repository::read();
    let deployed = repository.files.iter().filter(|file| file.starts_with("stack/"));
    let uses: Vec<&String> = deployed
        .filter(|file| {
            let text = fs::read_to_string(Repository::root().join(file)).unwrap_or_default();
            // Not the devices of `/dev/`.
            text.contains("../dev/")
                || text
                    .split(|c: char| !"/._-".contains(c) && !c.is_alphanumeric())
                    .any(|word| word.trim_start_matches("./").starts_with("dev/"))
        })
        .collect();
    assert!(uses.is_empty(), "{uses:?}");
}
