//! A configuration that cannot work is one line on stderr, and exit code 2.

use std::{
    fs::File,
    io::Write,
    net::TcpListener,
    process::{Command, Output, Stdio},
};
use testkit::service::{binary, free_address};
use woody_adapters::config::WorkshopArgs;
use woody_core::workshop::Workshop;

fn run(name: &str, env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(binary(name));
    let free = free_address().to_string();
    command.env("WOODY_LISTEN", &free).env("WOODY_ADMIN_LISTEN", free_address().to_string());
    command.env("WOODY_LOG", "off").envs(env.iter().copied());
    command.output().unwrap()
}

fn one_line(output: &Output, says: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.trim().lines().count(), 1, "{stderr}");
    for word in says {
        assert!(stderr.contains(word), "{stderr} does not say {word}");
    }
}

#[test]
fn more_heavy_threads_than_a_machine_has_are_refused_at_once() {
    for name in ["misc-service", "order-worker"] {
        let output = run(name, &[("WOODY_HEAVY_THREADS", "30000")]);
        one_line(&output, &["WOODY_HEAVY_THREADS", "0 to 256"]);
    }
}

#[test]
fn several_queues_of_a_broker_that_has_one_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let (store, queue) = (file("orders.db"), file("queue.db"));
    for broker in ["memory:", &queue] {
        let env = [
            ("WOODY_STORE_URL", store.as_str()),
            ("WOODY_BROKER_URL", broker),
            ("WOODY_QUEUE_SHARDS", "4"),
        ];
        one_line(&run("woodytoys", &env), &["WOODY_QUEUE_SHARDS is 4", "leave it at 1", "amqp://"]);
    }
    one_line(&run("order-worker", &[("WOODY_QUEUE_SHARDS", "17")]), &["1 to 16"]);
}

#[test]
fn an_environment_in_no_colour_that_there_is_is_refused() {
    for (environment, says) in [
        ("production:pink", "\"pink\" is no colour"),
        ("a:b:red:", "is no colour"),
        (":red", "1 to 40"),
    ] {
        let output = run("misc-service", &[("WOODY_ENVIRONMENT", environment)]);
        one_line(&output, &["WOODY_ENVIRONMENT", says]);
    }
}

#[test]
fn a_file_of_keys_that_cannot_be_used_is_refused_with_its_line_and_shows_nothing_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys");
    let path = file.to_str().unwrap();
    let [given, scopes] = ["WOODY_API_KEYS_FILE", "WOODY_PUBLIC_SCOPES"];
    let good =
        "acme order sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n";
    let here = [
        ("WOODY_STORE_URL", "postgres://127.0.0.1:1/d"),
        ("WOODY_BROKER_URL", "amqp://127.0.0.1:1"),
    ];
    for (text, says) in [
        (format!("{good}acme order woody_hunter2"), "line 2: a key itself stands there"),
        (format!("{good}\nhunter2"), "line 3: a line is a name, scopes and a hash"),
        (format!("{good}{good}"), "line 2: this hash stands on a line before"),
        ("# hunter2".to_owned(), "it holds no key"),
    ] {
        std::fs::write(&file, text).unwrap();
        for name in ["misc-service", "product-service", "order-service"] {
            let output = run(name, &[&here[..], &[(given, path)]].concat());
            one_line(&output, &[given, path, says]);
            assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
        }
    }
    for (env, says) in [
        (&[(given, "/none/keys")][..], "WOODY_API_KEYS_FILE names /none/keys"),
        (&[(given, folder.path().to_str().unwrap())], "directory"),
        (&[(scopes, "order")], "without WOODY_API_KEYS_FILE"),
        (&[(given, path), (scopes, "write")], "WOODY_PUBLIC_SCOPES"),
    ] {
        let output = run("misc-service", env);
        one_line(&output, &[says]);
    }
}

#[test]
fn a_webhook_that_cannot_work_is_refused_and_shows_no_secret() {
    let secret = ("WOODY_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let url = ("WOODY_WEBHOOK_URL", "https://erp.example/hooks");
    for (env, says) in [
        (&[("WOODY_WEBHOOK_URL", "erp.example"), secret][..], "WOODY_WEBHOOK_URL must be"),
        (&[("WOODY_WEBHOOK_URL", "https://shop:hunter2@erp.example/"), secret], "no password"),
        (&[("WOODY_WEBHOOK_URL", "http://erp.example/"), secret], "WOODY_WEBHOOK_ALLOW_HTTP"),
        (&[("WOODY_WEBHOOK_URL", "https://10.0.0.1/"), secret], "WOODY_WEBHOOK_ALLOW_PRIVATE"),
        (&[url], "WOODY_WEBHOOK_SECRET is not set"),
        (&[url, ("WOODY_WEBHOOK_SECRET", "hunter2")], "WOODY_WEBHOOK_SECRET must be whsec_"),
        (&[url, secret, ("WOODY_WEBHOOK_OLD_SECRET", "hunter2")], "WOODY_WEBHOOK_OLD_SECRET must"),
        (
            &[url, secret, ("WOODY_WEBHOOK_OLD_SECRET_FILE", "/none")],
            "WOODY_WEBHOOK_OLD_SECRET_FILE",
        ),
        (&[url, secret, ("WOODY_WEBHOOK_NAME", "Web Hook")], "WOODY_WEBHOOK_NAME"),
        (&[url, secret, ("WOODY_WEBHOOK_PAUSES", "5s,0s")], "WOODY_WEBHOOK_PAUSES"),
    ] {
        let here = [("WOODY_STORE_URL", "postgres://h/d"), ("WOODY_BROKER_URL", "amqp://h")];
        let output = run("order-worker", &[&here[..], env].concat());
        one_line(&output, &[says]);
        let shown = String::from_utf8_lossy(&output.stderr);
        assert!(!shown.contains("hunter2") && !shown.contains("MfKQ9r8G"), "{shown}");
    }
}

#[test]
fn a_workshop_that_cannot_be_used_is_refused_by_all_that_plan() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("workshop.toml");
    std::fs::write(&file, "[saw]\nkerf = 3\n").unwrap();
    for name in ["misc-service", "order-worker", "woodytoys"] {
        let env =
            [("WOODY_WORKSHOP", file.to_str().unwrap()), ("WOODY_STORE_URL", "postgres://h/d")];
        one_line(&run(name, &env), &["WOODY_WORKSHOP", "workshop.toml:2", "kerf"]);
    }
}

/// Has misc-service look at a file as the deployment does.
fn check_workshop(file: impl Into<Stdio>) -> Output {
    let mut command = Command::new(binary("misc-service"));
    command.args(["--workshop", "/dev/stdin", "--check-workshop"]);
    command.env("WOODY_LOG", "off").stdin(file).output().unwrap()
}

#[test]
fn the_workshop_of_the_stack_can_be_used_and_a_bad_one_is_told_before() {
    let stack = concat!(env!("CARGO_MANIFEST_DIR"), "/../stack/workshop.toml");
    let good = check_workshop(File::open(stack).unwrap());
    assert!(good.status.success(), "{good:?}");
    let usual = WorkshopArgs { workshop: Some(stack.into()) }.open().unwrap();
    assert_eq!(usual, Workshop::default(), "stack/workshop.toml says what there is without it");

    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"max_sheets = 250\neffort = 'much'\n").unwrap();
    drop(writer);
    one_line(&check_workshop(reader), &["/dev/stdin:2", "much"]);
}

#[test]
fn an_unknown_store_is_named() {
    let output = run("product-service", &[("WOODY_STORE_URL", "oracle://db/shop")]);
    one_line(&output, &["WOODY_STORE_URL", "oracle"]);
}

#[test]
fn an_unknown_broker_is_named() {
    let env = [("WOODY_STORE_URL", "postgres://h/d"), ("WOODY_BROKER_URL", "kafka://h")];
    one_line(&run("order-service", &env), &["WOODY_BROKER_URL", "kafka"]);
}

#[test]
fn a_missing_store_is_asked_for() {
    one_line(&run("product-service", &[]), &["WOODY_STORE_URL", "WOODY_STORE_URL_FILE"]);
}

#[test]
fn memory_is_refused_where_processes_share() {
    let env = [("WOODY_STORE_URL", "memory:"), ("WOODY_BROKER_URL", "amqp://h")];
    one_line(&run("order-service", &env), &["memory:", "woodytoys"]);
    let env = [("WOODY_STORE_URL", "postgres://h/d"), ("WOODY_BROKER_URL", "memory:")];
    one_line(&run("order-worker", &env), &["memory:", "woodytoys"]);
}

#[test]
fn an_unreadable_secret_is_named() {
    let env = [("WOODY_STORE_URL_FILE", "/nowhere/secret")];
    one_line(&run("product-service", &env), &["WOODY_STORE_URL_FILE", "/nowhere/secret"]);
}

#[test]
fn a_file_that_cannot_be_a_store_is_named() {
    let env = [("WOODY_STORE_URL", "sqlite:/proc/nowhere/woody.db")];
    one_line(&run("product-service", &env), &["WOODY_STORE_URL", "/proc/nowhere"]);
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = run("misc-service", &[("WOODY_LISTEN", address.as_str())]);
    one_line(&output, &[&address, "WOODY_LISTEN"]);
}

#[test]
fn a_bad_flag_is_named_and_secrets_are_not_shown() {
    one_line(&run("misc-service", &[("WOODY_GRACE", "soon")]), &["--grace", "10s"]);
    let env = [("WOODY_STORE_URL", "postgres://woody:hunter2@/")];
    let output = run("product-service", &env);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
}

#[test]
fn help_shows_every_variable_and_no_secret() {
    for name in ["misc-service", "product-service", "order-service", "order-worker", "woodytoys"] {
        let mut command = Command::new(binary(name));
        let output = command.arg("--help").env("WOODY_STORE_URL", "postgres://u:hunter2@h/d");
        let output = output.output().unwrap();
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains("WOODY_ADMIN_LISTEN") && help.contains("WOODY_GRACE"), "{help}");
        assert!(!help.contains("hunter2"), "{help}");
    }
}
