//! What stands in a deployment's way is said before anything is deployed.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpListener,
    process::Command,
    sync::{LazyLock, OnceLock},
};

use crate::{
    commands::{all_of, run, stack_shell},
    docker::image,
    suite::work,
};

/// The stack that is never to come up.
const STACK: &str = "woodywait";
/// A port that is taken, and two that are free.
pub(crate) const TAKEN: u16 = 18097;
const FREE: u16 = 18098;
const FREE_TOO: u16 = 18099;

/// Who has the port: this process, from here on.
static HOLDER: LazyLock<(TcpListener, String)> = LazyLock::new(|| {
    let listener = TcpListener::bind(("0.0.0.0", TAKEN)).unwrap();
    let program = fs::read_to_string("/proc/self/comm").unwrap();
    (listener, format!("held by {} (process {})", program.trim_end(), std::process::id()))
});

/// How it is said who has the port.
pub(crate) fn held() -> &'static str {
    &HOLDER.1
}

/// With the variables of the stack that is never to come up.
pub(crate) fn elsewhere(command: &mut Command) -> &mut Command {
    command.env("WOODY_STACK", STACK).env("WOODY_SECRETS_DIR", work().join("secrets-elsewhere"))
}

/// A script of `stack/`, which should take seconds: `timeout` is for the day when it waits again.
fn script(name: &str, seconds: u32, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new("timeout");
    command.args([&seconds.to_string(), &format!("./{name}")]).current_dir("stack");
    elsewhere(&mut command).envs(variables.iter().copied());
    command
}

/// What a deployment says that wants a port which is taken.
fn refused() -> &'static str {
    static SAID: OnceLock<String> = OnceLock::new();
    SAID.get_or_init(|| {
        let _ = held();
        let (taken, free) = (TAKEN.to_string(), FREE.to_string());
        let ports = [("WOODY_HTTP_PORT", &*taken), ("WOODY_MANAGEMENT_PORT", &*free)];
        let output = script("deploy-swarm.sh", 20, &ports).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!output.status.success(), "it was deployed: {said}");
        said
    })
}

pub(crate) fn a_deployment_says_who_has_its_port() {
    let who = format!("port {TAKEN}, for gateway, is {}", held());
    let line = refused().lines().find(|line| line.contains(&who));
    let line = line.unwrap_or_else(|| panic!("nobody said {who}: {}", refused()));
    assert!(line.contains("set WOODY_HTTP_PORT"), "{line}");
}

pub(crate) fn it_says_that_nothing_was_deployed() {
    assert!(refused().contains("nothing was deployed"), "{}", refused());
}

pub(crate) fn and_no_service_is_there() {
    let _ = refused();
    let filter = format!("name={STACK}_");
    assert_eq!(run("docker", &["service", "ls", "--quiet", "--filter", &filter]), "");
}

/// What is said of a stack file with every fault at once.
fn faults() -> &'static str {
    static SAID: OnceLock<String> = OnceLock::new();
    SAID.get_or_init(|| {
        let _ = held();
        let root = std::env::current_dir().unwrap();
        let nowhere = work().join("nowhere.conf");
        let there = root.join("stack/postgres/postgresql.conf");
        let workshop = root.join("stack/workshop.toml");
        let text = fs::read_to_string("stack/stack.yml").unwrap();
        let text = text
            .replace("rabbitmq/rabbitmq.conf", nowhere.to_str().unwrap())
            .replace("postgres/postgresql.conf", there.to_str().unwrap())
            .replace("file: workshop.toml", &format!("file: {}", workshop.display()));
        let file = work().join("stack.yml");
        fs::write(&file, text).unwrap();
        let (taken, free) = (TAKEN.to_string(), FREE.to_string());
        let variables = [
            ("WOODY_HTTP_PORT", &*taken),
            ("WOODY_HTTPS_PORT", &*free),
            ("WOODY_MANAGEMENT_PORT", &*taken),
            ("WOODY_NEEDS_DISK", "999999999"),
        ];
        let mut command = script("preflight.sh", 20, &variables);
        all_of(command.arg("--only").arg(file).args(["-c", "tls.yml"]))
    })
}

fn finds(words: &str) {
    assert!(faults().contains(words), "nobody said {words}: {}", faults());
}

pub(crate) fn a_port_that_is_taken_is_found_before() {
    finds("for gateway, is held");
}

pub(crate) fn a_second_port_that_is_taken_is_found_too() {
    finds("for rabbitmq, is held");
}

pub(crate) fn a_port_that_is_published_twice_is_found() {
    finds("published twice");
}

pub(crate) fn a_disk_without_room_is_found() {
    finds("MB are free");
}

pub(crate) fn a_file_that_is_missing_is_found() {
    finds("nowhere.conf is missing");
}

pub(crate) fn a_secret_that_is_missing_is_found() {
    finds(&format!("the secret {STACK}_tls_key_1 is missing"));
}

pub(crate) fn where_nothing_stands_in_the_way_that_is_said() {
    let (free, too, image) = (FREE.to_string(), FREE_TOO.to_string(), image("gateway", "latest"));
    let variables = [
        ("WOODY_HTTP_PORT", &*free),
        ("WOODY_MANAGEMENT_PORT", &*too),
        ("WOODY_PREFLIGHT_IMAGE", &*image),
    ];
    let said = all_of(&mut script("preflight.sh", 60, &variables));
    assert!(said.contains("nothing stands in the way"), "{said}");
}

/// An old docker cannot show a stack file as it understands it.
pub(crate) fn without_help_of_docker_a_stack_file_asks_for_the_same() {
    let asked = |docker: &str| -> BTreeSet<String> {
        let script = format!("{docker} cd stack; stack_file stack.yml tls.yml | needs");
        let said = all_of(elsewhere(&mut stack_shell(&script)));
        let is_told = |line: &&str| line.starts_with("port ") || line.starts_with("secret ");
        said.lines().filter(is_told).map(str::to_owned).collect()
    };
    let helped = asked("");
    assert!(!helped.is_empty());
    assert_eq!(asked("docker_shows_stack_files() { false; };"), helped);
}
