//! Validators that come with the shop, and how they compose.
