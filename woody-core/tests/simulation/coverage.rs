//! How often what happened, to show that the simulation bites.

use std::{collections::BTreeMap, fmt};

/// What a simulation that proves anything has met.
pub const MUST_HAPPEN: [&str; 67] = [
    "broker down",
    "broker silent",
    "store down",
    "store silent",
    "wipes",
    "slow calls",
    "calls lost before their effect",
    "calls lost after their effect",
    "calls lost half way through",
    "calls that are refused",
    "calls that arrive after they failed",
    "calls that arrive after their caller died or left",
    "killed services",
    "killed workers",
    "drained processes",
    "processes out of grace",
    "cut connections",
    "services cut off from the store alone",
    "deliveries out of order",
    "doubled messages",
    "redeliveries",
    "retries",
    "dead letters",
    "redriven dead letters",
    "poison messages",
    "orders put back into the outbox",
    "orders marked as held",
    "depths that are not known",
    "batches",
    "orders accepted in the store",
    "orders accepted before",
    "orders accepted in the broker",
    "orders accepted while the store was unavailable",
    "orders accepted while the broker was unavailable",
    "orders excused by a wipe",
    "reads of pending while the store was unavailable",
    "orders cancelled",
    "cancels that came too late",
    "cancels that are unavailable",
    "orders refused for their key",
    "orders refused with both dependencies unavailable",
    "orders that found a service down",
    "orders whose service died",
    "validations that fail for now",
    "validations that fail for good",
    "validations that hang",
    "validations that panic",
    "validations that take long",
    "validations without their dependency",
    "validations that a store refuses",
    "validations that fail, who knows why",
    "workers killed by their order",
    "failed attempts kept",
    "subscriptions",
    "notices claimed",
    "notices postponed",
    "notices given up",
    "notices released",
    "notices redriven",
    "ends told",
    "ends told again",
    "tellings whose answer is lost",
    "tellings that are not heard",
    "tellings that hang",
    "tellings that panic",
    "tellings that are refused",
    "tellings that are put off",
];

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeMap<&'static str, u64>);

impl Coverage {
    pub fn count(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    pub fn add(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            self.count(what, *times);
        }
    }

    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, times)| writeln!(f, "{times:>10}  {what}"))
    }
}
