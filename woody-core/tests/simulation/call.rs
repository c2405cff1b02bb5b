//! One call from a process to a dependency: on its way for some time, lost
//! before or after it has taken effect, or taking effect long after its caller
//! was told that it failed.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::world::{Dep, Inner, Life, Link, World};

/// The call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It is not known whether it took effect.
    Unknown,
    /// It was refused: it did not.
    Refused,
}

/// How far an effect that is lost half way gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Whole,
    /// Where a call is not atomic, only its beginning.
    Part,
}

/// A process's way to a dependency.
#[derive(Clone)]
pub struct Wire {
    pub world: Arc<World>,
    pub life: Life,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    there: Duration,
    fate: Fate,
    back: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    LostBefore,
    LostAfter,
    LostHalfWay,
    Late(Duration),
    Refused,
}

impl Wire {
    /// Calls `dep`; `effect` is what the call does there.
    pub async fn call<T, F>(&self, dep: Dep, op: &'static str, effect: F) -> Result<T, Lost>
    where
        T: Send,
        F: FnOnce(&mut Inner, Reach) -> T + Send + 'static,
    {
        let plan = self.world.with(|inner| plan(inner, dep, op));
        let mut trouble = Trouble { wire: self, dep, counts: is_intakes(op), began: false };
        if plan.is_trouble() {
            trouble.begin();
        }
        let mut going = Going { wire: self, dep, effect: Some(effect) };
        pass(plan.there).await;
        if self.life.is_over() {
            drop(going);
            return std::future::pending().await;
        }
        let link = || self.world.with(|inner| inner.link_of(self.life.no, dep));
        if link() == Link::Silent {
            trouble.begin();
            self.wait_for_word(dep).await;
        }
        let result = match (link(), plan.fate) {
            (Link::Up, Fate::Done) => going.arrive(Reach::Whole),
            (Link::Up, Fate::LostAfter) => going.arrive(Reach::Whole).and(None),
            (Link::Up, Fate::LostHalfWay) => going.arrive(Reach::Part).and(None),
            (Link::Up, Fate::Late(delay)) => {
                going.arrive_late(delay);
                None
            }
            (Link::Silent, _) if self.world.with(|inner| inner.rng.bool()) => {
                let delay = self.world.with(|inner| inner.ms(1, 3_000));
                going.arrive_late(delay);
                None
            }
            _ => None,
        };
        going.effect = None;
        if result.is_none() {
            trouble.begin();
            self.world.with(|inner| {
                inner.say(|| format!("p{} {} {op} is lost", self.life.no, dep.name()));
            });
        }
        pass(plan.back).await;
        self.life.or_stop().await;
        if result.is_some() && dep == Dep::Store && tells_of_the_store(op) {
            self.world.with(|inner| inner.unaware.remove(&self.life.no));
        }
        result.ok_or(if plan.fate == Fate::Refused { Lost::Refused } else { Lost::Unknown })
    }

    /// Waits until a silent dependency speaks, or the call's limit.
    async fn wait_for_word(&self, dep: Dep) {
        let limit = Instant::now() + self.world.with(|inner| inner.mood.call_limit);
        // Links change rarely; the broker's bell rings at each change of either.
        while self.world.with(|inner| inner.link(dep)) == Link::Silent {
            if timeout_at(limit, self.world.queue_changed.notified()).await.is_err() {
                return;
            }
        }
    }
}

fn plan(inner: &mut Inner, dep: Dep, op: &'static str) -> Plan {
    let (mut there, mut back) = (usual(inner), usual(inner));
    if inner.per_mille(inner.mood.slow) {
        inner.count("slow calls");
        let extra = inner.ms(100, 900);
        *(if inner.rng.bool() { &mut there } else { &mut back }) += extra;
    }
    let fate = if inner.per_mille(inner.mood.faults[dep as usize]) {
        // A batch may be published in part, and a message be moved and not removed. A
        // broker knows when the connection of a delivery is gone, so no ack comes late.
        let (fate, what) = match (inner.rng.u8(..5), op) {
            (0, _) | (1, "settle") => (Fate::LostBefore, "calls lost before their effect"),
            (1, _) => (Fate::Late(inner.ms(1, 3_000)), "calls that arrive after they failed"),
            (2, _) => (Fate::Refused, "calls that are refused"),
            (3, "publish" | "settle") => (Fate::LostHalfWay, "calls lost half way through"),
            _ => (Fate::LostAfter, "calls lost after their effect"),
        };
        inner.count(what);
        fate
    } else {
        Fate::Done
    };
    Plan { there, fate, back }
}

/// The time of a call's way when nothing is wrong; often none.
pub fn usual(inner: &mut Inner) -> Duration {
    if inner.mood.latency == 0 || inner.rng.bool() {
        return Duration::ZERO;
    }
    inner.ms(1, inner.mood.latency)
}

pub async fn pass(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

impl Plan {
    fn is_trouble(&self) -> bool {
        self.fate != Fate::Done || self.there + self.back >= Duration::from_millis(100)
    }
}

/// A call that has not arrived. One whose caller dies or gives it up may have
/// left the house already.
struct Going<'a, T, F: FnOnce(&mut Inner, Reach) -> T> {
    wire: &'a Wire,
    dep: Dep,
    effect: Option<F>,
}

impl<T, F: FnOnce(&mut Inner, Reach) -> T> Going<'_, T, F> {
    fn arrive(&mut self, reach: Reach) -> Option<T> {
        let effect = self.effect.take()?;
        let result = self.wire.world.with(|inner| effect(inner, reach));
        if self.dep == Dep::Broker {
            self.wire.world.queue_changed.notify_waiters();
        }
        Some(result)
    }

    fn arrive_late(&mut self, delay: Duration)
    where
        F: Send + 'static,
    {
        let (Some(effect), dep) = (self.effect.take(), self.dep) else { return };
        self.wire.world.later(delay, move |inner| {
            if inner.link(dep) == Link::Up {
                inner.say(|| format!("{} receives a call that was given up", dep.name()));
                effect(inner, Reach::Whole);
            }
        });
    }
}

impl<T, F: FnOnce(&mut Inner, Reach) -> T> Drop for Going<'_, T, F> {
    fn drop(&mut self) {
        let Some(effect) = self.effect.take() else { return };
        let dep = self.dep;
        self.wire.world.with(|inner| {
            if !inner.over && inner.link(dep) == Link::Up && inner.rng.bool() {
                inner.count("calls that arrive after their caller died or left");
                inner.say(|| format!("{} receives a call that was dropped", dep.name()));
                effect(inner, Reach::Whole);
            }
        });
        if dep == Dep::Broker {
            self.wire.world.queue_changed.notify_waiters();
        }
    }
}

/// The intake learns of a dependency's health by these.
fn is_intakes(op: &str) -> bool {
    matches!(op, "insert" | "cancel" | "publish")
}

/// A service knows by these that the store is there.
fn tells_of_the_store(op: &str) -> bool {
    matches!(op, "insert" | "cancel" | "order" | "ping")
}

/// Notes while a call is in trouble, which excuses the intake for a while.
struct Trouble<'a> {
    wire: &'a Wire,
    dep: Dep,
    counts: bool,
    began: bool,
}

impl Trouble<'_> {
    fn begin(&mut self) {
        if self.counts && !std::mem::replace(&mut self.began, true) {
            let no = self.wire.life.no;
            self.wire.world.with(|inner| inner.ledger.trouble(no, self.dep).begin());
        }
    }
}

impl Drop for Trouble<'_> {
    fn drop(&mut self) {
        if self.began {
            let no = self.wire.life.no;
            self.wire.world.with(|inner| inner.ledger.trouble(no, self.dep).end());
        }
    }
}
