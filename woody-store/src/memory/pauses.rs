use async_trait::async_trait;
use woody_core::domain::{Label, Pause, Reason, now};
use woody_core::ports::{Pauses, StoreError};

use super::MemoryStore;
use crate::stamp::whole_micros;

#[async_trait]
impl Pauses for MemoryStore {
    async fn pause(&self, by: &Label, because: Option<Reason>) -> Result<Pause, StoreError> {
        let mut pause = self.open(&self.pause)?;
        let new = || Pause { since: whole_micros(now()), by: by.clone(), because };
        Ok(pause.get_or_insert_with(new).clone())
    }

    async fn resume(&self) -> Result<Option<Pause>, StoreError> {
        Ok(self.open(&self.pause)?.take())
    }

    async fn current(&self) -> Result<Option<Pause>, StoreError> {
        Ok(self.open(&self.pause)?.clone())
    }
}
