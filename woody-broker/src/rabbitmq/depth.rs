//! How deep a queue is, when somebody knows.
//!
//! To a passive declare a quorum queue without a leader answers that it is empty and
//! has no consumers, as an empty one does (seen with 4.3.6). What only a leader can
//! answer tells them apart: that there is nothing to get. Without a leader the broker
//! ends the whole connection for asking (541, or no answer at all), so the question has
//! a connection of its own, for as long as one look takes.

use std::time::Duration;

use lapin::{
    Channel,
    options::{BasicGetOptions, BasicNackOptions},
};
use woody_core::ports::BrokerError;

use super::{
    address::Address,
    error::{Fault, within},
    session::Session,
    topology::{Fill, Place, Topology},
};

/// One look at all queues.
pub(super) struct DepthLook<'a> {
    topology: &'a Topology,
    address: &'a Address,
    limit: Duration,
    asking: Option<(Session, Channel)>,
}

impl<'a> DepthLook<'a> {
    pub(super) fn new(topology: &'a Topology, address: &'a Address, limit: Duration) -> Self {
        Self { topology, address, limit, asking: None }
    }

    /// How full a queue is; `None` when it does not exist.
    ///
    /// An answer that nobody vouches for is an error: unknown is not empty.
    pub(super) async fn fill(
        &mut self,
        session: &Session,
        place: Place,
    ) -> Result<Option<Fill>, BrokerError> {
        match self.topology.fill(session, place).await? {
            Some(Fill { messages: 0, consumers: 0 }) => {
                let messages = self.ask_leader(place).await.map_err(|error| {
                    let queue = self.topology.name(place).to_string();
                    BrokerError::unavailable(Fault::NoLeader(queue, error.to_string()))
                })?;
                Ok(Some(Fill { messages, consumers: 0 }))
            }
            fill => Ok(fill),
        }
    }

    /// Returns 0 when the leader says that there is nothing to get. A message that has
    /// come meanwhile goes back.
    async fn ask_leader(&mut self, place: Place) -> Result<u32, BrokerError> {
        let (limit, queue) = (self.limit, self.topology.name(place));
        let channel = self.channel().await?;
        let get = channel.basic_get(queue, BasicGetOptions::default());
        let Some(message) = within(limit, "asking a queue's leader", get).await? else {
            return Ok(0);
        };
        let back = BasicNackOptions { requeue: true, multiple: false };
        let nack = channel.basic_nack(message.delivery.delivery_tag, back);
        within(limit, "giving a message back", nack).await?;
        Ok(message.message_count.saturating_add(1))
    }

    async fn channel(&mut self) -> Result<&Channel, BrokerError> {
        let asking = if let Some(asking) = self.asking.take() {
            asking
        } else {
            let session = Session::open(self.address, "woody depth".into()).await?;
            let channel = session.channel(self.limit).await?;
            (session, channel)
        };
        Ok(&self.asking.insert(asking).1)
    }

    /// Says goodbye, so that what was given back arrives.
    pub(super) async fn end(self) {
        if let Some((session, _)) = self.asking {
            session.close(self.limit).await;
        }
    }
}
