//! Plans of the workshop: orders that are cut together.

mod orders;

use std::{path::PathBuf, time::Duration};

use clap::Subcommand;
use serde_json::{Value, json};
use woody_core::workshop::{CannotMake, OrderShare, SharedPlan, ToCut, Workshop};

use self::orders::Orders;
use super::{
    error::CtlError,
    output::{Format, Output, progress_bar},
    shop::Shop,
};
use woody_adapters::config::{
    ConfigError, WorkshopArgs,
    bounds::{self, MONTH, SECOND},
};

#[derive(Debug, Subcommand)]
pub(super) enum WorkshopCommand {
    /// Plan how several orders are cut from the same sheets, and what share each has.
    ///
    /// Orders come from the store, by their ids or by the time at which they were accepted, or
    /// from a file of lines: JSON objects with `product`, `quantity` and perhaps `order`, or CSV
    /// with such a heading. A toy is cut from the parts that the product of its name has in the
    /// store, or, without any, in the letters of its name. Wood and cost are shared by the area of the pieces.
    ///
    /// `--output svg|csv|labels|dxf` writes the drawings, the cut list, a label for each piece,
    /// or what a router reads. Exit code 1 if the orders cannot be made.
    Plan(PlanArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// Ids of orders in the store.
    #[arg(value_name = "ID", required_unless_present_any = ["orders", "since"])]
    ids: Vec<String>,
    /// Every order that was accepted within so long before now, unless it was rejected or has
    /// failed (1s to 30days); 1,000 at most.
    #[arg(long, value_name = "TIME", conflicts_with = "letters",
          value_parser = bounds::time(SECOND, MONTH))]
    since: Option<Duration>,
    /// File of orders, `-` for stdin; 1,000 at most.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Ask no store: every toy is cut in the letters of its name.
    #[arg(long, conflicts_with = "ids")]
    letters: bool,
    /// Also plan each order alone, and say how many sheets that would take.
    #[arg(long)]
    one_by_one: bool,
    #[command(flatten)]
    workshop: WorkshopArgs,
}

pub(super) async fn run(
    command: WorkshopCommand,
    shop: &Shop<'_>,
    format: Format,
) -> Result<Output, CtlError> {
    let WorkshopCommand::Plan(args) = command;
    let workshop = args.workshop.open()?;
    let mut orders = Orders::default();
    if let Some(file) = &args.orders {
        orders.read(file)?;
    }
    let orders = if args.letters {
        orders.in_letters()
    } else {
        orders.found(&args.ids, args.since, shop).await?
    };
    let one_by_one = args.one_by_one;
    let planned = tokio::task::spawn_blocking(move || plan(&workshop, &orders, one_by_one)).await;
    let planned = planned.map_err(std::io::Error::other)?;
    Ok(match planned {
        Ok((shared, alone)) => shown(&shared, alone, format)?,
        Err(cannot) => refused(&cannot, format),
    })
}

/// What the orders take one by one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Alone {
    sheets: u64,
    cost: u64,
    /// Orders that cannot be made alone.
    cannot: usize,
}

fn plan(
    workshop: &Workshop,
    orders: &[ToCut],
    one_by_one: bool,
) -> Result<(SharedPlan, Option<Alone>), CannotMake> {
    let bar = progress_bar(1 + if one_by_one { orders.len() } else { 0 }, "planning");
    let shared = workshop.plan_together(orders);
    bar.inc(1);
    let mut alone = Alone::default();
    if one_by_one && shared.is_ok() {
        for ToCut { list, quantity, .. } in orders {
            match workshop.plan(list, *quantity) {
                Ok(plan) => {
                    alone.sheets += plan.figures.sheets;
                    alone.cost += plan.figures.cost.unwrap_or(0);
                }
                Err(_) => alone.cannot += 1,
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok((shared?, one_by_one.then_some(alone)))
}

fn shown(shared: &SharedPlan, alone: Option<Alone>, format: Format) -> Result<Output, CtlError> {
    let title = format!("{} orders", shared.orders.len());
    let too_many = |what: &'static str, most: u64| {
        move |count: u64| ConfigError::new(format!("{what} of {count} pieces: {most} at most"))
    };
    Ok(match format {
        Format::Table | Format::Json => table(shared, alone),
        Format::Svg => Output::file(&shared.plan.to_svg(&title)),
        Format::Csv => Output::file(&shared.to_csv()),
        Format::Labels => Output::file(&shared.labels().map_err(too_many("labels", 100_000))?),
        Format::Dxf => {
            Output::file(&shared.plan.to_dxf().map_err(too_many("a DXF drawing", 10_000))?)
        }
    })
}

fn table(shared: &SharedPlan, alone: Option<Alone>) -> Output {
    let figures = shared.plan.figures;
    let row = |share: &OrderShare| {
        let OrderShare { order, toy, quantity, pieces, wood_mm2, cost, .. } = share;
        let cells = [
            json!(order),
            json!(toy),
            json!(quantity),
            json!(pieces),
            json!(square_metres(*wood_mm2)),
            cost.map_or_else(|| json!("-"), |cost| json!(cost)),
        ];
        (cells, Value::Null)
    };
    let columns = ["order", "toy", "quantity", "pieces", "wood m²", "cost"];
    let mut told = shared.plan.summary().to_string();
    if let Some(Alone { sheets, cost, cannot }) = &alone {
        let cost = figures.cost.map_or_else(String::new, |_| format!(", cost {cost}"));
        let cannot = match cannot {
            0 => String::new(),
            cannot => format!(", and {cannot} orders cannot be made alone"),
        };
        told = format!("{told}; one by one {sheets} sheets{cost}{cannot}");
    }
    let alone = alone
        .map(|alone| json!({ "sheets": alone.sheets, "cost": figures.cost.and(Some(alone.cost)) }));
    let json = json!({
        "summary": shared.plan.summary().as_str(),
        "plan": shared.plan,
        "orders": shared.orders,
        "one_by_one": alone,
    });
    Output::table(columns, shared.orders.iter().map(row).collect()).concluding(&told, json)
}

/// An area as people in a workshop say it.
fn square_metres(mm2: u64) -> String {
    let thousandths = (mm2 + 500) / 1_000;
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

fn refused(cannot: &CannotMake, format: Format) -> Output {
    let why = cannot.to_string();
    match format {
        Format::Table | Format::Json => {
            Output::pairs(&[("cannot be made", why.clone())], json!({ "cannot_make": why }))
        }
        Format::Svg => Output::file(&cannot.to_svg("orders")),
        Format::Csv | Format::Labels => Output::file(&cannot.to_csv()),
        Format::Dxf => Output::file(&cannot.to_dxf()),
    }
    .failing()
}

#[cfg(test)]
mod tests {
    use woody_core::{
        domain::{ProductName, Quantity},
        workshop::CuttingList,
    };

    use super::*;

    fn order(i: usize, name: &str) -> ToCut {
        let toy = ProductName::parse(name).unwrap();
        let list = CuttingList::letters(&toy);
        ToCut { order: i.to_string(), toy, list, quantity: Quantity::BATCH }
    }

    #[test]
    fn together_and_one_by_one_are_told() {
        let orders = [order(1, "Train"), order(2, "Lion")];
        let (shared, alone) = plan(&Workshop::default(), &orders, true).unwrap();
        assert_eq!(alone, Some(Alone { sheets: 2, cost: 0, cannot: 0 }));
        let text = shown(&shared, alone, Format::Table).unwrap().to_string();
        assert!(text.contains("Lion") && text.contains("; one by one 2 sheets"), "{text}");
    }

    #[test]
    fn an_area_is_told_in_square_metres() {
        assert_eq!(square_metres(744_200), "0.744");
        assert_eq!(square_metres(12_000_600), "12.001");
    }
}
