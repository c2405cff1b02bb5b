//! What an order costs, as it was measured.

/// What a batch costs a process, and each order in it: seconds of a core.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    pub(super) batch: f64,
    pub(super) each: f64,
}

impl Cost {
    /// Nothing.
    #[cfg(test)]
    pub(super) const NONE: Self = Self { batch: 0.0, each: 0.0 };

    /// So many microseconds for a batch, and for each order in it.
    const fn us(batch: f64, each: f64) -> Self {
        Self { batch: batch / 1e6, each: each / 1e6 }
    }

    /// Of a batch of so many orders.
    pub(super) fn of(self, orders: f64) -> f64 {
        self.batch + self.each * orders
    }
}

/// What one order costs each process on its way, and how long its steps take besides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Costs {
    /// A request, its response and what comes after: order-service.
    pub(super) request: Cost,
    /// Orders and their outbox entry, in one commit: PostgreSQL.
    pub(super) commit: Cost,
    /// A confirmed publish: RabbitMQ.
    pub(super) publish: Cost,
    /// The entries of published orders are deleted, every 50 ms: PostgreSQL.
    pub(super) clear: Cost,
    /// A delivery: RabbitMQ.
    pub(super) deliver: Cost,
    /// Receiving, looking, saving and acknowledging: order-worker.
    pub(super) handle: Cost,
    /// A look at what has become of the order: PostgreSQL.
    pub(super) look: Cost,
    /// A request to a service that validates, and its response: order-worker.
    pub(super) ask: Cost,
    /// Final states, in one commit: PostgreSQL.
    pub(super) save: Cost,
    /// An acknowledgement: RabbitMQ.
    pub(super) ack: Cost,
    /// Bytes of PostgreSQL's log for orders that are accepted: for a commit, and each order in it.
    pub(super) wal_accepted: Cost,
    /// The same for orders that end.
    pub(super) wal_ended: Cost,
    /// Until what was written is on the disk, in seconds: a commit, a publish, an acknowledgement.
    pub(super) synced: f64,
}

impl Costs {
    /// What `./dev/measure.sh` measured on 29 November 2026: two cores that everything shared, PostgreSQL 18.6, a quorum
    /// queue of RabbitMQ 4.3.6 on one node, other work on the machine. How many orders share a batch is known from the
    /// commits in PostgreSQL's log; the two columns are a fit. In microseconds for each order, of the fit and as measured:
    ///
    /// | | orders in a commit | order-service | PostgreSQL | RabbitMQ | WAL, bytes |
    /// | --- | ---: | ---: | ---: | ---: | ---: |
    /// | accepted, 1 connection | 1 | 290, 318 | 277, 314 | 307, 318 | 780, 781 |
    /// | 16 connections | 8 | 58, 55 | 44, 46 | 62, 55 | 405, 407 |
    /// | 64 connections | 30 | 34, 40 | 20, 24 | 36, 45 | 366, 367 |
    /// | 256 connections | 85 | 28, 36 | 14, 13 | 30, 31 | 357, 366 |
    ///
    /// | | orders in a commit | order-worker | PostgreSQL | RabbitMQ | WAL, bytes |
    /// | --- | ---: | ---: | ---: | ---: | ---: |
    /// | processed, prefetch 1 | 1 | 584, 622 | 603, 571 | 558, 597 | 460, 463 |
    /// | prefetch 8 | 3 | 211, 217 | 210, 242 | 205, 217 | 407, 379 |
    /// | prefetch 40 | 11 | 75, 72 | 67, 72 | 76, 97 | 387, 390 |
    /// | prefetch 200 | 44 | 37, 37 | 26, 27 | 40, 42 | 382, 409 |
    ///
    /// PostgreSQL's figures of orders processed are without what the harness asks it meanwhile: 50 ms in a second. What
    /// a shop costs that has nothing to do is in none of them.
    pub(crate) const MEASURED: Self = Self {
        request: Cost::us(265.0, 25.0),
        commit: Cost::us(260.0, 9.0),
        publish: Cost::us(280.0, 27.0),
        clear: Cost::us(260.0, 1.0),
        deliver: Cost::us(265.0, 14.0),
        handle: Cost::us(560.0, 24.0),
        look: Cost::us(190.0, 3.0),
        ask: Cost::us(0.0, 80.0),
        save: Cost::us(400.0, 10.0),
        ack: Cost::us(265.0, 14.0),
        wal_accepted: Cost { batch: 428.0, each: 352.0 },
        wal_ended: Cost { batch: 80.0, each: 380.0 },
        synced: 1e-3,
    };

    /// The same on a disk that takes so many seconds.
    pub(crate) fn on_disk(self, synced: f64) -> Self {
        Self { synced, ..self }
    }

    /// Nothing costs anything: what is left is a queue with servers.
    #[cfg(test)]
    pub(super) const NONE: Self = Self {
        request: Cost::NONE,
        commit: Cost::NONE,
        publish: Cost::NONE,
        clear: Cost::NONE,
        deliver: Cost::NONE,
        handle: Cost::NONE,
        look: Cost::NONE,
        ask: Cost::NONE,
        save: Cost::NONE,
        ack: Cost::NONE,
        wal_accepted: Cost::NONE,
        wal_ended: Cost::NONE,
        synced: 0.0,
    };
}
