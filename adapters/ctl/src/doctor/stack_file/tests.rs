use std::time::Duration;

use super::*;

const FILE: &str = "stack.yml";

/// Reads `text` as `stack.yml` in a folder of its own, beside `stack.env`.
fn read(text: &str) -> Result<Stack, Unreadable> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), text).unwrap();
    std::fs::write(folder.path().join("stack.env"), "# ours\nFROM_FILE=1\nOVER=file\n\n").unwrap();
    let environment = [("VERSION", "1.2"), ("OUTSIDE", "given")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    Stack::read(&[folder.path().join(FILE)], &HashMap::from(environment))
}

fn one(service: &str) -> Service {
    let lines = service.replace('\n', "\n    ");
    read(&format!("services:\n  one:\n    {lines}\n")).unwrap().services.remove(0)
}

#[test]
fn variables_are_filled_in_where_docker_does_it() {
    let text = "x-note: ${WHAT:?is not ours}\nservices:\n  a:\n    image: a/b:${VERSION:-latest}\n";
    let stack = read(text).unwrap();
    let image = stack.services[0].image.as_ref().unwrap();
    assert_eq!((image.name.value.as_str(), image.name.line), ("a/b:1.2", 4));
    assert_eq!(image.written, "a/b:${VERSION:-latest}");
}

#[test]
fn what_is_missing_or_no_stack_file_is_named_with_its_line() {
    for (text, says) in [
        ("services:\n  a:\n    image: ${X:?which}\n", "stack.yml:3: X must be set: which"),
        ("services:\n  a: b\n", "stack.yml:2: the service a is no map"),
        ("services:\n  a:\n    stop_grace_period: soon\n", "stack.yml:3: stop_grace_period: soon"),
        ("services:\n", "stack.yml: is no stack file"),
        ("a", "stack.yml: is no stack file"),
        ("services:\n  a:\n    env_file: other.env\n", "other.env: cannot be read"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_environment_is_a_map_or_a_list_over_files() {
    let pairs = |service: &Service| -> Vec<(String, String)> {
        service.environment.iter().map(|v| (v.name.clone(), v.value.clone())).collect()
    };
    let file = "env_file: [stack.env]\nenvironment:";
    for written in [
        format!("{file}\n  OVER: own\n  OUTSIDE:\n  NOWHERE:"),
        format!("{file}\n- OVER=own\n- OUTSIDE\n- NOWHERE"),
        // Docker takes an empty one for none: `updateEnvironment` of its loader.
        format!("{file}\n  OVER: own\n  OUTSIDE: \"\"\n  NOWHERE: ${{NOT:-}}"),
        format!("{file}\n- OVER=own\n- OUTSIDE=\n- NOWHERE=${{NOT:-}}"),
    ] {
        let service = one(&written);
        let expected = [("FROM_FILE", "1"), ("OVER", "own"), ("OUTSIDE", "given"), ("NOWHERE", "")];
        assert_eq!(pairs(&service), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        let places: Vec<_> = service.environment.iter().map(|v| v.place.line).collect();
        assert_eq!(places, [Some(2), Some(5), Some(6), Some(7)]);
    }
}

#[test]
fn ports_go_through_the_mesh_unless_they_say_host() {
    let service = one(
        "ports:\n- \"80:8080\"\n- 9000\n- 127.0.0.1:1:2/udp\n- {target: 80}\n- {target: 81, mode: host}\n- 1-2:1-2",
    );
    let ports: Vec<_> = service.ports.iter().map(|p| (p.target, p.is_in_mesh)).collect();
    let expected = [
        (Some(8080), true),
        (Some(9000), true),
        (Some(2), true),
        (Some(80), true),
        (Some(81), false),
        (None, true),
    ];
    assert_eq!(ports, expected);
}

#[test]
fn a_volume_is_written_unless_it_is_a_path_memory_or_read_only() {
    let service = one(
        "volumes:\n- data:/var/lib\n- ./here:/there\n- /anonymous\n- {type: tmpfs, target: /tmp}\n- {type: volume, source: more, target: /more}\n- certs:/certs:ro\n- certs:/certs:nocopy,ro\n- {type: volume, source: certs, target: /certs, read_only: true}\n- last:/last:nocopy,rw",
    );
    let names: Vec<_> = service.written_volumes().map(|v| (v.source.as_str(), v.line)).collect();
    assert_eq!(names, [("data", 4), ("more", 8), ("last", 12)]);
}

#[test]
fn a_test_that_is_none_is_no_healthcheck() {
    assert!(matches!(one("image: a").health, Health::NotAsked));
    for disabled in ["disable: true", "test: [NONE]", "test: NONE"] {
        let health = one(&format!("healthcheck:\n  {disabled}")).health;
        assert!(matches!(health, Health::Disabled { line: 3 }), "{health:?}");
    }
}

#[test]
fn a_boolean_is_read_as_docker_casts_it() {
    for (written, is_read_only) in
        [("true", true), ("${NOT:-yes}", true), ("\"On\"", true), ("false", false), ("no", false)]
    {
        assert_eq!(one(&format!("read_only: {written}")).is_read_only(), is_read_only, "{written}");
    }
}

#[test]
fn a_grace_period_is_written_as_go_writes_it() {
    let grace = one("stop_grace_period: 1m30s").stop_grace_period;
    assert_eq!(grace, Some(At { value: Duration::from_secs(90), line: 3 }));
}
