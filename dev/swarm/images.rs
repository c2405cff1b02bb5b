//! What is deployed: images and configuration, each for itself.

use std::{fs, process::Command};

use crate::{
    commands::{of, run, try_run, variable, within},
    deployment,
    docker::image,
    suite::{leave_out, work},
};

/// A quick build is no small one: nothing is said of its size then.
pub(crate) fn each_program_is_an_image_below_15_mb() {
    if variable("WOODY_IMAGE_PROFILE") != "dist" {
        return leave_out("a quick build is no small one");
    }
    let said = deployment::said();
    let programs = ["misc-service", "product-service", "order-service", "order-worker", "woodyctl"];
    for program in programs {
        // NAME VERSION SIZE MB, of build_push.sh
        let size = said.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words.len() == 4 && words[0] == program && words[3] == "MB")
                .then(|| words[2].parse::<f64>())
        });
        let size = size.unwrap_or_else(|| panic!("{program} was not built: {said}")).unwrap();
        assert!(size < 15.0, "{program} is {size} MB");
    }
}

/// Whether docker can show a stack file as it understands it: since version 23.
fn docker_takes(files: &[&str]) {
    docker_takes_with(&[], files);
}

fn docker_takes_with(variables: &[(&str, &str)], files: &[&str]) {
    if !run("docker", &["stack", "--help"]).contains(" config ") {
        return leave_out("this docker cannot show a stack file");
    }
    let mut arguments = vec!["stack", "config"];
    arguments.extend(files.iter().flat_map(|file| ["-c", file]));
    of(Command::new("docker").args(&arguments).envs(variables.iter().copied()))
        .unwrap_or_else(|said| panic!("docker {}: {said}", arguments.join(" ")));
}

pub(crate) fn the_stack_file_is_one() {
    docker_takes(&["stack/stack.yml"]);
}

pub(crate) fn with_tls_it_is_one_too() {
    docker_takes(&["stack/stack.yml", "stack/tls.yml"]);
}

pub(crate) fn with_a_webhook_it_is_one_too() {
    let variable = ("WOODY_WEBHOOK_URL", "https://erp.example.org/hooks");
    docker_takes_with(&[variable], &["stack/stack.yml", "stack/webhook.yml"]);
}

pub(crate) fn with_a_prometheus_it_is_one_too() {
    docker_takes(&["stack/stack.yml", "stack/observe.yml"]);
}

pub(crate) fn with_a_collector_it_is_one_too() {
    let variable = ("WOODY_TRACES_TO", "http://tempo.example.org:4318");
    docker_takes_with(&[variable], &["stack/stack.yml", "stack/traces.yml"]);
}

pub(crate) fn with_an_archive_it_is_one_too() {
    docker_takes(&["stack/stack.yml", "stack/pitr.yml"]);
}

fn nginx_takes(name: &str) {
    let image = image(name, "latest");
    run("docker", &["run", "--rm", "--read-only", "--tmpfs", "/tmp", &image, "nginx", "-t"]);
}

pub(crate) fn nginx_takes_the_configuration_of_the_gateway() {
    nginx_takes("gateway");
}

pub(crate) fn nginx_takes_the_configuration_of_the_front() {
    nginx_takes("front");
}

pub(crate) fn with_a_certificate_the_gateway_speaks_tls_and_http_2() {
    let folder = work().join("tls");
    fs::create_dir_all(&folder).unwrap();
    let make = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost \
        -keyout woody_tls_key -out woody_tls_certificate 2>/dev/null && chmod 644 *";
    of(Command::new("sh").args(["-c", make]).current_dir(&folder)).unwrap();
    let secrets = format!("{}:/run/secrets:ro", folder.display());
    let gateway = image("gateway", "latest");
    let mut start = vec!["run", "--detach", "--read-only", "--tmpfs", "/tmp"];
    start.extend(["--publish", "127.0.0.1:8443:8443", "--volume", &secrets]);
    start.extend([&*gateway, "nginx", "-g", "daemon off;"]);
    let container = Container(run("docker", &start).trim_end().to_owned());
    // Nothing is behind it; it says so, encrypted.
    let how = "%{http_version} %{scheme} %{http_code}";
    let ask = [
        "--silent",
        "--insecure",
        "--output",
        "/dev/null",
        "--write-out",
        how,
        "https://127.0.0.1:8443/",
    ];
    within(20, "a refusal over HTTP/2", || {
        try_run("curl", &ask).is_ok_and(|said| said.eq_ignore_ascii_case("2 https 502"))
    });
    drop(container);
}

/// What a client is told whose request is refused: of which limit, that nothing is left, and when something is.
pub(crate) fn a_refusal_of_the_gateway_says_where_its_client_stands() {
    let gateway = image("gateway", "latest");
    let mut start = vec!["run", "--detach", "--read-only", "--tmpfs", "/tmp"];
    start.extend(["--publish", "127.0.0.1:8429:8080"]);
    start.extend(["--env", "WOODY_RATE_STATUS=429", "--env", "WOODY_RATE_LIMIT=2"]);
    start.extend([&*gateway, "nginx", "-g", "daemon off;"]);
    let _container = Container(run("docker", &start).trim_end().to_owned());
    for (path, policy, standing) in [
        ("/api/misc/time?", r#""misc";q=21;w=11"#, r#""misc";r=0;t=1"#),
        ("/api/products?product=Top&", r#""products";q=6;w=3"#, r#""products";r=0;t=1"#),
        ("/api/orders/batch?", r#""orders";q=3;w=2"#, r#""orders";r=0;t=1"#),
    ] {
        // More than may come at once, over one connection.
        let urls = format!("http://127.0.0.1:8429{path}nth=[1-60]");
        let ask = ["--silent", "--output", "/dev/null", "--dump-header", "-", &urls];
        let told = format!("ratelimit-policy: {policy}\r\nratelimit: {standing}\r\n");
        within(20, &format!("a refusal of {path} that says so"), || {
            let heads = try_run("curl", &ask).unwrap_or_default().to_ascii_lowercase();
            heads.contains(" 429 ") && heads.contains(&told)
        });
    }
}

/// A container of a check, which ends with it.
pub(crate) struct Container(pub(crate) String);

impl Drop for Container {
    fn drop(&mut self) {
        drop(try_run("docker", &["rm", "--force", &self.0]));
    }
}
