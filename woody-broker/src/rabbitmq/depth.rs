//! How many messages a queue holds, when its leader confirms it.
//!
//! A passive declare of a quorum queue without a leader reports no messages and no
//! consumers, as that of an empty queue does (seen with 4.3.6). A `basic.get`, which
//! only a leader can answer, tells them apart. Without a leader the broker closes the
//! whole connection for it (541, or no answer at all), so it has a connection of its
//! own, for one look.

use std::time::Duration;

use futures::future::try_join_all;
use lapin::{
    Channel,
    options::{BasicGetOptions, BasicNackOptions},
};
use woody_core::ports::{BrokerError, Waiting};

use super::{
    error::{Fault, within},
    hosts::Hosts,
    topology::{Fill, Queue, Seen, Topology},
};

/// The leaders of a broker's queues.
pub(super) struct Leaders<'a> {
    pub(super) topology: &'a Topology,
    pub(super) hosts: &'a Hosts,
    pub(super) limit: Duration,
}

impl Leaders<'_> {
    /// Asks the leaders of those queues that seem to be empty, all at once, and corrects what was
    /// seen.
    ///
    /// A count that no leader confirms is an error: unknown is not empty.
    pub(super) async fn confirm(
        &self,
        seen: impl IntoIterator<Item = &mut Seen>,
    ) -> Result<(), BrokerError> {
        let empty = seen.into_iter().filter_map(|(queue, fill)| {
            let fill = fill.as_mut().filter(|fill| fill.messages == 0 && fill.consumers == 0);
            fill.map(|fill| (*queue, fill))
        });
        let empty: Vec<(Queue, &mut Fill)> = empty.collect();
        if empty.is_empty() {
            return Ok(());
        }
        let session = self.hosts.open("woody depth").await?;
        let channel = session.channel(self.limit).await?;
        let asked = empty.into_iter().map(async |(queue, fill)| {
            fill.messages = self.ask(&channel, queue).await.map_err(|error| {
                let queue = self.topology.name(queue).to_string();
                BrokerError::unavailable(Fault::NoLeader(queue, error.to_string()))
            })?;
            Ok::<_, BrokerError>(())
        });
        try_join_all(asked).await?;
        // In order, so that what was given back arrives.
        session.close(self.limit).await;
        Ok(())
    }

    /// Returns 0 when the leader says that there is nothing to get. A message that has
    /// arrived meanwhile is given back.
    async fn ask(&self, channel: &Channel, queue: Queue) -> Result<u32, BrokerError> {
        let get = channel.basic_get(self.topology.name(queue), BasicGetOptions::default());
        let Some(message) = within(self.limit, "asking a queue's leader", get).await? else {
            return Ok(0);
        };
        let back = BasicNackOptions { requeue: true, multiple: false };
        let nack = channel.basic_nack(message.delivery.delivery_tag, back);
        within(self.limit, "giving a message back", nack).await?;
        Ok(message.message_count.saturating_add(1))
    }
}

/// Returns what waits in all queues of orders.
///
/// How many consume from several queues is not known, only that nobody does: a consumer that takes
/// turns is not at each, and a quorum queue counts whoever holds a message that was taken singly,
/// or under a subscription that has ended (seen with 4.3.6).
pub(super) fn together(seen: &[Seen]) -> Waiting {
    let fills: Vec<Fill> = seen.iter().filter_map(|(_, fill)| *fill).collect();
    let consumers = match fills[..] {
        [only] => Some(u64::from(only.consumers)),
        _ if fills.iter().all(|fill| fill.consumers == 0) => Some(0),
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
            let seen = fills.iter().zip(0..).map(|(&(messages, consumers), number)| {
                (Queue::Orders(number), Some(Fill { messages, consumers }))
            });
            let seen: Vec<Seen> = seen.collect();
            assert_eq!(together(&seen), Waiting { messages, consumers });
        }
    }
}
