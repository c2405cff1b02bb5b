//! How many messages a queue holds, when its leader confirms it.
//!
//! A passive declare of a quorum queue without a leader reports no messages and no
//! consumers, as that of an empty queue does (seen with 4.3.6). A `basic.get`, which
//! only a leader can answer, tells them apart. Without a leader the broker closes the
//! whole connection for it (541, or no answer at all), so it has a connection of its
//! own, for one look.

use std::time::Duration;

use lapin::{
    Channel,
    options::{BasicGetOptions, BasicNackOptions},
};
use woody_core::ports::{BrokerError, Waiting};

use super::{
    error::{Fault, within},
    hosts::Hosts,
    session::Session,
    topology::{Fill, Queue, Topology},
};

/// One look at all queues.
pub(super) struct DepthLook<'a> {
    topology: &'a Topology,
    hosts: &'a Hosts,
    limit: Duration,
    asking: Option<(Session, Channel)>,
}

impl<'a> DepthLook<'a> {
    pub(super) fn new(topology: &'a Topology, hosts: &'a Hosts, limit: Duration) -> Self {
        Self { topology, hosts, limit, asking: None }
    }

    /// Returns how full a queue is; `None` when it does not exist.
    ///
    /// A count that no leader confirms is an error: unknown is not empty.
    pub(super) async fn fill(
        &mut self,
        session: &Session,
        queue: Queue,
    ) -> Result<Option<Fill>, BrokerError> {
        match self.topology.fill(session, queue).await? {
            Some(Fill { messages: 0, consumers: 0 }) => {
                let messages = self.ask_leader(queue).await.map_err(|error| {
                    let queue = self.topology.name(queue).to_string();
                    BrokerError::unavailable(Fault::NoLeader(queue, error.to_string()))
                })?;
                Ok(Some(Fill { messages, consumers: 0 }))
            }
            fill => Ok(fill),
        }
    }

    /// Returns 0 when the leader says that there is nothing to get. A message that has
    /// arrived meanwhile is given back.
    async fn ask_leader(&mut self, queue: Queue) -> Result<u32, BrokerError> {
        let (limit, queue) = (self.limit, self.topology.name(queue));
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
            let session = self.hosts.open("woody depth").await?;
            let channel = session.channel(self.limit).await?;
            (session, channel)
        };
        Ok(&self.asking.insert(asking).1)
    }

    /// Closes the connection in order, so that what was given back arrives.
    pub(super) async fn end(self) {
        if let Some((session, _)) = self.asking {
            session.close(self.limit).await;
        }
    }
}

/// Returns what waits in all queues of orders.
///
/// How many consume from several queues is not known, only that nobody does: a consumer that takes
/// turns is not at each, and a quorum queue counts whoever holds a message that was taken singly,
/// or under a subscription that has ended (seen with 4.3.6).
pub(super) fn together(fills: &[Fill]) -> Waiting {
    let consumers = match fills {
        [only] => Some(u64::from(only.consumers)),
        fills if fills.iter().all(|fill| fill.consumers == 0) => Some(0),
        _ => None,
    };
    Waiting { messages: fills.iter().map(|fill| u64::from(fill.messages)).sum(), consumers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_add_up_and_consumers_of_several_queues_are_not_known() {
        for (fills, messages, consumers) in [
            (&[][..], 0, Some(0)),
            (&[(3, 2)], 3, Some(2)),
            (&[(3, 0), (4, 0)], 7, Some(0)),
            (&[(3, 0), (4, 2)], 7, None),
        ] {
            let fills: Vec<Fill> =
                fills.iter().map(|&(messages, consumers)| Fill { messages, consumers }).collect();
            assert_eq!(together(&fills), Waiting { messages, consumers });
        }
    }
}
