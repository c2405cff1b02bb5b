use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    http::request::{Networks, Party},
    keys::ClientName,
};

/// How many of something one client may hold at once; clones share it. A client is who has a key, or else an address.
///
/// The address is the connection's: no header changes it. Behind a gateway every
/// client has the gateway's address, so there the gateway keeps the shares.
#[derive(Debug, Clone, Default)]
pub struct ClientShare(Option<Arc<Shares>>);

#[derive(Debug)]
struct Shares {
    each: usize,
    exempt: Networks,
    /// Has no entry for who holds nothing, so it is no larger than what is held.
    held: Mutex<HashMap<Party, usize>>,
}

impl ClientShare {
    /// No bound.
    pub fn off() -> Self {
        Self(None)
    }

    /// So many for each client whose address is not exempt.
    pub fn of(each: usize, exempt: Networks) -> Self {
        Self(Some(Arc::new(Shares { each, exempt, held: Mutex::default() })))
    }

    /// One more for the client at `address`, which has a key if it has a name, until it is dropped; none when its share
    /// is used up.
    pub(in crate::http) fn take(&self, address: IpAddr, name: Option<&ClientName>) -> Option<Held> {
        let Some(shares) = &self.0 else { return Some(Held(None)) };
        if shares.exempt.contains(address.to_canonical()) {
            return Some(Held(None));
        }
        let party = Party::of(address, name);
        let mut held = shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(party.clone()).or_default();
        if *count >= shares.each {
            if *count == 0 {
                held.remove(&party);
            }
            return None;
        }
        *count += 1;
        Some(Held(Some((Arc::clone(shares), party))))
    }
}

/// One of a client's share.
#[derive(Debug)]
pub(in crate::http) struct Held(Option<(Arc<Shares>, Party)>);

impl Drop for Held {
    fn drop(&mut self) {
        let Some((shares, party)) = &self.0 else { return };
        let mut held = shares.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(party) {
            *count -= 1;
            if *count == 0 {
                held.remove(party);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn a_client_holds_its_share_and_no_more_and_what_it_gives_back_is_there_again() {
        let share = ClientShare::of(2, Networks::default());
        let first = share.take(A, None).unwrap();
        let _second = share.take(A, None).unwrap();
        assert!(share.take(A, None).is_none());
        assert!(share.take(B, None).is_some(), "another has its own");
        let acme = "acme".parse().unwrap();
        let _of_acme = share.take(A, Some(&acme)).unwrap();
        assert!(
            share.take(B, Some(&acme)).is_some(),
            "a client with a key has its own, wherever it is"
        );
        drop(first);
        assert!(share.take(A, None).is_some());
    }

    #[test]
    fn the_exempt_have_no_share_and_nobody_is_remembered_who_holds_nothing() {
        let share = ClientShare::of(1, "10.0.0.0/8".parse().unwrap());
        let many: Vec<_> = (0..10).map(|_| share.take(A, None)).collect();
        assert!(many.iter().all(Option::is_some));
        drop(share.take(B, None));
        assert!(share.0.unwrap().held.lock().unwrap().is_empty());
    }
}
