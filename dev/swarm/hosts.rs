//! Machines with addresses of their own: network namespaces, which `dev/test-swarm.sh` makes.

use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::commands::{program, run, variable};

/// Who asks. Each sees this machine under an address of its own.
#[derive(Clone, Copy)]
pub(crate) enum Host {
    One,
    Two,
    /// The one that has no limit.
    Load,
}

impl Host {
    fn namespace(self) -> &'static str {
        match self {
            Self::One => "woody-one",
            Self::Two => "woody-two",
            Self::Load => "woody-load",
        }
    }

    /// The shop, as this host reaches it.
    pub(crate) fn shop(self) -> String {
        let address = match self {
            Self::One => "10.97.1.1",
            Self::Two => "10.97.2.1",
            Self::Load => "10.97.3.1",
        };
        format!("http://{address}:{}", variable("WOODY_HTTP_PORT"))
    }

    /// Runs curl there, and returns what it printed.
    pub(crate) fn curl(self, arguments: &[&str]) -> String {
        let mut all = vec!["netns", "exec", self.namespace(), "curl", "--silent"];
        all.extend(arguments);
        run("ip", &all)
    }
}

/// How a program runs on the host that has no limit: the words before its own.
pub(crate) fn on_load() -> String {
    format!("ip netns exec {} {}", Host::Load.namespace(), program("woodyctl"))
}

fn load(rate: u32, lasts: &str) -> Command {
    let mut words = Command::new("ip");
    words.args([
        "netns",
        "exec",
        Host::Load.namespace(),
        &program("woodyctl"),
        "load",
        &Host::Load.shop(),
    ]);
    words.args(["--rate", &rate.to_string(), "--for", lasts, "--output", "json"]);
    words.stdin(Stdio::null());
    words
}

/// Places orders for a while, and returns the report.
pub(crate) fn place_orders(rate: u32, lasts: &str) -> Value {
    let output = load(rate, lasts).output().unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Orders that are placed all the time, 50 a second.
pub(crate) struct Load(Option<Child>);

impl Load {
    pub(crate) fn start() -> Self {
        Self(Some(load(50, "1h").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()))
    }

    /// Ends it. No order was refused and no request failed, or this fails.
    pub(crate) fn noticed_nothing(mut self) -> Value {
        let child = self.0.take().unwrap();
        run("kill", &["-TERM", &child.id().to_string()]);
        let output = child.wait_with_output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert!(output.status.success(), "{}: {report}", output.status);
        assert_eq!(
            (&report["refused"], &report["failed"]),
            (&Value::from(0), &Value::from(0)),
            "{report}"
        );
        report
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
