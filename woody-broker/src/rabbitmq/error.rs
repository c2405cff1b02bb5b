//! From lapin's and the broker's errors to what the caller can do about them.

use std::{sync::Arc, time::Duration};

use lapin::{ErrorKind, protocol::AMQPErrorKind};
use woody_core::ports::{BrokerError, SettleError};

/// Errors that this backend finds itself.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    #[error("no response to {what} within {limit:?}")]
    TimedOut { what: &'static str, limit: Duration },
    #[error("the broker blocks publishers: its memory or its disk is full")]
    Blocked,
    #[error("the connection to the broker ended")]
    ConnectionEnded,
    #[error("there is no queue {0}")]
    NoQueue(String),
    #[error("the queue {0} did not take the message: it is full, or its leader is unavailable")]
    Nacked(String),
    #[error(
        "there is no {what} {name}, and this user may not make it ({said}): give the user the right to \
         configure {name}, or have it made by one who may"
    )]
    MayNotMake { what: &'static str, name: String, said: String },
    #[error("it is not known how many messages {0} holds, its leader does not respond: {1}")]
    NoLeader(String, String),
    #[error("the channel does not confirm")]
    Unconfirmed,
    #[error("the numbers of this connection's channels are used up: it is opened anew")]
    ChannelsUsedUp,
}

impl From<Fault> for BrokerError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NoQueue(_)
            | Fault::Nacked(_)
            | Fault::MayNotMake { .. }
            | Fault::Unconfirmed => Self::refused(fault),
            Fault::TimedOut { .. }
            | Fault::Blocked
            | Fault::ConnectionEnded
            | Fault::NoLeader(..)
            | Fault::ChannelsUsedUp => Self::unavailable(fault),
        }
    }
}

/// Why a connection is down, for all calls until it is up again.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    refused: bool,
    text: Arc<str>,
}

impl Cause {
    pub(super) fn of(error: &BrokerError) -> Self {
        let refused = matches!(error, BrokerError::Refused(_));
        let text = match error {
            BrokerError::Unavailable(source) | BrokerError::Refused(source) => source.to_string(),
            other => other.to_string(),
        };
        Self { refused, text: text.into() }
    }

    pub(super) fn to_error(&self) -> BrokerError {
        let text = self.text.to_string();
        if self.refused { BrokerError::refused(text) } else { BrokerError::unavailable(text) }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Judges an error of lapin's: the broker is unavailable, or refuses.
pub(super) fn broker_error(error: lapin::Error) -> BrokerError {
    let refused = match error.kind() {
        ErrorKind::ProtocolError(reply) => refuses(reply.get_id()),
        ErrorKind::InvalidProtocolVersion(_)
        | ErrorKind::AuthProviderError(_)
        | ErrorKind::ChannelsLimitReached => true,
        // Broken and refused connections, missed heartbeats, closed channels: in all of
        // these the broker has refused nothing.
        _ => false,
    };
    if refused { BrokerError::refused(error) } else { BrokerError::unavailable(error) }
}

/// Whether one of AMQP's reply codes stays the same until an operator acts.
fn refuses(code: u16) -> bool {
    match code {
        311        // content too large
        | 312      // no route
        | 402      // invalid path: there is no such virtual host
        | 403      // access refused
        | 404      // not found
        | 405      // resource locked
        | 406      // precondition failed
        | 530      // not allowed
        | 540 => true, // not implemented
        // 313 no consumers, 320 connection forced, 5xx: the broker is in trouble.
        _ => false,
    }
}

/// Whether the broker replied with this code.
pub(super) fn is_reply(error: &lapin::Error, code: u16) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(reply) if reply.get_id() == code)
}

/// Whether a channel could not be opened because another of its number was closed by the broker, or none is
/// left.
pub(super) fn is_of_closed_channel(error: &lapin::Error) -> bool {
    match error.kind() {
        ErrorKind::ProtocolError(reply) => matches!(reply.kind(), AMQPErrorKind::Soft(_)),
        ErrorKind::ChannelsLimitReached => true,
        _ => false,
    }
}

/// Converts the error of a settlement.
pub(super) fn settle_error(error: BrokerError) -> SettleError {
    SettleError::Broker(Box::new(error))
}

/// Waits at most `limit` for one of lapin's futures.
pub(super) async fn within<T>(
    limit: Duration,
    what: &'static str,
    future: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    match tokio::time::timeout(limit, future).await {
        Ok(answer) => answer.map_err(broker_error),
        Err(_) => Err(Fault::TimedOut { what, limit }.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapin::protocol::AMQPError;

    fn reply(code: u16) -> BrokerError {
        let reply = AMQPError::from_id(code, "so it is".into()).unwrap();
        broker_error(ErrorKind::ProtocolError(reply).into())
    }

    #[test]
    fn what_somebody_must_act_on_is_a_refusal() {
        for code in [311, 402, 403, 404, 405, 406, 530, 540] {
            assert!(!reply(code).is_transient(), "{code}");
        }
    }

    #[test]
    fn a_broker_in_trouble_is_unavailable() {
        for code in [320, 501, 504, 505, 506, 541] {
            assert!(reply(code).is_transient(), "{code}");
        }
        assert!(broker_error(ErrorKind::MissingHeartbeatError.into()).is_transient());
        assert!(broker_error(std::io::Error::other("reset").into()).is_transient());
    }

    #[test]
    fn a_cause_keeps_its_kind_and_its_text() {
        let refused = Cause::of(&Fault::NoQueue("q".into()).into()).to_error();
        assert!(
            matches!(&refused, BrokerError::Refused(why) if why.to_string() == "there is no queue q")
        );
        assert!(Cause::of(&Fault::Blocked.into()).to_error().is_transient());
    }
}
