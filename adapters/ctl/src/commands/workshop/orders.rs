//! Which orders are cut together: from a file, and from the store.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    time::Duration,
};

use serde::Deserialize;
use woody_core::{
    domain::{Order, OrderId, OrderStatus, Outcome, Parts, ProductName, Quantity, ToyOrder, now},
    ports::{OrderQuery, OrderStore, PageSize},
    workshop::{CuttingList, ToCut},
};

use woody_adapters::config::ConfigError;

use super::super::{error::CtlError, output::progress_bar, shop::Shop};

/// The most orders that are planned together.
const MOST_ORDERS: usize = 1_000;
/// A file of more bytes than this is none of orders.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// An order and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    order: String,
    toy: ProductName,
    quantity: Quantity,
}

/// Orders of a file, with no cutting lists yet.
#[derive(Debug, Default)]
pub(super) struct Orders(Vec<Named>);

/// A line of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    product: ProductName,
    #[serde(default)]
    quantity: Quantity,
    #[serde(default)]
    order: Option<String>,
}

impl Orders {
    /// Reads a file, or stdin for `-`.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), ConfigError> {
        let mut text = String::new();
        let read = if path == Path::new("-") {
            io::stdin().take(MOST_BYTES + 1).read_to_string(&mut text)
        } else {
            File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_string(&mut text))
        };
        let named = |what: String| ConfigError::new(format!("{}{what}", path.display()));
        let bytes = read.map_err(|error| {
            ConfigError::because(format!("{} cannot be read", path.display()), &error)
        })?;
        if bytes as u64 > MOST_BYTES {
            return Err(named(format!(" is larger than {MOST_BYTES} bytes")));
        }
        self.0 = parse(&text).map_err(named)?;
        Ok(())
    }

    /// Cuts every toy in the letters of its name.
    pub(super) fn in_letters(self) -> Vec<ToCut> {
        self.0.into_iter().map(|named| named.cut_from(&Parts::default())).collect()
    }

    /// Adds the orders with these ids and those accepted `since` so long ago, each once, and
    /// cuts every toy as the store has it.
    pub(super) async fn found(
        mut self,
        ids: &[String],
        since: Option<Duration>,
        shop: &Shop<'_>,
    ) -> Result<Vec<ToCut>, CtlError> {
        let ids: Vec<OrderId> =
            ids.iter().map(|id| OrderId::parse(id)).collect::<Result<_, _>>()?;
        if self.0.len() + ids.len() > MOST_ORDERS {
            return Err(too_many().into());
        }
        let store = shop.store().await?;
        let found = async {
            if let Some(since) = since {
                let room = MOST_ORDERS - self.0.len() - ids.len();
                self.0.extend(recent(store.orders().as_ref(), since, &ids, room).await?);
            }
            let bar = progress_bar(2 * ids.len() + self.0.len(), "looking up");
            for id in ids {
                self.0.push(stored(store.orders().as_ref(), id).await?);
                bar.inc(1);
            }
            let mut orders = Vec::with_capacity(self.0.len());
            for named in self.0 {
                let product = store.products().newest_named(&named.toy).await?;
                let parts = product.map(|product| product.parts).unwrap_or_default();
                orders.push(named.cut_from(&parts));
                bar.inc(1);
            }
            bar.finish_and_clear();
            Ok::<_, CtlError>(orders)
        };
        let found = found.await;
        store.close().await;
        found
    }
}

fn too_many() -> ConfigError {
    ConfigError::new(format!("{MOST_ORDERS} orders at most"))
}

/// The orders of toys that were accepted within `since` before now and are wanted: pending,
/// or validated. `others` are left out; there is `room` for so many.
///
/// They are what the store holds of this hour when it is asked: an order that the broker
/// alone keeps is not among them.
async fn recent(
    orders: &dyn OrderStore,
    since: Duration,
    others: &[OrderId],
    room: usize,
) -> Result<Vec<Named>, CtlError> {
    let since = now() - since;
    let mut query =
        OrderQuery { since: Some(since), limit: PageSize::LARGEST, ..OrderQuery::default() };
    let mut found = Vec::new();
    loop {
        let page = orders.list(&query).await?;
        for order in page.orders {
            let is_wanted = matches!(
                order.status,
                OrderStatus::Pending | OrderStatus::Ended(Outcome::Success(_))
            );
            let id = order.id;
            let Ok(Order { details, .. }) = order.decode::<ToyOrder>() else { continue };
            if !is_wanted || others.contains(&id) {
                continue;
            }
            if found.len() == room {
                return Err(too_many().into());
            }
            let ToyOrder { product, quantity } = details;
            found.push(Named { order: id.to_string(), toy: product, quantity });
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None if found.is_empty() => {
                let none = "the store holds no order of toys of that time that can be made";
                return Err(CtlError::NotFound(none.to_owned()));
            }
            None => return Ok(found),
        }
    }
}

/// The order with this id, if it is one of toys.
async fn stored(orders: &dyn OrderStore, id: OrderId) -> Result<Named, CtlError> {
    let not_found = |what: &str| CtlError::NotFound(format!("{what} {id}"));
    let order = orders.order(id).await?.ok_or_else(|| not_found("the store knows no order"))?;
    let toy = order.decode::<ToyOrder>().map_err(|_| not_found("no order of toys is"))?;
    let ToyOrder { product, quantity } = toy.details;
    Ok(Named { order: id.to_string(), toy: product, quantity })
}

impl Named {
    fn cut_from(self, parts: &Parts) -> ToCut {
        let list = CuttingList::of(&self.toy, parts);
        ToCut { order: self.order, toy: self.toy, list, quantity: self.quantity }
    }
}

/// Reads lines of JSON objects, or CSV with a heading. The error says in which line what is
/// wrong.
fn parse(text: &str) -> Result<Vec<Named>, String> {
    // The reader of CSV would count the lines of such endings one short.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut orders = Vec::new();
    let mut add = |number: u64, line: Result<Line, String>| {
        let Line { product, quantity, order } =
            line.map_err(|what| format!(":{number}: {what}"))?;
        if orders.len() == MOST_ORDERS {
            return Err(format!(":{number}: {MOST_ORDERS} orders at most"));
        }
        let order = order.filter(|order| !order.trim().is_empty());
        let order = order.unwrap_or_else(|| format!("line {number}"));
        orders.push(Named { order, toy: product, quantity });
        Ok(())
    };
    if text.trim_start().starts_with('{') {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            add(number, serde_json::from_str(line).map_err(|error| error.to_string()))?;
        }
    } else {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let heading = reader.headers().map_err(|error| format!(":1: {error}"))?.clone();
        for record in reader.into_records() {
            let record = record.map_err(|error| format!(": {error}"))?;
            let number = record.position().map_or(0, csv::Position::line);
            let line = record.deserialize(Some(&heading)).map_err(|error| match error.kind() {
                csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
                _ => error.to_string(),
            });
            add(number, line)?;
        }
    }
    if orders.is_empty() { Err(": no orders".to_owned()) } else { Ok(orders) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(String, String, u16)> {
        let told = |named: Named| (named.order, named.toy.to_string(), named.quantity.get());
        parse(text).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn orders_are_lines_of_json_or_csv() {
        let json = "{\"product\": \"Train\", \"quantity\": 5}\n\n{\"product\": \"Lion\", \"order\": \"a\"}\n";
        let csv = "product,quantity,order\r\nTrain,5,\r\n\r\n\"Lion\",1,a\r\n";
        let (line, five) = ("line 1".to_owned(), "Train".to_owned());
        assert_eq!(told(json), [(line, five, 5), ("a".into(), "Lion".into(), 1)]);
        let (line, five) = ("line 2".to_owned(), "Train".to_owned());
        assert_eq!(told(csv), [(line, five, 5), ("a".into(), "Lion".into(), 1)]);
        assert_eq!(told("product\nTrain\n")[0].2, 1);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, says) in [
            ("", ": no orders"),
            ("product,quantity\n", ": no orders"),
            ("{\"product\": \"a\"}\n{\"product\": \"\"}", ":2: product must not be empty"),
            ("product,quantity\nTrain,5\nLion,0\n", ":3: "),
            ("product,quantity\nTrain,5,7\n", ": CSV error: "),
            ("{\"product\": \"a\", \"count\": 3}", ":1: unknown field `count`"),
            ("name\nTrain\n", ":2: "),
        ] {
            let problem = parse(text).unwrap_err();
            assert!(problem.starts_with(says), "{text:?}: {problem}");
        }
        let many = "{\"product\": \"a\"}\n".repeat(1_001);
        assert_eq!(parse(&many).unwrap_err(), ":1001: 1000 orders at most");
    }
}
