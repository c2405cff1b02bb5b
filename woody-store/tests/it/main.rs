//! The contract suites on every backend, and what is each backend's own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "memory")]
mod memory;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn orders(n: usize) -> Vec<woody_core::domain::NewOrder> {
    use woody_core::domain::{NewOrder, ProductName, Quantity};

    (0..n)
        .map(|i| NewOrder::new(ProductName::parse(&format!("toy {i}")).unwrap(), Quantity::ONE))
        .collect()
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
