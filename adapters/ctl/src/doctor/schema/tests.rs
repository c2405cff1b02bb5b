use std::path::Path;

use super::*;

fn refused(text: &str) -> Vec<(String, What)> {
    let tree = Node::parse(Path::new("stack.yml"), text).unwrap();
    refusals(&tree).into_iter().map(|refusal| (refusal.path.join("."), refusal.what)).collect()
}

/// What is said of a service with these lines.
fn in_service(lines: &str) -> Vec<(String, What)> {
    refused(&format!("version: '3.9'\nservices:\n  a:\n    {}\n", lines.replace('\n', "\n    ")))
}

/// Each of these was given to `docker stack config` (28.2), which refused it.
#[test]
fn what_docker_refuses_is_refused() {
    for lines in [
        "depends_on: {b: {condition: service_healthy}}",
        "foo: 1",
        "deploy: {replica: 1}",
        "environment: {A: true}",
        "environment: {A: [1]}",
        "labels: {a: true}",
        "deploy: {resources: {limits: {cpus: 0.5}}}",
        "deploy: {resources: {limits: {memory: 128}}}",
        "deploy: {resources: {limits: {pids: '64'}}}",
        "deploy: {resources: {reservations: {pids: 64}}}",
        "deploy: {replicas: '2'}",
        "deploy: {replicas: 1.5}",
        "deploy: {update_config: {order: first}}",
        "deploy: {update_config: {delay: 10}}",
        "deploy: {update_config: {delay: 10sec}}",
        "deploy: {placement: {constraints: 'node.role==manager'}}",
        "healthcheck: {interval: 5}",
        "healthcheck: {retries: x}",
        "healthcheck: {retries: '3'}",
        "healthcheck: {test: [CMD, x], start_interval: 1s}",
        "stop_grace_period: 30",
        "stop_grace_period: 30sec",
        "ports: ['80:99999']",
        "ports: ['x:80']",
        "ports: [{target: '80', published: 80}]",
        "ports: [{target: 80, published: '80'}]",
        "ports: [{target: 80, published: 8000-8010}]",
        "ports: [{target: 80, host_ip: 127.0.0.1, published: 80}]",
        "volumes: [{type: tmpfs, target: /tmp, tmpfs: {size: 64m}}]",
        "volumes: [{type: tmpfs, target: /tmp, tmpfs: {size: '64'}}]",
        "mem_limit: 1g",
        "extends: {service: b}",
        "profiles: [x]",
        "pull_policy: always",
        "read_only: yes",
        "read_only: 'true'",
        "user: 1000",
        "command: 5",
        "cap_drop: ALL",
        "group_add: ['1']",
        "networks: {n: {priority: 1}}",
        "env_file: [{path: x}]",
        "environment:",
        "deploy: {replicas: null}",
        "secrets: [{source: s, mode: '0400'}]",
        "secrets: [{source: s, mode: 0400, uid: 999}]",
    ] {
        assert_eq!(in_service(lines).len(), 1, "{lines}: {:?}", in_service(lines));
    }
}

/// And each of these it took.
#[test]
fn what_docker_takes_is_taken() {
    for lines in [
        "environment: {A: 1, B: 1.5, C: null, D: yes}",
        "environment: [A=1, B]",
        "deploy: {update_config: {parallelism: 0, delay: 10s, monitor: 5s}}",
        "deploy:",
        "ports: ['80:80', 80, 22:22, '127.0.0.1:80:80', 8000-8010:8000-8010/udp, '53:53/UDP']",
        "ports: [{target: 80, published: 80}]",
        "volumes: [{type: tmpfs, target: /tmp, tmpfs: {mode: 1777}}, ./x:/y, /a]",
        "tmpfs: /tmp\nlinks: [b]\nexpose: ['1']\nshm_size: 1g\nbuild: .",
        "ulimits: {nofile: {soft: 10, hard: 5}, nproc: 1}",
        "secrets: [s, {source: s, mode: 0400, uid: '999'}]",
        "networks: {n: {aliases: [x]}, m: }",
        "x-foo: 1",
    ] {
        assert_eq!(in_service(lines), [], "{lines}");
    }
}

#[test]
fn a_version_must_be_one_and_brings_its_keys() {
    let services = "services: {a: {image: x, init: true}}";
    for (version, says) in [
        ("'2.4'", Some(What::Version { named: "2.4".to_owned() })),
        ("'3.14'", Some(What::Version { named: "3.14".to_owned() })),
        ("'3'", Some(What::Later { since: 7, named: 0 })),
        ("'3.6'", Some(What::Later { since: 7, named: 6 })),
        ("'3.7'", None),
        ("'3.13'", None),
        ("3.9", Some(What::Form { is: "a number", must_be: "a text in quotes" })),
    ] {
        let found = refused(&format!("version: {version}\n{services}\n"));
        assert_eq!(found.into_iter().map(|(_, what)| what).next(), says, "{version}");
    }
    assert_eq!(refused(services), []);
}

#[test]
fn sections_are_looked_at_too() {
    for (text, path) in [
        ("name: x", "name"),
        ("secrets: {s: }", "secrets.s"),
        ("secrets: {s: {environment: X}}", "secrets.s.environment"),
        ("configs: {s: {content: X}}", "configs.s.content"),
        ("configs: {s: {driver: X}}", "configs.s.driver"),
        ("networks: {n: {foo: x}}", "networks.n.foo"),
        ("services: [a]", "services"),
    ] {
        let paths: Vec<_> = refused(text).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, [path], "{text}");
    }
    assert_eq!(refused("x-foo: {a: [1]}\nnetworks: {n: }\nvolumes: {v: {}}"), []);
}

#[test]
fn a_key_that_is_near_is_named() {
    for (key, near) in
        [("replica", Some("replicas")), ("endpointmode", Some("endpoint_mode")), ("colour", None)]
    {
        let found = in_service(&format!("deploy: {{{key}: x}}"));
        assert_eq!(found[0].1, What::Unknown { meant: near });
    }
}
