//! What a schedule is like, drawn from its seed: how many processes, how they
//! are set up, which faults there are and how often.

use std::time::Duration;

use fastrand::Rng;
use woody_core::domain::Details;
use woody_core::services::{IntakeSettings, NoticeSettings, RelaySettings, WorkerSettings};

#[derive(Debug, Clone)]
pub struct Mood {
    /// How long orders come and faults happen.
    pub span: Duration,
    pub orders: u32,
    pub services: usize,
    pub workers: usize,
    /// Whether the services have workers too.
    pub all_in_one: bool,
    pub prefetch: u16,
    /// Per mille of calls that go wrong, by dependency.
    pub faults: [u32; 2],
    /// Per mille of calls that take long.
    pub slow: u32,
    /// Per mille of validations that go wrong.
    pub validator_faults: u32,
    /// How many orders end the process that validates them.
    pub killers: u32,
    /// The longest usual way of a call, in ms.
    pub latency: u64,
    /// The longest usual validation, in ms.
    pub work: u64,
    /// At how many moments the orders come; 0: all through the span.
    pub bursts: u32,
    /// How long a call waits for a silent dependency.
    pub call_limit: Duration,
    /// Of how many messages at the head any may come first.
    pub reorder: usize,
    /// Whether the broker tells how many deliveries are out.
    pub tells_in_flight: bool,
    /// Percent of orders with a key.
    pub keyed: u32,
    pub poison: u32,
    /// How many cancel orders that are not theirs.
    pub meddlers: u32,
    pub intake: IntakeSettings,
    pub relay: RelaySettings,
    pub worker: WorkerSettings,
    /// Whether somebody is told how orders end.
    pub is_told: bool,
    /// Per mille of tellings that go wrong.
    pub receiver_faults: u32,
    pub notices: NoticeSettings,
}

impl Mood {
    pub fn pick(rng: &mut Rng) -> Self {
        let ms = |rng: &mut Rng, from, to| Duration::from_millis(rng.u64(from..=to));
        let mut mood = Self {
            span: ms(rng, 1_000, 8_000),
            orders: rng.u32(2..=10),
            services: rng.usize(1..=2),
            workers: rng.usize(1..=2),
            all_in_one: rng.u8(..4) == 0,
            prefetch: rng.u16(1..=4),
            faults: [some(rng, 150), some(rng, 150)],
            slow: some(rng, 60),
            validator_faults: some(rng, 400),
            latency: rng.u64(0..=20),
            work: some(rng, 500).into(),
            bursts: some(rng, 3),
            call_limit: ms(rng, 300, 2_000),
            reorder: rng.usize(1..=5),
            tells_in_flight: rng.bool(),
            keyed: some(rng, 80),
            poison: some(rng, 2),
            meddlers: some(rng, 3),
            intake: IntakeSettings::default()
                .store_deadline(Duration::from_millis(500))
                .broker_deadline(ms(rng, 500, 2_000))
                .outbox_lease(ms(rng, 500, 3_000))
                // Room for all of them at once, however long a commit takes.
                .waiting(256)
                .waiting_bytes(64 * 1024)
                .details_bytes(Details::MAX_BYTES)
                .batch(rng.usize(8..=64))
                .lanes(rng.usize(1..=2)),
            relay: RelaySettings::default()
                .batch(rng.usize(1..=8))
                .lanes(rng.usize(1..=3))
                .waiting(rng.usize(1..=16))
                // A handful of parcels.
                .waiting_bytes(1_000)
                .sweep_every(ms(rng, 500, 1_500))
                .lease(ms(rng, 500, 3_000))
                .reconcile_every(ms(rng, 1_000, 4_000))
                .pending_for(ms(rng, 1_000, 5_000)),
            worker: WorkerSettings::default()
                .max_attempts(rng.u32(1..=4))
                .retry_base(ms(rng, 20, 300))
                .validation_timeout(Duration::from_secs(1))
                .wait_base(ms(rng, 10, 100))
                .mark_held_every(ms(rng, 100, 200)),
            is_told: rng.bool(),
            receiver_faults: some(rng, 400),
            notices: NoticeSettings::default()
                .at_once(rng.usize(1..=4))
                .timeout(Duration::from_secs(1))
                // Now and then a lease is over before what became of its attempt is saved.
                .settle_within(ms(rng, 0, 2_000))
                .poll_every(ms(rng, 200, 1_000))
                .pauses((0..rng.u32(1..=5)).map(|_| ms(rng, 10, 1_500)).collect()),
            killers: if rng.u8(..4) == 0 { rng.u32(1..=2) } else { 0 },
        };
        if rng.u8(..8) == 0 {
            mood.grow_a_backlog(rng);
        }
        mood
    }

    /// Orders come faster than they are validated, and wait for several looks of the
    /// reconciliation.
    fn grow_a_backlog(&mut self, rng: &mut Rng) {
        let ms = |rng: &mut Rng, from, to| Duration::from_millis(rng.u64(from..=to));
        self.span = ms(rng, 4_000, 10_000);
        self.orders = rng.u32(20..=60);
        self.work = rng.u64(300..=900);
        self.relay.reconcile_every = ms(rng, 1_000, 1_500);
        self.relay.pending_for = ms(rng, 1_000, 2_000);
    }

    /// No more faults.
    pub fn calm(&mut self) {
        self.faults = [0, 0];
        self.slow = 0;
        self.validator_faults = 0;
        self.receiver_faults = 0;
    }
}

/// Nothing in half of the cases, so that each fault is also met without the others.
fn some(rng: &mut Rng, most: u32) -> u32 {
    if rng.bool() { rng.u32(1..=most) } else { 0 }
}
