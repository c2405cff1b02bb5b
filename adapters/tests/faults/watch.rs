//! Clients that follow an order, from any replica, and note each status that
//! does not follow from the one before.

use std::{net::SocketAddr, time::Duration};

use http_body_util::{BodyExt, Full};
use hyper::Request;
use testkit::ledger::Ledger;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::{evidence::ENDS_WITHIN, load::Http};

const ANSWER: Duration = Duration::from_secs(5);
const EVENTS: Duration = Duration::from_secs(20);

/// From one look to the next, longer and longer, as clients should.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Self {
        Self(Duration::from_millis(50))
    }

    async fn next(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(1));
    }
}

/// What one client has seen of one order.
#[derive(Default)]
struct Seen(Vec<String>);

impl Seen {
    /// Takes in the next status; `None` is "no such order".
    fn next(&mut self, status: Option<&str>) -> Result<(), String> {
        let last = self.0.last().map(String::as_str);
        let follows = match (last, status) {
            // At first it may not be there: it was accepted while the store was unavailable.
            (None, None) | (None | Some("pending"), Some(_)) => true,
            (Some(_), None) => false,
            (Some(last), Some(status)) => last == status,
        };
        if let Some(status) = status
            && last != Some(status)
        {
            self.0.push(status.to_owned());
        }
        if follows { Ok(()) } else { Err(format!("{status:?} followed {:?}", self.0)) }
    }

    fn has_ended(&self) -> bool {
        self.0.last().is_some_and(|status| status != "pending")
    }
}

/// Asks one replica after the other, and each once more when it has ended.
pub async fn by_asking(http: &Http, at: &[SocketAddr], id: Uuid, ledger: &Ledger) {
    let (mut seen, mut again, mut pauses) = (Seen::default(), 0, Pauses::new());
    let until = Instant::now() + ENDS_WITHIN;
    for turn in 0.. {
        if again == at.len() || Instant::now() > until {
            return;
        }
        let url = format!("http://{}/api/orders/{id}", at[turn % at.len()]);
        let answered = match ask(http, &url, ANSWER).await {
            Some((200, body)) => serde_json::from_slice::<serde_json::Value>(&body)
                .ok()
                .map(|order| order["status"].as_str().map(ToOwned::to_owned)),
            Some((404, _)) => Some(None),
            // The store is unavailable, or the replica.
            _ => None,
        };
        if let Some(status) = answered {
            again += usize::from(seen.has_ended());
            if let Err(what) = seen.next(status.as_deref()) {
                return ledger.note_broken(format!("order {id}: {what}"));
            }
        }
        pauses.next().await;
    }
}

/// Listens to its events, and connects again when they break off.
pub async fn by_events(http: &Http, at: &[SocketAddr], id: Uuid, ledger: &Ledger) {
    let (mut seen, mut pauses) = (Seen::default(), Pauses::new());
    let until = Instant::now() + ENDS_WITHIN;
    for turn in 0.. {
        if seen.has_ended() || Instant::now() > until {
            return;
        }
        let url = format!("http://{}/api/orders/{id}/events", at[turn % at.len()]);
        if let Some((200, body)) = ask(http, &url, EVENTS).await {
            let text = String::from_utf8_lossy(&body).into_owned();
            // The last line may be half of one.
            let whole = text.rfind("\n\n").map_or("", |end| &text[..end]);
            for data in whole.lines().filter_map(|line| line.strip_prefix("data: ")) {
                let order: serde_json::Value = serde_json::from_str(data).unwrap();
                if let Err(what) = seen.next(order["status"].as_str()) {
                    return ledger.note_broken(format!("order {id}: {what}, by events"));
                }
            }
        }
        pauses.next().await;
    }
}

/// The status and as much of the body as came in time.
async fn ask(http: &Http, url: &str, limit: Duration) -> Option<(u16, Vec<u8>)> {
    let request = Request::get(url).body(Full::default()).unwrap();
    let response = timeout(ANSWER, http.request(request)).await.ok()?.ok()?;
    let status = response.status().as_u16();
    let (mut body, mut read) = (response.into_body(), Vec::new());
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            read.extend(frame.into_data().unwrap_or_default());
        }
    };
    let in_time = timeout(limit, reading).await.is_ok();
    (in_time || limit == EVENTS).then_some((status, read))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_never_goes_back() {
        let steps = |statuses: &[Option<&str>]| {
            let mut seen = Seen::default();
            statuses.iter().try_for_each(|status| seen.next(*status))
        };
        assert!(steps(&[None, Some("pending"), Some("pending"), Some("success")]).is_ok());
        assert!(steps(&[Some("pending"), None]).is_err());
        assert!(steps(&[Some("success"), Some("pending")]).is_err());
        assert!(steps(&[Some("failed"), Some("success")]).is_err());
    }
}
