//! The terms of the shop, as types that cannot hold a wrong value.
//!
//! A value of these types has been checked once, where it came in; nothing
//! behind that point checks it again.

mod act;
mod client_name;
mod details;
mod fields;
mod id;
mod invalid;
mod label;
mod line;
mod message;
mod notice;
mod order;
mod part;
mod pause;
mod pool_use;
mod product;
mod product_name;
mod quantity;
mod reason;
mod stamp;
mod status;
mod toy;
mod trace;
mod validation;

pub use act::{Act, ActId, ActResult, NewAct};
pub use client_name::{ClientName, NoClientName};
pub use details::{Details, DetailsError, OrderDetails};
pub use id::{IdempotencyKey, OrderId, ProductId};
pub use invalid::Invalid;
pub use label::Label;
pub use message::{MalformedMessage, OrderMessage};
pub use notice::{NoticeId, SubscriptionName};
pub use order::{NewOrder, Order, now};
pub use part::{MAX_PARTS, MAX_SIDE_MM, Part, Parts};
pub use pause::Pause;
pub use pool_use::PoolUse;
pub use product::{NewProduct, Product};
pub use product_name::ProductName;
pub use quantity::Quantity;
pub use reason::Reason;
pub use stamp::python_stamp;
pub use status::{OrderStatus, Outcome, StatusName, Superseded};
pub use toy::ToyOrder;
pub use trace::TraceContext;
pub use validation::{AfterFailure, FailedAttempt, Validation};
