use time::OffsetDateTime;

use super::{Parts, ProductId, ProductName};

/// A product as it is put into the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProduct {
    /// Its id, chosen by the caller that adds it.
    pub id: ProductId,
    /// Its name; several products may share one.
    pub name: ProductName,
    /// What it is cut from.
    pub parts: Parts,
    /// When it was added.
    pub created_at: OffsetDateTime,
}

/// A product of the catalogue.
///
/// The same as what was added: the catalogue changes nothing.
pub type Product = NewProduct;
