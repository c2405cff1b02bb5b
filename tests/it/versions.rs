//! `dev/semver.sh`: which versions it lets through for what has become of the public API.

use std::{fs, path::Path, process::Command};

use crate::repository::Repository;

fn git(folder: &Path, words: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=test", "-c", "user.email=test@example.com"]);
    let done = git.current_dir(folder).args(words).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn write(folder: &Path, version: &str, api: &str) {
    fs::write(folder.join("Cargo.toml"), format!("[workspace.package]\nversion = \"{version}\"\n"))
        .unwrap();
    fs::write(folder.join("docs/api/woody.txt"), api).unwrap();
}

#[test]
fn a_version_must_be_as_high_as_the_public_api_asks() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for inner in ["dev", "docs/api"] {
        fs::create_dir_all(folder.join(inner)).unwrap();
    }
    fs::copy(Repository::root().join("dev/semver.sh"), folder.join("dev/semver.sh")).unwrap();
    let run = || {
        let done = Command::new("bash").arg(folder.join("dev/semver.sh")).output().unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        (done.status.success(), said)
    };
    git(folder, &["init", "--quiet"]);
    let released = "pub fn woody::open()\npub fn woody::close()\n";
    write(folder, "0.1.0", released);
    assert!(run().0, "nothing is released yet");

    for (release, now, api, well) in [
        ("0.1.0", "0.1.0", released, true),
        (
            "0.1.0",
            "0.1.0",
            "pub fn woody::close()\npub fn woody::open()\npub fn woody::new()\n",
            false,
        ),
        (
            "0.1.0",
            "0.1.1",
            "pub fn woody::close()\npub fn woody::open()\npub fn woody::new()\n",
            true,
        ),
        ("0.1.0", "0.1.1", "pub fn woody::open()\n", false),
        ("0.1.0", "0.2.0", "pub fn woody::open()\n", true),
        ("1.2.3", "1.3.0", "pub fn woody::open(u8)\npub fn woody::close()\n", false),
        ("1.2.3", "2.0.0", "pub fn woody::open(u8)\npub fn woody::close()\n", true),
        (
            "1.2.3",
            "1.2.4",
            "pub fn woody::close()\npub fn woody::open()\npub fn woody::new()\n",
            false,
        ),
        (
            "1.2.3",
            "1.3.0",
            "pub fn woody::close()\npub fn woody::open()\npub fn woody::new()\n",
            true,
        ),
    ] {
        write(folder, release, released);
        git(folder, &["add", "--all"]);
        git(folder, &["commit", "--quiet", "--allow-empty", "--message", release]);
        git(folder, &["tag", "--force", "v9.9.9"]);
        write(folder, now, api);
        let (passed, said) = run();
        assert_eq!(passed, well, "{release} to {now}: {said}");
    }
}
