use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;

use super::{
    LONG, cancel, failed, finish, ids, insert, order, orders, redriven, rejected, success,
};
use crate::domain::{ClientName, Details, Label, NewOrder, OrderId, StatusName};
use crate::ports::{ListOf, OrderPage, OrderQuery, OrderStore, PageSize};

/// Asks for pages of `size` until nothing follows.
async fn listed(store: &dyn OrderStore, query: OrderQuery, size: u16) -> Vec<OrderId> {
    let mut query = OrderQuery { limit: PageSize::new(size).unwrap(), ..query };
    let mut found = Vec::new();
    loop {
        let OrderPage { orders, next } = store.list(&query).await.unwrap();
        assert!(orders.len() <= query.limit.get(), "{} on a page", orders.len());
        found.extend(orders.iter().map(|order| order.id));
        match next {
            None => return found,
            Some(next) => query.after = Some(next.to_string().parse().unwrap()),
        }
    }
}

/// Inserts six orders and ends five of them, each in its own way. They are the oldest first.
async fn of_every_status(store: &dyn OrderStore) -> Vec<NewOrder<Details>> {
    let batch = orders(6);
    let _ = insert(store, &[batch[3].clone(), batch[0].clone(), batch[1].clone()], LONG).await;
    let _ = insert(store, &[batch[4].clone(), batch[5].clone(), batch[2].clone()], LONG).await;
    let _ = finish(store, &batch[1], success()).await;
    let _ = finish(store, &batch[2], rejected("too large")).await;
    let _ = finish(store, &batch[3], failed("no validator")).await;
    let _ = finish(store, &batch[4], success()).await;
    let _ = cancel(store, &batch[5], None).await;
    batch
}

/// Whatever the size of a page, and whatever became of the orders.
pub async fn pages_hold_every_order_once_and_the_oldest_first(store: Arc<dyn OrderStore>) {
    assert_eq!(listed(&*store, OrderQuery::default(), 1).await, []);
    let batch = of_every_status(&*store).await;
    for size in [1, 2, 5, 6, 7, 500] {
        assert_eq!(listed(&*store, OrderQuery::default(), size).await, ids(&batch), "{size}");
    }
    let whole = OrderQuery { limit: PageSize::new(6).unwrap(), ..OrderQuery::default() };
    assert_eq!(store.list(&whole).await.unwrap().next, None, "nothing follows a last full page");
}

/// From `since` on, and before `until`.
pub async fn a_list_is_of_the_time_that_was_asked_for(store: Arc<dyn OrderStore>) {
    let batch = of_every_status(&*store).await;
    let asked = |since: usize, until: usize| OrderQuery {
        since: batch.get(since).map(|order| order.accepted_at),
        until: batch.get(until).map(|order| order.accepted_at),
        ..OrderQuery::default()
    };
    for (since, until) in [(0, 9), (2, 9), (9, 2), (1, 4), (3, 3), (4, 1)] {
        let expected = match (since, until) {
            (9, until) => ids(&batch[..until]),
            (since, 9) => ids(&batch[since..]),
            (since, until) => ids(batch.get(since..until).unwrap_or_default()),
        };
        let found = listed(&*store, asked(since, until), 2).await;
        assert_eq!(found, expected, "{since}..{until}");
    }
}

/// And of no other.
pub async fn a_list_is_of_the_status_that_was_asked_for(store: Arc<dyn OrderStore>) {
    let batch = of_every_status(&*store).await;
    for (status, which) in [
        (StatusName::Pending, vec![0]),
        (StatusName::Success, vec![1, 4]),
        (StatusName::Rejected, vec![2]),
        (StatusName::Failed, vec![3]),
        (StatusName::Cancelled, vec![5]),
    ] {
        let query = OrderQuery { status: Some(status), ..OrderQuery::default() };
        let expected: Vec<_> = which.into_iter().map(|i| batch[i].id).collect();
        assert_eq!(listed(&*store, query, 1).await, expected, "{status}");
    }
    let verdict = [redriven(&batch[3], success())];
    let _ = store.finish(&verdict).await.unwrap();
    let query = |status| OrderQuery { status: Some(status), ..OrderQuery::default() };
    let succeeded = [batch[1].id, batch[3].id, batch[4].id];
    assert_eq!(listed(&*store, query(StatusName::Success), 9).await, succeeded);
    assert_eq!(listed(&*store, query(StatusName::Failed), 9).await, []);
}

/// And of no other, by whichever way they came into the store.
pub async fn a_list_is_of_the_client_that_was_asked_for(store: Arc<dyn OrderStore>) {
    let (acme, globex): (ClientName, ClientName) =
        ("acme".parse().unwrap(), "globex".parse().unwrap());
    let mut batch = orders(6);
    for (n, client) in [(0, &acme), (1, &globex), (2, &acme), (4, &acme), (5, &acme)] {
        batch[n].client = Some(client.clone());
    }
    let _ = insert(&*store, &batch[..5], LONG).await;
    let _ = finish(&*store, &batch[2], success()).await;
    // The store learns of it from the broker.
    let _ = finish(&*store, &batch[5], rejected("too large")).await;
    for order in &batch {
        assert_eq!(store.order(order.id).await.unwrap().unwrap().client, order.client);
    }
    let its = |client: &ClientName, status| OrderQuery {
        of: Some(ListOf::Client(client.clone())),
        status,
        ..OrderQuery::default()
    };
    let of = |which: &[usize]| which.iter().map(|n| batch[*n].id).collect::<Vec<_>>();
    for size in [1, 3, 9] {
        assert_eq!(listed(&*store, its(&acme, None), size).await, of(&[0, 2, 4, 5]), "{size}");
    }
    assert_eq!(listed(&*store, its(&globex, None), 9).await, of(&[1]));
    assert_eq!(listed(&*store, its(&acme, Some(StatusName::Pending)), 9).await, of(&[0, 4]));
    assert_eq!(listed(&*store, its(&"initech".parse().unwrap(), None), 9).await, []);
    let behind = OrderQuery { since: Some(batch[4].accepted_at), ..its(&acme, None) };
    assert_eq!(listed(&*store, behind, 1).await, of(&[4, 5]));

    assert_eq!(store.archive(&of(&[2, 5])).await.unwrap(), 2);
    assert_eq!(listed(&*store, its(&acme, None), 9).await, of(&[0, 4]));
}

/// By the very text that an order's type has said, and by no part of it.
pub async fn orders_are_found_by_what_they_say(store: Arc<dyn OrderStore>) {
    let mut batch = orders(5);
    for (n, text) in [
        (0, "ada@example.org"),
        (1, "Ada@example.org"),
        (3, "ada@example.org"),
        (4, "ada@example.org"),
    ] {
        batch[n].found_by = Some(Label::new(text));
    }
    let _ = insert(&*store, &batch[..4], LONG).await;
    let _ = finish(&*store, &batch[3], success()).await;
    let _ = finish(&*store, &batch[4], success()).await;
    let found = |text: &str, status| OrderQuery {
        of: Some(ListOf::FoundBy(Label::new(text))),
        status,
        ..OrderQuery::default()
    };
    let of = |which: &[usize]| which.iter().map(|n| batch[*n].id).collect::<Vec<_>>();
    for size in [1, 9] {
        assert_eq!(listed(&*store, found("ada@example.org", None), size).await, of(&[0, 3, 4]));
    }
    let ended = Some(StatusName::Success);
    assert_eq!(listed(&*store, found("ada@example.org", ended), 9).await, of(&[3, 4]));
    for nothing in ["ada", "ada@example.org ' --", "", "%"] {
        assert_eq!(listed(&*store, found(nothing, None), 9).await, [], "{nothing}");
    }
    assert_eq!(store.archive(&of(&[3])).await.unwrap(), 1);
    assert_eq!(listed(&*store, found("ada@example.org", None), 9).await, of(&[0, 4]));
}

/// Whose orders are published in whose name.
pub async fn a_claimed_order_names_its_client(store: Arc<dyn OrderStore>) {
    let mut of_acme = order("train");
    of_acme.client = Some("acme".parse().unwrap());
    let _ = insert(&*store, std::slice::from_ref(&of_acme), Duration::ZERO).await;
    let claimed = store.claim_outbox(9, LONG).await.unwrap();
    assert_eq!(claimed, [of_acme]);
}

/// So that who pages meanwhile sees each of them once.
pub async fn orders_that_end_stay_where_they_are_in_the_list(store: Arc<dyn OrderStore>) {
    let batch = orders(4);
    let _ = insert(&*store, &batch, LONG).await;
    let mut query = OrderQuery { limit: PageSize::new(2).unwrap(), ..OrderQuery::default() };
    let first = store.list(&query).await.unwrap();
    let _ = finish(&*store, &batch[0], success()).await;
    let _ = finish(&*store, &batch[2], success()).await;
    query.after = first.next;
    let second = store.list(&query).await.unwrap();
    let found: Vec<_> = first.orders.iter().chain(&second.orders).map(|order| order.id).collect();
    assert_eq!(found, ids(&batch));
}

/// A page may end among them.
pub async fn orders_accepted_at_one_instant_are_paged_by_id(store: Arc<dyn OrderStore>) {
    let mut batch = orders(6);
    for order in &mut batch {
        order.accepted_at = datetime!(2026-11-29 06:00:00.000001 UTC);
    }
    let _ = insert(&*store, &batch, LONG).await;
    let _ = finish(&*store, &batch[3], success()).await;
    let mut expected = ids(&batch);
    expected.sort_unstable();
    for size in [1, 2, 6] {
        assert_eq!(listed(&*store, OrderQuery::default(), size).await, expected, "{size}");
    }
    let since = Some(batch[0].accepted_at);
    let at_once = OrderQuery { since, ..OrderQuery::default() };
    assert_eq!(listed(&*store, at_once, 4).await, expected);
    let behind = since.map(|since| since + time::Duration::nanoseconds(1));
    let none = OrderQuery { since: behind, ..OrderQuery::default() };
    assert_eq!(listed(&*store, none, 4).await, []);
}

/// As it is when it is asked for alone.
pub async fn a_listed_order_is_whole(store: Arc<dyn OrderStore>) {
    let _ = of_every_status(&*store).await;
    let unseen = order("never inserted");
    let _ = finish(&*store, &unseen, rejected("too large")).await;
    let page = store.list(&OrderQuery::default()).await.unwrap();
    assert_eq!(page.orders.len(), 7);
    for listed in page.orders {
        assert_eq!(store.order(listed.id).await.unwrap(), Some(listed));
    }
}

/// Times at which there was no shop yet, and none any more.
pub async fn any_time_can_be_asked_for(store: Arc<dyn OrderStore>) {
    let batch = of_every_status(&*store).await;
    let (first, last) = (datetime!(-9999-01-01 0:00 UTC), datetime!(9999-12-31 23:59:59 UTC));
    let asked = |since: OffsetDateTime, until: OffsetDateTime| OrderQuery {
        since: Some(since),
        until: Some(until),
        ..OrderQuery::default()
    };
    assert_eq!(listed(&*store, asked(first, last), 9).await, ids(&batch));
    assert_eq!(listed(&*store, asked(first, first), 9).await, []);
    assert_eq!(listed(&*store, asked(last, last), 9).await, []);
    assert_eq!(listed(&*store, asked(last, first), 9).await, []);
}
