//! What breaks first as a shop grows.

use super::deployment::Process;

/// Orders a second that one quorum queue has taken and given out again: 28,000 confirmed publishes a second, or 13,000
/// consumed and acknowledged, on two cores that its clients shared. On a larger machine it does more; how much has not
/// been measured.
pub(crate) const QUEUE: f64 = 9_000.0;
/// The same of a queue that is full, while none come: what one worker has done.
pub(super) const FULL_QUEUE: f64 = 17_000.0;
/// `max_connections` of stack/postgres/postgresql.conf, less three that PostgreSQL keeps for its superuser.
pub(crate) const CONNECTIONS: u32 = 247;
/// Of the other services in stack.yml, and one more of each service while it is updated.
pub(crate) const OTHER_CONNECTIONS: u32 = 3 * 4 + 3 * 5 + (4 + 5 + OF_ORDER_SERVICE + OF_WORKER);
/// `WOODY_STORE_CONNECTIONS` of an order-service in stack.yml.
pub(crate) const OF_ORDER_SERVICE: u32 = 10;
/// `WOODY_STORE_CONNECTIONS` of a worker in stack.yml.
pub(crate) const OF_WORKER: u32 = 4;

/// What a shop cannot have more of.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    /// Orders a second at which it is used up, in the usual hour.
    pub(crate) rate: f64,
    pub(crate) what: String,
    /// What an operator can do about it.
    pub(crate) beyond: &'static str,
}

/// What the limits depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// How much more comes at the peak.
    pub(super) peak: f64,
    /// Of a machine.
    pub(super) cores: u32,
    /// Whether all of it is on one machine.
    pub(super) shared: bool,
    /// Processor time for each order, in the order of `Process::ALL`.
    pub(super) worked: [f64; 4],
    pub(super) order_services: u32,
    /// Workers for each order a second.
    pub(super) workers: f64,
}

/// The limits of one shop, the nearest first.
pub(super) fn limits(shape: &Shape) -> Vec<Limit> {
    let mut limits = one_machine(shape);
    let left = CONNECTIONS.saturating_sub(OTHER_CONNECTIONS);
    let left = left.saturating_sub(shape.order_services.saturating_mul(OF_ORDER_SERVICE));
    limits.push(Limit {
        rate: f64::from(left / OF_WORKER) / shape.workers,
        what: format!("PostgreSQL's connections (max_connections leaves {left} to the workers)"),
        beyond: "fewer workers, with a larger WOODY_PREFETCH; a larger max_connections; PgBouncer",
    });
    limits.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    limits
}

/// Those that no setting moves: one queue, one broker, one database.
pub(super) fn one_machine(shape: &Shape) -> Vec<Limit> {
    let cores = |processes: &[Process], what: &str, beyond| {
        let worked = processes.iter().map(|process| shape.worked[*process as usize]);
        Limit {
            rate: f64::from(shape.cores) / worked.sum::<f64>() / shape.peak,
            what: format!("the {} cores of {what}", shape.cores),
            beyond,
        }
    };
    let mut limits = vec![Limit {
        rate: QUEUE / shape.peak,
        what: "one queue (9,000 orders/s, estimated from measurements)".to_owned(),
        beyond: "measure what it does on a larger machine; then several shops, each with its queue",
    }];
    if shape.shared {
        limits.push(cores(&Process::ALL, "the machine", "a machine for each part"));
    } else {
        let (rabbitmq, postgres) = (&[Process::RabbitMq], &[Process::Postgres]);
        let beyond = "a larger machine for it, a larger WOODY_PREFETCH; then several shops";
        limits.push(cores(rabbitmq, "RabbitMQ's machine", beyond));
        limits.push(cores(postgres, "PostgreSQL's machine", beyond));
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connections_are_those_of_the_stack() {
        let read = |file: &str| {
            let path = format!("{}/../../stack/{file}", env!("CARGO_MANIFEST_DIR"));
            std::fs::read_to_string(path).unwrap()
        };
        let stack = read("stack.yml");
        let of = |service: &str| -> u32 {
            let (_, service) = stack.split_once(&format!("\n  {service}:\n")).unwrap();
            let (_, rest) = service.split_once("WOODY_STORE_CONNECTIONS: ").unwrap();
            rest.lines().next().unwrap().parse().unwrap()
        };
        let (misc, product) = (of("misc-service"), of("product-service"));
        assert_eq!((of("order-service"), of("order-worker")), (OF_ORDER_SERVICE, OF_WORKER));
        let updated = misc + product + OF_ORDER_SERVICE + OF_WORKER;
        assert_eq!(OTHER_CONNECTIONS, 3 * misc + 3 * product + updated);
        let most = format!("\nmax_connections = {}\n", CONNECTIONS + 3);
        assert!(read("postgres/postgresql.conf").contains(&most));
    }
}
