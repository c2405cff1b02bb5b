//! What a registry and docs.rs show of each published package.

use std::process::Command;

use serde_json::Value;

use crate::repository::Repository;

/// The packages of this workspace that are published, as `cargo metadata` has them.
fn published() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(Repository::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    packages.iter().filter(|package| package["publish"].is_null()).cloned().collect()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn has_library(package: &Value) -> bool {
    let targets = package["targets"].as_array().unwrap();
    targets.iter().any(|target| texts(&target["kind"]).contains(&"lib"))
}

#[test]
fn every_published_package_says_what_a_registry_shows() {
    let packages = published();
    assert!(packages.len() >= 7, "{}", packages.len());
    for package in &packages {
        let name = package["name"].as_str().unwrap();
        for field in ["description", "license", "repository", "readme", "rust_version"] {
            assert!(package[field].is_string(), "{name} has no {field}");
        }
        let keywords = texts(&package["keywords"]);
        assert!((1..=5).contains(&keywords.len()), "{name}: {keywords:?}");
        assert!(keywords.iter().all(|keyword| keyword.len() <= 20), "{name}: {keywords:?}");
        assert!((1..=5).contains(&texts(&package["categories"]).len()), "{name}");
        let folder = package["manifest_path"].as_str().unwrap().trim_end_matches("Cargo.toml");
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let text = std::fs::read_to_string(format!("{folder}{licence}")).unwrap_or_default();
            assert!(!text.is_empty(), "{name} has no {licence}");
        }
    }
}

#[test]
fn the_documentation_of_every_library_shows_all_features() {
    for package in published().iter().filter(|package| has_library(package)) {
        let (name, docs) = (&package["name"], &package["metadata"]["docs"]["rs"]);
        assert_eq!(docs["all-features"], true, "{name}");
        assert_eq!(texts(&docs["rustdoc-args"]), ["--cfg", "docsrs"], "{name}");
    }
}
