use std::net::IpAddr;

use crate::keys::ClientName;

/// Whose share of something is counted: a client's that has a key, or else an address's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::http) enum Party {
    Address(IpAddr),
    Client(ClientName),
}

impl Party {
    pub(in crate::http) fn of(address: IpAddr, name: Option<&ClientName>) -> Self {
        match name {
            // The same client, whether the listener is of both families or of one.
            None => Self::Address(address.to_canonical()),
            Some(name) => Self::Client(name.clone()),
        }
    }
}
