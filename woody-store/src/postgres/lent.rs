use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use scopeguard::ScopeGuard;
use sqlx::postgres::PgConnection;
use sqlx::raw_sql;

use super::error::Error;
use super::kept::Held;
use super::servers::Chosen;

/// A connection that serves further calls only when its call has succeeded.
///
/// After an error or a dropped call its state is unknown, and a ping, as the pool would
/// do, waits for a server that may never reply. So it is closed, which also ends its
/// transaction.
pub(super) struct Lent {
    held: ScopeGuard<Held, fn(Held)>,
    server: Arc<Chosen>,
    in_transaction: bool,
}

impl Lent {
    pub(super) fn new(held: Held, server: Arc<Chosen>) -> Self {
        let close = |mut held: Held| held.connection.close_on_drop();
        Self { held: scopeguard::guard(held, close), server, in_transaction: false }
    }

    pub(super) fn server(&self) -> &Chosen {
        &self.server
    }

    /// Begins a transaction, unless one has begun.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        if !self.in_transaction {
            raw_sql("BEGIN").execute(&mut **self).await?;
            self.in_transaction = true;
        }
        Ok(())
    }

    /// Commits the transaction, if one has begun, and gives the connection back.
    pub(super) async fn done(mut self) -> Result<(), Error> {
        if self.in_transaction {
            raw_sql("COMMIT").execute(&mut *self).await?;
        }
        self.server.keep(ScopeGuard::into_inner(self.held));
        Ok(())
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.held.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.held.connection
    }
}
