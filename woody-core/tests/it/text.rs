//! Types that are read from text, read by `FromStr` as by their `parse`.

use std::{fmt::Display, str::FromStr};

use woody_core::domain::{IdempotencyKey, OrderId, ProductId, ProductName, Quantity};
use woody_core::workshop::Sheet;

fn reads<T: FromStr<Err: Display>>(good: &[&str], bad: &[&str], says: &str) {
    for text in good {
        assert!(text.parse::<T>().is_ok(), "{text:?}");
    }
    for text in bad {
        match text.parse::<T>() {
            Ok(_) => panic!("{text:?} is read"),
            Err(error) => assert!(error.to_string().starts_with(says), "{error}"),
        }
    }
}

#[test]
fn what_is_read_from_text_is_read_as_by_parse() {
    let id = "0199f3c1-7d2e-7c3a-9d51-0242ac120002";
    reads::<OrderId>(&[id, &id.to_uppercase()], &["", "7"], "order_id must be a UUID");
    reads::<ProductId>(&[id], &["", "7"], "product_id must be a UUID");
    reads::<ProductName>(&["Train", " a "], &["", "\n", &"x".repeat(201)], "product must");
    reads::<IdempotencyKey>(&["cart-42"], &["", "é"], "Idempotency-Key must be");
    reads::<Quantity>(&["1", " 1000 "], &["", "0", "1001", "1.5", "many"], "quantity must be");
    reads::<Sheet>(&["board:2440x1220"], &["board", "board:1x"], "sheet must look like");
}

#[test]
fn what_is_shown_is_read_again() {
    let name = ProductName::parse("Train").unwrap();
    assert_eq!(name.to_string().parse(), Ok(name));
    let key = IdempotencyKey::parse("cart 42").unwrap();
    assert_eq!(key.as_str(), "cart 42");
    assert_eq!(key.to_string().parse(), Ok(key));
    let id = OrderId::fresh();
    assert_eq!(id.to_string().parse(), Ok(id));
    assert_eq!(Quantity::MAX.to_string().parse(), Ok(Quantity::MAX));
}
