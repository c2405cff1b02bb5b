//! A validator that fails, panics, hangs, and never says the same twice.

use std::{future::pending, time::Duration};

use async_trait::async_trait;
use woody_core::{
    domain::NewOrder,
    ports::{ValidateError, Validator, Verdict},
};

use crate::{
    call::{Wire, pass},
    order::TownOrder,
    world::Inner,
};

pub struct SimValidator(pub Wire);

enum Mishap {
    Transient,
    Permanent,
    Unavailable,
    Refused,
    Undecided,
    Panic,
    Hang,
    Slow(Duration),
    None,
}

fn mishap(inner: &mut Inner) -> Mishap {
    if inner.validator_is_away {
        inner.count("validations without their dependency");
        return Mishap::Unavailable;
    }
    if !inner.per_mille(inner.mood.validator_faults) {
        return Mishap::None;
    }
    let (mishap, what) = match inner.rng.u8(..10) {
        0..=2 => (Mishap::Transient, "validations that fail for now"),
        3 => (Mishap::Permanent, "validations that fail for good"),
        4 => (Mishap::Unavailable, "validations without their dependency"),
        5 => (Mishap::Panic, "validations that panic"),
        6 => (Mishap::Hang, "validations that hang"),
        7 => (Mishap::Refused, "validations that a store refuses"),
        8 => (Mishap::Undecided, "validations that fail, who knows why"),
        _ => (Mishap::Slow(inner.ms(100, 999)), "validations that take long"),
    };
    inner.count(what);
    mishap
}

impl Inner {
    /// Whether the order ends the process that validates it.
    fn is_killer(&mut self, order: &NewOrder<TownOrder>) -> bool {
        let name = order.details.name();
        let number = name.strip_prefix('o').and_then(|rest| rest.parse::<u32>().ok());
        let kills = number.is_some_and(|number| number < self.mood.killers);
        if kills {
            self.count("workers killed by their order");
            self.say(|| format!("{name} kills its worker"));
        }
        kills
    }
}

#[async_trait]
impl Validator<TownOrder> for SimValidator {
    async fn validate(&self, order: &NewOrder<TownOrder>) -> Result<Verdict, ValidateError> {
        let Wire { world, life } = &self.0;
        pass(world.with(|inner| inner.ms(0, inner.mood.work))).await;
        life.or_stop().await;
        if world.with(|inner| inner.is_killer(order)) {
            life.end();
            let (no, noticed_after) = (life.no, world.with(|inner| inner.ms(0, 2_000)));
            world.later(noticed_after, move |inner| inner.connection_breaks(no));
            life.or_stop().await;
        }
        match world.with(mishap) {
            Mishap::Transient => return Err(ValidateError::Transient("the saw is stuck".into())),
            Mishap::Permanent => return Err(ValidateError::Permanent("no such wood".into())),
            Mishap::Unavailable => {
                return Err(ValidateError::Unavailable("the sawmill is closed".into()));
            }
            Mishap::Refused => return Err(ValidateError::Refused("no right to read".into())),
            Mishap::Undecided => return Err(ValidateError::Undecided("no order succeeds".into())),
            // Unlike `panic!`, this prints nothing.
            Mishap::Panic => std::panic::resume_unwind(Box::new("splinter")),
            Mishap::Hang => return pending().await,
            Mishap::Slow(time) => pass(time).await,
            Mishap::None => {}
        }
        life.or_stop().await;
        // Each verdict is told from the others, and they need not agree.
        let nth = world.with(|inner| {
            inner.count("validations that reach a verdict");
            inner.ledger.verdicts += 1;
            inner.ledger.verdicts
        });
        let why = format!("{} by verdict {nth}", order.details.name()).into();
        Ok(if nth % 3 == 0 { Verdict::Rejected(why) } else { Verdict::Success(Some(why)) })
    }
}
