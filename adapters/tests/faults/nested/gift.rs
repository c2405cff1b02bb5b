//! An order type as embedders have them: nested, with optional fields, and names in other scripts.

use serde::{Deserialize, Serialize};
use woody_core::domain::{Invalid, OrderDetails};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gift {
    #[serde(rename = "für")]
    to: Recipient,
    lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    name: String,
    #[serde(default)]
    street: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(rename = "что 🎁")]
    what: String,
    grams: f64,
}

impl OrderDetails for Gift {
    const NAME: &'static str = "gift";

    fn check(&self) -> Result<(), Invalid> {
        if self.lines.is_empty() {
            return Err(Invalid::new("lines", "must not be empty"));
        }
        Ok(())
    }
}
