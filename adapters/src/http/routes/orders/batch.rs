use serde_json::value::RawValue;
use woody_core::{
    domain::{IdempotencyKey, OrderDetails},
    services::{Accepted, IntakeError, Kept, OrderRequest},
};

use super::{
    super::dto::{OrderReceipt, PlacedItem},
    accepted::log_accepted,
    api::{IDEMPOTENCY_KEY, OrderApi, asked_by},
};
use crate::http::{
    request::{Items, RoutedRequest, items, take_member},
    response::{Failure, FailureKind, Response, reply},
};

/// Orders in one batch, at most.
const MOST: usize = 500;
/// What an item's key is called: beside the order's own fields.
const KEY: &str = "idempotency_key";
/// Orders that are read before other requests have their turn: some 200 µs of work.
const AT_A_TIME: usize = 50;
/// Bytes that may be read to find what is wrong with the orders of one batch; past that, of each the first thing is told
/// that is found.
const EFFORT: usize = 8 * 1024 * 1024;
/// Wrong fields that one answer tells of; past that, one of each order.
const FIELDS: usize = 2_000;

impl<D: OrderDetails> OrderApi<D> {
    /// Places the orders that the body asks for, each as `read` understands it, and answers of
    /// each what became of it.
    pub(super) async fn place_all<A>(
        &self,
        request: &RoutedRequest<A>,
        read: impl Fn(&[u8], &mut usize) -> Result<D, Failure> + Send,
    ) -> Result<Response, Failure> {
        request.query([])?;
        if request.headers().contains_key(IDEMPOTENCY_KEY) {
            let problem = format!("is of one order: give each item an {KEY} of its own");
            return Err(Failure::field(FailureKind::InvalidValue, "Idempotency-Key", problem));
        }
        let body = request.body.bytes();
        let _room = self.batches.take(body.len())?;
        let mut failures = Vec::new();
        let mut asked = Vec::new();
        let (mut effort, mut room) = (EFFORT, FIELDS);
        for (n, item) in batch(body)?.into_iter().enumerate() {
            if n > 0 && n % AT_A_TIME == 0 {
                tokio::task::yield_now().await;
            }
            match order(item, &read, &mut effort) {
                Ok(mut order) => {
                    failures.push(None);
                    order.key = order.key.map(|key| request.own(key));
                    asked.push(asked_by(request, order));
                }
                Err(mut failure) => {
                    room = room.saturating_sub(failure.keep_fields(room));
                    failures.push(Some(failure));
                    // To find all that is wrong takes longer than to read what is right.
                    tokio::task::yield_now().await;
                }
            }
        }
        let mut accepted = self.intake.accept_all(asked).await.into_iter();
        let items: Vec<_> = failures
            .into_iter()
            .map(|failure| match failure {
                Some(failure) => Err(failure),
                None => accepted.next().map_or_else(
                    || Err(miscounted()),
                    |accepted| {
                        if let Ok(accepted) = &accepted {
                            log_accepted(request, accepted);
                        }
                        told(accepted)
                    },
                ),
            })
            .collect();
        respond(items)
    }
}

/// The items of a batch.
fn batch(body: &[u8]) -> Result<Vec<&RawValue>, Failure> {
    let Items { first, count } = items(body, MOST)?;
    match count {
        0 => Err(Failure::new(FailureKind::EmptyBatch, "The batch has no orders.")),
        1..=MOST => Ok(first),
        _ => {
            let detail = format!("A batch may have {MOST} orders at most, and this has {count}.");
            Err(Failure::new(FailureKind::BatchTooLarge, detail))
        }
    }
}

/// What one item asks for.
fn order<D: OrderDetails>(
    item: &RawValue,
    read: impl Fn(&[u8], &mut usize) -> Result<D, Failure>,
    effort: &mut usize,
) -> Result<OrderRequest<D>, Failure> {
    let (key, details) = take_member(item, KEY)?;
    let key = match key.map(|key| serde_json::from_str::<Option<String>>(key.get())) {
        None | Some(Ok(None)) => Ok(None),
        Some(Ok(Some(key))) => IdempotencyKey::parse(&key)
            .map(Some)
            .map_err(|invalid| Failure::from(invalid).named(KEY)),
        Some(Err(_)) => Err(Failure::field(FailureKind::InvalidValue, KEY, "must be a string")),
    };
    match (key, read(details.as_bytes(), effort)) {
        (Ok(key), Ok(details)) => Ok(OrderRequest { key, ..details.into() }),
        (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
        (Err(mut key), Err(details)) => Err(details.and(&mut key)),
    }
}

type Placed = Result<(OrderReceipt, Kept), Failure>;

fn told<D>(accepted: Result<Accepted<D>, IntakeError>) -> Placed {
    match accepted {
        Ok(accepted) => Ok((OrderReceipt::from(&accepted), accepted.kept)),
        Err(error @ IntakeError::KeyReused) => Err(Failure::from(error).named(KEY)),
        Err(error) => Err(error.into()),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the intake has told of fewer orders than it was given")]
struct Miscounted;

fn miscounted() -> Failure {
    Failure::internal(Miscounted)
}

fn respond(items: Vec<Placed>) -> Result<Response, Failure> {
    let told = items.iter().map(|placed| match placed {
        Ok((order, kept)) => PlacedItem::order(order, *kept == Kept::Already),
        Err(failure) => PlacedItem::problem(failure),
    });
    let response = reply::json(&told.collect::<Vec<_>>())?;
    // One of them is logged, the worst.
    Ok(match items.into_iter().filter_map(Result::err).max_by_key(gravity) {
        Some(failure) => reply::noting(response, failure),
        None => response,
    })
}

/// How much a failure is an operator's business.
fn gravity(failure: &Failure) -> u8 {
    match failure.kind() {
        FailureKind::Internal => 2,
        FailureKind::Unavailable | FailureKind::Overloaded => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_batch_the_gravest_failure_is_logged() {
        let of = |kind| Failure::new(kind, "");
        let mut failures =
            [FailureKind::InvalidValue, FailureKind::Internal, FailureKind::Unavailable].map(of);
        failures.sort_by_key(gravity);
        let last = failures.last().map(Failure::kind);
        assert_eq!(last, Some(FailureKind::Internal));
        let mut response = respond(failures.into_iter().map(Err).collect()).unwrap();
        let noted = response.extensions_mut().remove::<crate::http::response::Noted>().unwrap();
        assert_eq!(noted.0.kind(), FailureKind::Internal);
    }
}
