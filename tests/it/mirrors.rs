//! Packages and images come from where the machine is set to, never from a host that we name.

use std::{fs, path::Path, process::Command};

/// What `apt_mirror` prints where apt's folder holds these files.
fn mirror(files: &[(&str, &str)]) -> String {
    let etc = tempfile::tempdir().unwrap();
    fs::create_dir(etc.path().join("sources.list.d")).unwrap();
    for (name, text) in files {
        fs::write(etc.path().join(name), text).unwrap();
    }
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", ". stack/apt.sh && apt_mirror \"$1\"", "bash"])
        .arg(etc.path())
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn the_mirror_is_the_one_that_apt_is_set_to() {
    let main = "http://mirror.example.org/debian";
    for (name, text) in [
        ("sources.list", "deb http://mirror.example.org/debian bookworm main contrib\n"),
        (
            "sources.list",
            "# deb http://old.example.org/debian sid main\ndeb [arch=amd64 signed-by=/k] http://mirror.example.org/debian/ sid main\n",
        ),
        ("sources.list.d/debian.list", "deb\thttp://mirror.example.org/debian\tbookworm\tmain\n"),
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: http://mirror.example.org/debian\nSuites: trixie\nComponents: main\n",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb deb-src\n# chosen by hand\nURIs:\n http://mirror.example.org/debian\n http://second.example.org/debian\nSuites: sid\nComponents: contrib main\n",
        ),
        (
            "sources.list.d/debian.sources",
            "Enabled: no\nTypes: deb\nURIs: http://off.example.org/debian\nComponents: main\n\nTypes: deb\nURIs: http://mirror.example.org/debian/\nComponents: main\n",
        ),
    ] {
        assert_eq!(mirror(&[(name, text)]), main, "{name}: {text}");
    }
}

#[test]
fn without_a_debian_mirror_in_apt_none_is_named() {
    assert_eq!(mirror(&[]), "");
    for (name, text) in [
        ("sources.list", "deb http://mirror.example.org/debian-security bookworm-security main\n"),
        ("sources.list", "deb http://archive.example.org/ubuntu noble main\n"),
        ("sources.list", "deb-src http://mirror.example.org/debian sid main\n"),
        (
            "sources.list.d/else.sources",
            "Types: deb\nURIs: http://packages.example.org/node\nSuites: x\nComponents: main\n",
        ),
        (
            "sources.list.d/debian.sources",
            "Types: deb\nURIs: http://mirror.example.org/debian\nComponents: contrib\n",
        ),
    ] {
        assert_eq!(mirror(&[(name, text)]), "", "{name}: {text}");
    }
}

/// Hosts that a script may name: pages that a person is sent to.
const PAGES: [&str; 2] = ["rustup.rs", "github.com"];

#[test]
fn no_script_and_no_dockerfile_names_a_host_to_fetch_from() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = Vec::new();
    let mut folders = vec![root.join("stack"), root.join("dev"), root.join(".ci")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for url in text.split("://").skip(1) {
                let host = url
                    .split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-')
                    .next()
                    .unwrap();
                let host = host.trim_end_matches('.');
                let is_elsewhere = host.contains('.')
                    && !host.ends_with("example.org")
                    && !host.contains("w3.org") // a namespace
                    && host.parse::<std::net::IpAddr>().is_err();
                if is_elsewhere && !PAGES.contains(&host) {
                    named.push(format!("{}: {host}", path.strip_prefix(root).unwrap().display()));
                }
            }
        }
    }
    assert!(named.is_empty(), "{named:#?}");
}
