//! A real Prometheus, which asks the processes of one shop and judges by the rules of the stack.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{client::get, service::free_address, waiting::until};

use crate::shop::Shop;

/// Killed when it is dropped, and what it has measured goes with it.
pub struct Prometheus {
    process: Child,
    at: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that asks and judges once in so long.
    pub async fn start(shop: &Shop, every: Duration) -> Self {
        let program = std::env::var("WOODY_TEST_PROMETHEUS").expect("WOODY_TEST_PROMETHEUS");
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stack/observe/rules.yml");
        let every = format!("{}s", every.as_secs());
        let targets: Vec<_> = shop.processes().map(|process| process.admin.to_string()).collect();
        // JSON is YAML.
        let settings = json!({
            "global": {
                "scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every,
            },
            "rule_files": [rules.canonicalize().unwrap()],
            "scrape_configs": [{
                "job_name": "woodytoys", "static_configs": [{ "targets": targets }],
            }],
        });
        let (folder, at) = (tempfile::tempdir().unwrap(), free_address());
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, settings.to_string()).unwrap();
        let process = Command::new(program)
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={at}"))
            .arg("--log.level=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self { process, at, _folder: folder };
        until("Prometheus has measured all processes", async || {
            started.measured().await == Some(targets.len())
        })
        .await;
        started
    }

    /// How many processes it has measured.
    async fn measured(&self) -> Option<usize> {
        let up = self.ask("/api/v1/query?query=count(up==1)").await?;
        up["data"]["result"][0]["value"][1].as_str()?.parse().ok()
    }

    /// The alerts that it fires: their names, with the cause where they have one.
    pub async fn firing(&self) -> BTreeSet<String> {
        let told = self.ask("/api/v1/alerts").await.expect("Prometheus responds");
        let alerts = told["data"]["alerts"].as_array().unwrap().iter();
        let firing = alerts.filter(|alert| alert["state"] == "firing").map(|alert| {
            let labels = &alert["labels"];
            let name = labels["alertname"].as_str().unwrap();
            labels["cause"].as_str().map_or_else(|| name.to_owned(), |of| format!("{name}: {of}"))
        });
        firing.collect()
    }

    async fn ask(&self, path: &str) -> Option<Value> {
        let answer = get(self.at, path).await.ok()?;
        (answer.status == 200).then(|| answer.json())
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
