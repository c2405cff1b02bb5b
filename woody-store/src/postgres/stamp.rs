use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};
use time::{Duration, OffsetDateTime, macros::datetime};

/// What PostgreSQL counts from.
const EPOCH: OffsetDateTime = datetime!(2000-01-01 0:00 UTC);

/// A time of an order. One that cannot be told, such as `infinity`, is an error: the driver
/// would panic, and with it whatever reads other orders beside.
pub(super) struct Stamp(pub(super) OffsetDateTime);

impl Type<Postgres> for Stamp {
    fn type_info() -> PgTypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Stamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<Postgres>>::decode(value)?;
        let at = EPOCH.checked_add(Duration::microseconds(micros));
        at.map(Self).ok_or_else(|| format!("a time {micros} us from 2000").into())
    }
}
