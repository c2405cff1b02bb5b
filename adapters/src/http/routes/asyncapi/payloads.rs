//! Messages as they are written elsewhere. These only describe them, and tests hold real ones
//! against their schemas.
#![expect(dead_code, reason = "only shows how messages are written")]

use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::openapi::{OrderWord, ToyOrderView};

/// Collects the schemas, those that they refer to included.
#[derive(utoipa::OpenApi)]
#[openapi(components(schemas(
    QueuedOrder,
    OrderHeaders,
    RetryHeaders,
    DeadLetterHeaders,
    StatusChanges,
    StreamFields,
    ToyOrderView,
    WebhookHeaders,
    OrderEnded,
)))]
pub(super) struct Schemas;

/// An order on the queue. Fields that are not named here are kept with it, and passed over.
#[derive(ToSchema)]
struct QueuedOrder {
    /// Its id: the same id is the same order, however often it comes.
    order_id: Uuid,
    /// What is ordered: 1 to 200 characters after trimming, no control characters.
    #[schema(min_length = 1, max_length = 200)]
    product: String,
    /// How many pieces; one when it is left out.
    #[schema(minimum = 1, maximum = 1_000, default = 1)]
    quantity: Option<u16>,
    /// When it was accepted, UTC; when it is taken up, if it is left out.
    accepted_at: Option<OffsetDateTime>,
}

/// The headers of an order.
#[derive(ToSchema)]
struct OrderHeaders {
    /// The trace that the order belongs to, as W3C Trace Context has it.
    #[schema(pattern = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
    traceparent: Option<String>,
    /// Who has placed the order, where clients have keys.
    #[schema(rename = "x-woody-client", pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    client: Option<String>,
    /// Attempts that were counted; none is 0.
    #[schema(rename = "x-woody-attempts", minimum = 0)]
    attempts: Option<u32>,
    /// Why it comes again.
    #[schema(rename = "x-woody-reason")]
    reason: Option<String>,
    /// Whether an operator has redriven it, so that it may end an order that has failed.
    #[schema(rename = "x-woody-redriven")]
    redriven: Option<bool>,
}

/// The headers of an order that waits for its next attempt, beside its own. Its `expiration` is the
/// delay.
#[derive(ToSchema)]
struct RetryHeaders {
    /// The trace that the order belongs to, as W3C Trace Context has it.
    #[schema(pattern = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
    traceparent: Option<String>,
    /// Who has placed the order, where clients have keys.
    #[schema(rename = "x-woody-client", pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    client: Option<String>,
    /// Attempts that were counted.
    #[schema(rename = "x-woody-attempts", minimum = 0)]
    attempts: u32,
    /// Why it comes again.
    #[schema(rename = "x-woody-reason")]
    reason: String,
    /// Whether an operator has redriven it.
    #[schema(rename = "x-woody-redriven")]
    redriven: Option<bool>,
}

/// The headers of a dead letter that a worker wrote, beside its own. Its `message_id` is its own:
/// an order may die more than once.
#[derive(ToSchema)]
struct DeadLetterHeaders {
    /// The trace that the order belongs to, as W3C Trace Context has it.
    #[schema(pattern = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
    traceparent: Option<String>,
    /// Who has placed the order, where clients have keys.
    #[schema(rename = "x-woody-client", pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    client: Option<String>,
    /// Attempts that were counted.
    #[schema(rename = "x-woody-attempts", minimum = 0)]
    attempts: u32,
    /// Why it was given up.
    #[schema(rename = "x-woody-reason")]
    reason: String,
    /// When it was given up, UTC.
    #[schema(rename = "x-woody-died-at")]
    died_at: OffsetDateTime,
    /// Whether an operator had redriven it.
    #[schema(rename = "x-woody-redriven")]
    redriven: Option<bool>,
}

/// Orders that have changed, in about the order in which they did.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 256)]
struct StatusChanges(Vec<StatusChange>);

/// An order has changed to this status.
#[derive(ToSchema)]
struct StatusChange {
    /// The order.
    order_id: Uuid,
    /// Where it stands.
    status: OrderWord,
    /// Why, or the plan's figures.
    reason: Option<String>,
}

/// The fields of a server-sent event beside its data.
#[derive(ToSchema)]
struct StreamFields {
    /// The event's name.
    event: StreamEvent,
    /// What to send as `Last-Event-ID` when coming back: of one order its status, of several a
    /// number for their list and a letter for each.
    id: String,
}

/// The names of events.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
enum StreamEvent {
    /// How an order stands.
    Status,
}

/// The headers of a webhook, beside those of HTTP.
#[derive(ToSchema)]
struct WebhookHeaders {
    /// The same in every attempt to tell this end.
    #[schema(rename = "webhook-id")]
    id: String,
    /// When this attempt was signed, in seconds since 1970.
    #[schema(rename = "webhook-timestamp", pattern = "^[0-9]+$")]
    timestamp: String,
    /// `v1,` and HMAC-SHA256 of id, timestamp and body with a dot between them, in Base64; two of
    /// these with a space between them while two secrets are valid.
    #[schema(
        rename = "webhook-signature",
        pattern = "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$"
    )]
    signature: String,
    /// The trace that the order belongs to, as W3C Trace Context has it.
    #[schema(pattern = "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$")]
    traceparent: Option<String>,
}

/// How an order has ended.
#[derive(ToSchema)]
struct OrderEnded {
    /// `order.` and the status.
    #[schema(rename = "type")]
    kind: EndKind,
    /// When it ended.
    timestamp: OffsetDateTime,
    /// The order as it ended.
    data: ToyOrderView,
}

/// What has happened.
#[derive(ToSchema)]
enum EndKind {
    /// It can be made.
    #[schema(rename = "order.success")]
    Success,
    /// It cannot be made.
    #[schema(rename = "order.rejected")]
    Rejected,
    /// It could not be validated.
    #[schema(rename = "order.failed")]
    Failed,
    /// It was taken back.
    #[schema(rename = "order.cancelled")]
    Cancelled,
}
