//! The contract suites on every backend, and what is each backend's own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn orders(n: usize) -> Vec<woody_core::domain::NewOrder<woody_core::domain::Details>> {
    (0..n).map(|i| woody_core::contract::toy(&format!("toy {i}"))).collect()
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn product(name: &str) -> woody_core::domain::NewProduct {
    use woody_core::domain::{NewProduct, Parts, ProductId, ProductName, now};

    NewProduct {
        id: ProductId::fresh(),
        name: ProductName::parse(name).unwrap(),
        parts: Parts::default(),
        created_at: now(),
    }
}
