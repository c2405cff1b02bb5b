//! What `woodyctl size` has found, as advice.

use serde_json::{Value, json};
use woody_adapters::figures::grouped;

use crate::{
    capacity::{
        Advice, Ask, CONNECTIONS, OF_ORDER_SERVICE, OF_WORKER, OTHER_CONNECTIONS, Process,
        Shortfall,
    },
    commands::output::Output,
};

const DAY: f64 = 86_400.0;

/// The parts of a shop, and what is to be known of it.
pub(super) fn report(ask: &Ask, advice: &Advice) -> Output {
    let rows = parts(advice);
    let lines = lines(ask, advice);
    let json = document(advice);
    let columns = ["part of a shop", "how many", "cores", "connections to PostgreSQL"];
    let table = Output::table(columns, rows.into_iter().map(|row| (row, Value::Null)).collect());
    lines.iter().fold(table, |output, line| output.concluding(line, json.clone()))
}

fn parts(advice: &Advice) -> Vec<[Value; 4]> {
    let deployment = &advice.deployment;
    let row = |name: &str, count: u32, process: Process, connections: String| {
        let cores = cores(advice.cores[process as usize]);
        [json!(name), json!(grouped(&count.to_string())), json!(cores), json!(connections)]
    };
    let each = |count: u32, each: u32| {
        let all = u64::from(count) * u64::from(each);
        format!("{}, {each} each", grouped(&all.to_string()))
    };
    let services = each(deployment.order_services, OF_ORDER_SERVICE);
    let workers = each(deployment.workers, OF_WORKER);
    let all = grouped(&advice.connections.to_string());
    let all = format!("{all}, {OTHER_CONNECTIONS} for the others and for updates");
    vec![
        row("order-service", deployment.order_services, Process::OrderService, services),
        row("order-worker", deployment.workers, Process::OrderWorker, workers),
        row("RabbitMQ, one queue", 1, Process::RabbitMq, "none".to_owned()),
        row("PostgreSQL", 1, Process::Postgres, all),
    ]
}

fn lines(ask: &Ask, advice: &Advice) -> Vec<String> {
    let Advice { load, deployment, prediction, .. } = advice;
    let mut lines: Vec<String> = [shops(ask, advice), shortfall(ask, advice), connections(advice)]
        .into_iter()
        .flatten()
        .collect();
    lines.push(format!(
        "orders: {}/s, {}/s at the peak; a validation {} for {}, {} at once in each worker",
        rounded(load.rate),
        rounded(load.rate * ask.peak),
        if load.validation.computes { "computes" } else { "waits" },
        time(load.validation.mean),
        deployment.prefetch
    ));
    let at = |(p50, p99): (f64, f64)| format!("p50 {}, p99 {}", time(p50), time(p99));
    lines.push(format!("accepted: {}", at(prediction.accepted)));
    lines.push(match advice.shortfall {
        Some(Shortfall::Rate) => "ended: later and later, since more come than end".to_owned(),
        _ => format!("ended: {} after the request", at(prediction.ended)),
    });
    lines.push(format!(
        "at most: {} orders/s end; a minute at the peak leaves {} waiting, the last for {}",
        rounded(prediction.at_most),
        rounded(advice.burst.0),
        time(advice.burst.1)
    ));
    let all: f64 = advice.cores.iter().sum();
    lines.push(format!(
        "cores: {}, so that none is busy for more than {} % of its time at the peak, and no worker before it: {}",
        cores(all),
        rounded(ask.busy * 100.0),
        match ask.cores {
            Some(has) => format!("the machine has {has}"),
            None => counted(advice.machines, "machine", ask.cores_per_machine),
        }
    ));
    lines.push(format!(
        "WAL of PostgreSQL: {} a day, {} bytes for each order",
        bytes(prediction.logged * load.rate * DAY),
        rounded(prediction.logged)
    ));
    for (nth, limit) in advice.limits.iter().enumerate() {
        let begin = if nth == 0 { "breaks first" } else { "then" };
        let rate = rounded(limit.rate);
        lines
            .push(format!("{begin}: {}, at {rate} orders/s; beyond: {}", limit.what, limit.beyond));
    }
    lines
}

/// Says that it takes more than a shop.
fn shops(ask: &Ask, advice: &Advice) -> Option<String> {
    if advice.shops < 2 {
        return None;
    }
    let shops = f64::from(advice.shops);
    let all: f64 = advice.cores.iter().sum();
    let in_all = |each: f64| rounded(each * shops);
    Some(format!(
        "MORE THAN A SHOP: today a shop has one queue and one database, which do not bear {} orders/s. This is one of {} \
         shops side by side; who divides the orders among them is up to you. All of them: {} order-services, {} \
         workers, {} cores, {} machines, {} of WAL a day",
        rounded(ask.load.rate),
        rounded(shops),
        in_all(f64::from(advice.deployment.order_services)),
        in_all(f64::from(advice.deployment.workers)),
        in_all(all),
        in_all(advice.machines),
        bytes(advice.prediction.logged * ask.load.rate * DAY)
    ))
}

/// Says that PostgreSQL would refuse connections.
fn connections(advice: &Advice) -> Option<String> {
    (advice.connections > CONNECTIONS).then(|| {
        format!(
            "TOO MANY CONNECTIONS: {}, and max_connections of stack/postgres/postgresql.conf leaves {CONNECTIONS}: give \
             workers a larger WOODY_PREFETCH (--prefetch), or change it, or put PgBouncer before PostgreSQL",
            grouped(&advice.connections.to_string())
        )
    })
}

fn shortfall(ask: &Ask, advice: &Advice) -> Option<String> {
    match advice.shortfall? {
        Shortfall::Rate => Some(format!(
            "NOT ENOUGH: {} orders/s come, and this shop does not end as many",
            rounded(advice.load.rate)
        )),
        Shortfall::Time => Some(format!(
            "NOT IN TIME: 99 of 100 orders end within {} and not {}; more workers do not change that",
            time(advice.prediction.ended.1),
            time(ask.p99.unwrap_or_default())
        )),
    }
}

fn document(advice: &Advice) -> Value {
    let Advice { load, deployment, prediction, .. } = advice;
    let ms = |(p50, p99): (f64, f64)| json!({ "p50_ms": p50 * 1e3, "p99_ms": p99 * 1e3 });
    let of = |process: Process| {
        let which = process as usize;
        json!({ "cores": advice.cores[which], "us_per_order": prediction.worked[which] * 1e6 })
    };
    let limits = advice.limits.iter();
    let limits = limits.map(
        |limit| json!({ "orders_per_s": limit.rate, "what": limit.what, "beyond": limit.beyond }),
    );
    json!({
        "holds": advice.shortfall.is_none(),
        "shops": advice.shops,
        "orders_per_s": load.rate,
        "orders_per_s_at_most": prediction.at_most,
        "order_services": deployment.order_services,
        "workers": deployment.workers,
        "prefetch": deployment.prefetch,
        "machines": advice.machines,
        "order_service": of(Process::OrderService),
        "order_worker": of(Process::OrderWorker),
        "rabbitmq": of(Process::RabbitMq),
        "postgres": of(Process::Postgres),
        "connections": advice.connections,
        "connections_at_most": CONNECTIONS,
        "accepted": ms(prediction.accepted),
        // What is later and later has no quantiles.
        "ended": (advice.shortfall != Some(Shortfall::Rate)).then(|| ms(prediction.ended)),
        "wal_bytes_per_order": prediction.logged,
        "wal_bytes_per_day": prediction.logged * load.rate * DAY,
        "waiting_after_a_minute_at_the_peak": advice.burst.0,
        "limits": limits.collect::<Vec<_>>(),
    })
}

/// Three digits are more than a model knows.
fn rounded(number: f64) -> String {
    if !number.is_finite() {
        return "any number of".to_owned();
    }
    let step = 10_f64.powf((number.abs().max(1e-9).log10() - 2.0).floor());
    let number = (number / step).round() * step;
    let decimals = if number >= 100.0 || number.fract() == 0.0 { 0 } else { 2 };
    let text = format!("{number:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((&*text, ""), |(whole, rest)| (whole, rest));
    let rest = rest.trim_end_matches('0');
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{}{dot}{rest}", grouped(whole))
}

fn cores(cores: f64) -> String {
    if cores < 9.95 { format!("{:.1}", cores.max(0.1)) } else { rounded(cores) }
}

fn counted(count: f64, what: &str, cores: u32) -> String {
    let plural = if count > 1.0 { "s" } else { "" };
    format!("{} {what}{plural} of {cores}", rounded(count))
}

fn time(seconds: f64) -> String {
    match seconds {
        ..0.000_5 => "0".to_owned(),
        ..0.1 => format!("{} ms", rounded((seconds * 1e4).round() / 10.0)),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        ..100.0 => format!("{} s", rounded(seconds)),
        ..6_000.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{} h", rounded(seconds / 3_600.0)),
    }
}

fn bytes(bytes: f64) -> String {
    let (unit, name) = match bytes {
        ..1e9 => (1e6, "MB"),
        ..1e12 => (1e9, "GB"),
        _ => (1e12, "TB"),
    };
    format!("{} {name}", rounded(bytes / unit))
}
