//! The connections of one broker.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{RabbitMqOptions, connection::Link, hosts::Hosts};

/// Starts the connections of one broker, and keeps those that consume.
///
/// Each queue of orders is consumed over a connection of its own: one without a leader ends the
/// connection on which it is asked for messages, and the others go on.
pub(super) struct Links {
    pub(super) hosts: Arc<Hosts>,
    pub(super) options: RabbitMqOptions,
    pub(super) cancel: CancellationToken,
    pub(super) tasks: TaskTracker,
    news: Arc<Notify>,
    consuming: Mutex<Vec<Arc<Link>>>,
}

impl Links {
    pub(super) fn new(hosts: Arc<Hosts>, options: RabbitMqOptions) -> Self {
        Self {
            hosts,
            options,
            cancel: CancellationToken::new(),
            tasks: TaskTracker::new(),
            news: Arc::default(),
            consuming: Mutex::default(),
        }
    }

    /// Starts a connection for one purpose.
    pub(super) fn start(&self, purpose: &'static str) -> Arc<Link> {
        let hosts = Arc::clone(&self.hosts);
        Link::start(purpose, hosts, &self.options, &self.news, &self.cancel, &self.tasks)
    }

    /// Returns the connection over which a queue of orders is consumed.
    pub(super) fn consuming(&self, number: u16) -> Arc<Link> {
        let mut consuming = self.consuming.lock().unwrap_or_else(PoisonError::into_inner);
        while consuming.len() <= usize::from(number) {
            consuming.push(self.start("consume"));
        }
        Arc::clone(&consuming[usize::from(number)])
    }
}
