use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Peer, free_address, told, wait_until_open};
use crate::services::Servers;

const MANIFEST: &str = "benches/load/peers/apalis/Cargo.toml";
const TARGET: &str = "target/load-apalis";

/// A shop over apalis, a package of its own.
pub struct Apalis(PathBuf);

impl Apalis {
    /// Builds it; `None` where what it needs cannot be had.
    pub fn built() -> Option<Self> {
        let built = Command::new("cargo")
            .args(["build", "--quiet", "--release", "--locked"])
            .args(["--manifest-path", MANIFEST, "--target-dir", TARGET])
            .stdin(Stdio::null())
            .status();
        let program = Path::new(TARGET).join("release/apalis-shop");
        built.is_ok_and(|status| status.success()).then_some(Self(program))
    }

    /// A shop that answers at the address.
    pub async fn shop(&self, servers: &Servers, queue: &str) -> (Peer, SocketAddr) {
        let address = free_address();
        let mut command = told(&self.0, servers, queue);
        let peer = Peer(command.args(["serve", &address.to_string()]).spawn().unwrap());
        wait_until_open(address).await;
        (peer, address)
    }

    /// A worker of that shop.
    pub fn worker(&self, servers: &Servers, queue: &str) -> Peer {
        Peer(told(&self.0, servers, queue).arg("work").spawn().unwrap())
    }
}
