//! What `stack/preflight.sh` reads in a stack file where no docker helps it.

use std::process::Command;

use crate::repository::Repository;

/// What a file asks for, sorted, without what is said of memory and virtual addresses.
fn needs(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stack.yml");
    std::fs::write(&file, text).unwrap();
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", ". stack/stack-file.sh && interpolate <\"$1\" | needs"])
        .arg("bash")
        .arg(file)
        .envs(variables.iter().copied())
        .current_dir(Repository::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines =
        lines.lines().filter(|line| !line.starts_with("memory") && !line.starts_with("mesh"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn our_own_stack_asks_for_two_ports_three_files_and_four_secrets() {
    let asked = needs(&Repository::text("stack/stack.yml"), &[("WOODY_HTTP_PORT", "8080")]);
    assert_eq!(
        asked,
        [
            "file postgres/postgresql.conf",
            "file rabbitmq/rabbitmq.conf",
            "file workshop.toml",
            "port gateway 8080 tcp host",
            "port rabbitmq 15672 tcp host",
            "secret woodytoys_broker_url_1",
            "secret woodytoys_postgres_password_1",
            "secret woodytoys_rabbitmq_definitions_1",
            "secret woodytoys_store_url_1",
        ]
    );
}

#[test]
fn ports_and_folders_are_read_in_every_form() {
    let text = "
services:
  a:
    ports:
      - { target: 80, published: '81', protocol: udp, mode: host }
      - target: 80
        published: ${PORT:-82} # by default
      - \"127.0.0.1:83:80\"
      - 84:80/udp
      - \"85\"
    volumes:
      - { type: bind, source: /srv/a, target: /x }
      - ./b:/y:ro
      - kept:/z
  b:
    ports: ['86:80', \"87:80\"]
networks:
  outside: { driver: overlay }
  theirs:
    external: true
";
    assert_eq!(
        needs(text, &[]),
        [
            "bind a ./b",
            "bind a /srv/a",
            "network theirs",
            "port a 81 udp host",
            "port a 82 tcp ingress",
            "port a 83 tcp ingress",
            "port a 84 udp ingress",
            "port b 86 tcp ingress",
            "port b 87 tcp ingress",
        ]
    );
}
