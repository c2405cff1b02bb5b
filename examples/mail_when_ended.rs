//! A mail when an order has ended: written until it is delivered, whatever dies in between.
//!
//! ```sh
//! cargo run --example mail_when_ended
//! ```
//!
//! With `sqlite:` or `postgres://` in place of `memory:` a notice is kept with the order's final state, in one commit: it
//! survives `kill -9`, and it does not matter which process ends the order.

#![allow(clippy::print_stdout)]

use std::{error::Error, sync::Arc};

use tokio::sync::mpsc;
use woody::{prelude::*, validation::AcceptAll};

/// Writes mails. This one hands them to whoever holds the other end.
struct Mail(mpsc::Sender<String>);

#[async_trait]
impl Notifier for Mail {
    async fn notify(&self, notice: &OrderNotice) -> Result<(), NotifyError> {
        let (order, status) = (&notice.order, notice.order.status.as_str());
        // The id is the same in every attempt: a `Message-ID` of it keeps a second copy out of a mailbox.
        let mail = format!("<{}@shop.example> {}: {status}", notice.id, order.details.product);
        self.0.send(mail).await.map_err(|gone| NotifyError::Later(gone.to_string().into()))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let backends = woody::open("memory:", "memory:").await?;
    let (mail, mut written) = mpsc::channel(8);
    let pipeline = backends
        .pipeline()
        .validator(Arc::new(AcceptAll))
        .notifier(backends.notices(), "mail".parse()?, Arc::new(Mail(mail)))
        .start()
        .await?;

    let accepted = pipeline.intake().accept(ToyOrder::parse("Train", 20)?).await?;
    println!("{}: accepted", accepted.order.id);
    println!("{}", written.recv().await.ok_or("a mail is written")?);

    pipeline.stop().await;
    backends.close().await;
    Ok(())
}
