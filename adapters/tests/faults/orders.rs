//! What the orders of a campaign ask for.

use std::fmt;

use serde_json::{Value, json};
use uuid::Uuid;

/// A type of order, the programs that serve it, and how its orders are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Orders {
    /// The shop's own: two plain fields.
    #[default]
    Toys,
    /// Lists, nested and optional fields, and names in other scripts: `nested/gift.rs`.
    Nested,
}

impl Orders {
    /// Returns those that `text` names: `toys`, `nested` or `both`.
    pub fn named(text: &str) -> Vec<Self> {
        match text {
            "toys" => vec![Self::Toys],
            "nested" => vec![Self::Nested],
            "both" => vec![Self::Toys, Self::Nested],
            other => panic!("orders are toys, nested or both, not {other}"),
        }
    }

    /// Returns the program that is an `order-service` or an `order-worker` for them.
    pub fn program(self, kind: &str) -> String {
        match self {
            Self::Toys => kind.to_owned(),
            Self::Nested => format!("nested-{kind}"),
        }
    }

    /// Returns what an order asks for that is known by `name`.
    pub fn details(self, name: &str) -> Value {
        match self {
            Self::Toys => json!({ "product": name }),
            Self::Nested => json!({
                "für": {"name": name, "street": null},
                "lines": [
                    {"что 🎁": "木馬 \"Rosinante\"\n", "grams": 0.1},
                    {"что 🎁": "кубики", "grams": 1e-7},
                ],
            }),
        }
    }

    /// Returns where in the details the name stands, as PostgreSQL wants to have it.
    pub fn name_at(self) -> &'static [&'static str] {
        match self {
            Self::Toys => &["product"],
            Self::Nested => &["für", "name"],
        }
    }

    /// Returns the message of an order, as a foreign program writes it.
    pub fn message(self, id: Uuid, name: &str) -> Vec<u8> {
        let mut message = self.details(name);
        message["order_id"] = json!(id);
        message.to_string().into_bytes()
    }
}

impl fmt::Display for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Toys => "toys",
            Self::Nested => "nested",
        })
    }
}
