//! A dead letter that is sent again with another body.

use std::{collections::BTreeMap, io::Read as _, path::PathBuf, str::FromStr};

use bytes::Bytes;
use clap::Args;
use serde_json::{json, value::RawValue};
use tokio::task::spawn_blocking;
use woody_adapters::config::ConfigError;
use woody_core::{
    domain::OrderMessage,
    ports::{BrokerAdmin, DeadLetter, OrderStore},
};

use super::{
    super::{
        error::CtlError,
        logbook::{ActArgs, Deed, Done, Logbook},
        output::Output,
        shop::{MOST_LETTERS, Shop},
    },
    selection::named,
};

/// Which one, and what its body is to be.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// Its name, as `dead list` prints it.
    id: String,
    /// A field of the order and its new value, which is JSON or else a text: quantity=3,
    /// note="by hand". May be given several times.
    #[arg(long, value_name = "FIELD=VALUE", required_unless_present = "body")]
    set: Vec<Assignment>,
    /// A file with the whole of the new body, one JSON object.
    #[arg(long, value_name = "PATH", conflicts_with = "set")]
    body: Option<PathBuf>,
    /// Only print what would be sent.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    act: ActArgs,
}

/// A field and its new value.
#[derive(Debug, Clone)]
struct Assignment {
    field: String,
    value: Box<RawValue>,
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parted = text.split_once('=').filter(|(field, _)| !field.is_empty());
        let (field, value) = parted.ok_or_else(|| "must be FIELD=VALUE".to_owned())?;
        let as_json = RawValue::from_string(value.to_owned());
        let value = match as_json {
            Ok(value) => value,
            Err(_) => serde_json::value::to_raw_value(value).map_err(|error| error.to_string())?,
        };
        Ok(Self { field: field.to_owned(), value })
    }
}

/// Sends the letter again as it is to be, and deletes it: in this order, so that nothing is lost should the command be broken
/// off, and an order that is there twice is one by its id.
pub(super) async fn edit(
    admin: &dyn BrokerAdmin,
    args: EditArgs,
    shop: &Shop<'_>,
) -> Result<Output, CtlError> {
    let letters = admin.dead_letters(MOST_LETTERS).await?;
    let letter = named(&letters, &args.id)?;
    let body = match &args.body {
        Some(path) => read(path.clone()).await?,
        None => changed(letter, &args.set)?,
    };
    let message = OrderMessage::parse(&body)
        .map_err(|wrong| ConfigError::new(format!("what would be sent is no order: {wrong}")))?;
    if let Ok(before) = OrderMessage::parse(&letter.body)
        && before.order_id != message.order_id
    {
        let told = format!("the message is order {}'s, and stays so", before.order_id);
        return Err(ConfigError::new(told).into());
    }
    if args.dry_run {
        let text = String::from_utf8_lossy(&body).into_owned();
        let object = json!({ "would_send": text });
        return Ok(Output::report(&format!("would be sent: {text}"), object));
    }
    let deed = Deed {
        verb: "dead edit",
        order: Some(message.order_id),
        target: format!("dead letter {}", letter.id),
    };
    let logbook = Logbook::open(shop).await;
    let sending = async {
        refuse_another(logbook.store()?.orders().as_ref(), &message).await?;
        admin.resend(std::slice::from_ref(&body)).await?;
        admin.purge(std::slice::from_ref(&letter.id)).await?;
        let told = format!("sent again as order {}", message.order_id);
        let output =
            Output::report(&told, json!({ "message": told, "order_id": message.order_id }));
        Ok(Done { output, told: Some(told) })
    };
    let sent = logbook.act(args.act, deed, sending).await;
    logbook.close().await;
    sent
}

/// Refuses to send an order that the store has with other details: its client is shown what it placed, and a verdict about
/// something else would be taken for one about that.
async fn refuse_another(orders: &dyn OrderStore, message: &OrderMessage) -> Result<(), CtlError> {
    let id = message.order_id;
    match orders.order(id).await? {
        None => Ok(()),
        Some(order) if order.details == message.details => Ok(()),
        Some(_) => Err(CtlError::Refused(format!(
            "order {id} is in the store, as its client placed it: `order retry` has that validated once more"
        ))),
    }
}

async fn read(path: PathBuf) -> Result<Bytes, CtlError> {
    let cannot = format!("cannot read {}", path.display());
    let read = move || {
        let mut body = Vec::new();
        // One byte more than is looked at, so that what is too long is seen to be.
        let most = OrderMessage::MAX_BYTES as u64 + 1;
        std::fs::File::open(path)?.take(most).read_to_end(&mut body).map(|_| body)
    };
    let read = spawn_blocking(read).await.map_err(std::io::Error::other).flatten();
    Ok(read.map_err(|error| ConfigError::because(cannot, &error))?.into())
}

/// The body with these fields changed. Values that stay are as they were written, to the last digit.
fn changed(letter: &DeadLetter, set: &[Assignment]) -> Result<Bytes, CtlError> {
    let read = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&letter.body);
    let mut fields = read.map_err(|_| {
        ConfigError::new("its body is no JSON object: give the whole of the new one by --body PATH")
    })?;
    for Assignment { field, value } in set {
        fields.insert(field.clone(), value.clone());
    }
    let body = serde_json::to_vec(&fields)
        .map_err(|error| ConfigError::because("the new body cannot be written", &error))?;
    Ok(body.into())
}

#[cfg(test)]
mod tests {
    use woody_core::ports::DeadLetterId;

    use super::*;

    fn letter(body: &'static str) -> DeadLetter {
        DeadLetter {
            id: DeadLetterId::new("1"),
            body: Bytes::from_static(body.as_bytes()),
            reason: "no order".into(),
            attempts: 1,
            died_at: None,
        }
    }

    #[test]
    fn fields_are_set_and_the_others_stay_as_they_were_written() {
        let letter = letter(r#"{"price": 1.00000000000000000001, "quantity": "three"}"#);
        let set = ["quantity=3", "note=by hand", "to={\"city\": \"Köln\"}", "empty="];
        let set: Vec<Assignment> = set.iter().map(|text| text.parse().unwrap()).collect();
        let body = changed(&letter, &set).unwrap();
        let expected = r#"{"empty":"","note":"by hand","price":1.00000000000000000001,"quantity":3,"to":{"city": "Köln"}}"#;
        assert_eq!(String::from_utf8_lossy(&body), expected);
        for no_assignment in ["", "quantity", "=3"] {
            assert!(no_assignment.parse::<Assignment>().is_err(), "{no_assignment}");
        }
    }

    #[test]
    fn a_body_that_has_no_fields_is_replaced_whole() {
        assert!(changed(&letter("[1]"), &["a=1".parse().unwrap()]).is_err());
    }
}
