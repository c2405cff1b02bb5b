//! The clauses of [`ProductStore`]'s contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::join_all;
use time::macros::datetime;

use super::{HARD_TEXTS, OrderType};
use crate::domain::{MAX_PARTS, NewProduct, Part, Parts, Product, ProductId, ProductName, now};
use crate::ports::{CatalogueSummary, ProductStore};

/// No clause is about orders.
pub const ORDER_TYPES: &[OrderType] = OrderType::ONE;

/// Runs every clause against what `fresh` returns.
#[macro_export]
macro_rules! product_store_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::product_store =>
            an_added_product_is_found_by_its_id
            an_unknown_product_is_none
            an_empty_catalogue_has_no_newest
            the_newest_is_what_was_added_last
            the_newest_of_a_name_is_found_among_its_namesakes
            a_name_is_matched_exactly
            the_same_id_twice_keeps_the_first
            pages_have_no_gaps_and_no_repeats
            a_page_stays_where_it_is_when_products_come
            an_unknown_cursor_gives_the_first_page
            behind_the_oldest_there_is_nothing
            a_page_takes_no_more_than_its_limit
            parts_survive_in_their_order
            every_character_of_a_name_survives
            times_survive_to_the_microsecond
            fifty_adds_of_one_id_at_once_are_one_product
            products_added_at_once_are_all_there
        }
    };
}

fn product(name: &str) -> NewProduct {
    NewProduct {
        id: ProductId::fresh(),
        name: ProductName::parse(name).unwrap(),
        parts: Parts::default(),
        created_at: now(),
    }
}

/// Adds `n` products and returns them, the newest first, as pages are.
async fn filled(store: &dyn ProductStore, n: usize) -> Vec<Product> {
    let mut added = Vec::new();
    for i in 0..n {
        let product = product(&format!("toy {i}"));
        store.add(&product).await.unwrap();
        added.insert(0, product);
    }
    added
}

/// What is added is read back whole.
pub async fn an_added_product_is_found_by_its_id(store: Arc<dyn ProductStore>) {
    let (train, boat) = (product("train"), product("boat"));
    store.add(&train).await.unwrap();
    store.add(&boat).await.unwrap();
    assert_eq!(store.product(train.id).await.unwrap(), Some(train));
    assert_eq!(store.product(boat.id).await.unwrap(), Some(boat));
}

/// By id or by name, what was never added is not there.
pub async fn an_unknown_product_is_none(store: Arc<dyn ProductStore>) {
    store.add(&product("train")).await.unwrap();
    assert_eq!(store.product(ProductId::fresh()).await.unwrap(), None);
    let boat = ProductName::parse("boat").unwrap();
    assert_eq!(store.newest_named(&boat).await.unwrap(), None);
}

/// Nothing, counted, listed and asked for.
pub async fn an_empty_catalogue_has_no_newest(store: Arc<dyn ProductStore>) {
    assert_eq!(store.summary().await.unwrap(), CatalogueSummary { count: 0, newest: None });
    assert_eq!(store.page(None, 10).await.unwrap(), []);
    assert_eq!(store.page(Some(ProductId::fresh()), 10).await.unwrap(), []);
}

/// Neither the stamp nor the id decides: both are the caller's.
pub async fn the_newest_is_what_was_added_last(store: Arc<dyn ProductStore>) {
    let late_id = ProductId::from(uuid::Uuid::max());
    let tomorrow = now() + time::Duration::days(1);
    let first = NewProduct { id: late_id, created_at: tomorrow, ..product("first") };
    let second = product("second");
    store.add(&first).await.unwrap();
    assert_eq!(
        store.summary().await.unwrap(),
        CatalogueSummary { count: 1, newest: Some(first.clone()) }
    );
    store.add(&second).await.unwrap();
    assert_eq!(
        store.summary().await.unwrap(),
        CatalogueSummary { count: 2, newest: Some(second.clone()) }
    );
    assert_eq!(store.page(None, 10).await.unwrap(), [second, first]);
}

/// Several products share a name; the one added last is found by it.
pub async fn the_newest_of_a_name_is_found_among_its_namesakes(store: Arc<dyn ProductStore>) {
    let yesterday = now() - time::Duration::days(1);
    let old = product("train");
    let new = NewProduct { created_at: yesterday, ..product("train") };
    for product in [&old, &new, &product("boat")] {
        store.add(product).await.unwrap();
    }
    assert_eq!(store.newest_named(&new.name).await.unwrap(), Some(new.clone()));
    assert_eq!(store.product(old.id).await.unwrap(), Some(old));
    assert_eq!(store.summary().await.unwrap().count, 3);
}

/// Case, accents, their composition and wildcards all tell names apart.
pub async fn a_name_is_matched_exactly(store: Arc<dyn ProductStore>) {
    for name in ["Train", "trains", "tra", "traïn", "train\u{200b}", "é"] {
        store.add(&product(name)).await.unwrap();
    }
    for name in ["train", "tr%", "t_ain", "e\u{301}", "TRAIN"] {
        let name = ProductName::parse(name).unwrap();
        assert_eq!(store.newest_named(&name).await.unwrap(), None, "{name}");
    }
}

/// An add that is sent again changes nothing, not even what is newest.
pub async fn the_same_id_twice_keeps_the_first(store: Arc<dyn ProductStore>) {
    let (first, second) = (product("first"), product("second"));
    store.add(&first).await.unwrap();
    store.add(&second).await.unwrap();
    store.add(&NewProduct { id: first.id, ..product("changed") }).await.unwrap();
    store.add(&first).await.unwrap();
    assert_eq!(store.product(first.id).await.unwrap(), Some(first.clone()));
    let changed = ProductName::parse("changed").unwrap();
    assert_eq!(store.newest_named(&changed).await.unwrap(), None);
    assert_eq!(
        store.summary().await.unwrap(),
        CatalogueSummary { count: 2, newest: Some(second.clone()) }
    );
    assert_eq!(store.page(None, 10).await.unwrap(), [second, first]);
}

/// Page by page is the same as all at once, whatever the size of a page.
pub async fn pages_have_no_gaps_and_no_repeats(store: Arc<dyn ProductStore>) {
    // More than a catalogue ever asks for at once.
    let all = filled(&*store, 205).await;
    assert_eq!(store.page(None, 1_000).await.unwrap(), all);
    for limit in [1, 2, 3, 100, 201, 202, 204, 205, 206] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.page(after, limit).await.unwrap();
            after = page.last().map(|product| product.id);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        assert_eq!(seen, all, "in pages of {limit}");
    }
}

/// A reader in the middle of the catalogue does not notice new products.
pub async fn a_page_stays_where_it_is_when_products_come(store: Arc<dyn ProductStore>) {
    let all = filled(&*store, 4).await;
    let first = store.page(None, 2).await.unwrap();
    assert_eq!(first, all[..2]);
    store.add(&product("new")).await.unwrap();
    assert_eq!(store.page(Some(first[1].id), 2).await.unwrap(), all[2..]);
}

/// A cursor from another shop is no error.
pub async fn an_unknown_cursor_gives_the_first_page(store: Arc<dyn ProductStore>) {
    let all = filled(&*store, 3).await;
    for unknown in [uuid::Uuid::nil(), uuid::Uuid::max(), uuid::Uuid::new_v4()] {
        assert_eq!(store.page(Some(unknown.into()), 2).await.unwrap(), all[..2]);
    }
}

/// The last cursor leads to an empty page, not to the first one again.
pub async fn behind_the_oldest_there_is_nothing(store: Arc<dyn ProductStore>) {
    let all = filled(&*store, 3).await;
    assert_eq!(store.page(Some(all[2].id), 10).await.unwrap(), []);
    assert_eq!(store.page(Some(all[1].id), 10).await.unwrap(), all[2..]);
}

/// A limit is a limit, also at its ends.
pub async fn a_page_takes_no_more_than_its_limit(store: Arc<dyn ProductStore>) {
    let all = filled(&*store, 3).await;
    assert_eq!(store.page(None, 0).await.unwrap(), []);
    assert_eq!(store.page(Some(all[0].id), 0).await.unwrap(), []);
    assert_eq!(store.page(None, 1).await.unwrap(), all[..1]);
    assert_eq!(store.page(None, usize::MAX).await.unwrap(), all);
    assert_eq!(store.page(Some(all[0].id), usize::MAX).await.unwrap(), all[1..]);
}

/// The longest cutting list comes back as it was given, its grain too.
pub async fn parts_survive_in_their_order(store: Arc<dyn ProductStore>) {
    let parts = (0..u32::try_from(MAX_PARTS).unwrap())
        .map(|i| Part {
            name: ProductName::parse(&format!("{} {i}", HARD_TEXTS[i as usize % 3])).unwrap(),
            width_mm: 10_000 - i,
            height_mm: 1 + i,
            count: 1 + i % 5,
            grain: i % 2 == 1,
        })
        .collect();
    let train = NewProduct { parts: Parts::new(parts).unwrap(), ..product("train") };
    store.add(&train).await.unwrap();
    assert_eq!(store.product(train.id).await.unwrap(), Some(train.clone()));
    assert_eq!(store.newest_named(&train.name).await.unwrap(), Some(train.clone()));
    assert_eq!(store.summary().await.unwrap().newest, Some(train.clone()));
    assert_eq!(store.page(None, 1).await.unwrap(), [train]);
}

/// Quotes, backslashes, other scripts, 200 characters: found by id and by name.
pub async fn every_character_of_a_name_survives(store: Arc<dyn ProductStore>) {
    for text in HARD_TEXTS {
        let hard = product(text);
        store.add(&hard).await.unwrap();
        assert_eq!(store.product(hard.id).await.unwrap(), Some(hard.clone()));
        assert_eq!(store.newest_named(&hard.name).await.unwrap(), Some(hard), "{text}");
    }
}

/// Microseconds are kept, what is finer is cut off, the instant is what counts.
pub async fn times_survive_to_the_microsecond(store: Arc<dyn ProductStore>) {
    for (given, kept) in [
        (datetime!(2026-11-23 19:12:00.123456 UTC), datetime!(2026-11-23 19:12:00.123456 UTC)),
        (datetime!(2026-11-23 19:12:00.999999999 UTC), datetime!(2026-11-23 19:12:00.999999 UTC)),
        (datetime!(2026-11-23 19:12:00.5 -03:30), datetime!(2026-11-23 22:42:00.5 UTC)),
        (datetime!(1969-12-31 23:59:59.5 UTC), datetime!(1969-12-31 23:59:59.5 UTC)),
    ] {
        let stamped = NewProduct { created_at: given, ..product("train") };
        store.add(&stamped).await.unwrap();
        let read = store.product(stamped.id).await.unwrap().unwrap().created_at;
        assert_eq!((read, read.offset()), (kept, time::UtcOffset::UTC));
    }
}

/// One product, added by fifty tasks that each believe to be the first.
pub async fn fifty_adds_of_one_id_at_once_are_one_product(store: Arc<dyn ProductStore>) {
    let train = product("train");
    let callers = (0..50).map(|_| {
        let (store, train) = (store.clone(), train.clone());
        tokio::spawn(async move { store.add(&train).await.unwrap() })
    });
    for caller in join_all(callers).await {
        caller.unwrap();
    }
    assert_eq!(
        store.summary().await.unwrap(),
        CatalogueSummary { count: 1, newest: Some(train.clone()) }
    );
    assert_eq!(store.page(None, 10).await.unwrap(), [train]);
}

/// Fifty products, added by fifty tasks: each is counted and listed once.
pub async fn products_added_at_once_are_all_there(store: Arc<dyn ProductStore>) {
    let all: Vec<_> = (0..50).map(|i| product(&format!("toy {i}"))).collect();
    let callers = all.iter().map(|product| {
        let (store, product) = (store.clone(), product.clone());
        tokio::spawn(async move { store.add(&product).await.unwrap() })
    });
    for caller in join_all(callers).await {
        caller.unwrap();
    }
    let summary = store.summary().await.unwrap();
    let page = store.page(None, 100).await.unwrap();
    assert_eq!((summary.count, page.len()), (50, 50));
    assert_eq!(summary.newest.as_ref(), page.first());
    let listed: BTreeSet<_> = page.iter().map(|product| product.id).collect();
    assert_eq!(listed, all.iter().map(|product| product.id).collect());
}

#[cfg(test)]
mod tests {
    use crate::contract::unlisted_clauses;

    #[test]
    fn every_clause_is_in_the_macro() {
        let suite = include_str!("product_store.rs");
        assert_eq!(unlisted_clauses(suite, &[suite]), [""; 0]);
    }
}
