//! The clauses of [`Pauses`]' contract.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc)]

use std::sync::Arc;

use futures::future::join_all;
use time::Duration;

use super::{HARD_TEXTS, OrderType};
use crate::domain::{Label, Reason, now};
use crate::ports::Pauses;

/// No clause is about orders.
pub const ORDER_TYPES: &[OrderType] = OrderType::ONE;

/// Runs every clause against what `fresh` returns.
#[macro_export]
macro_rules! pauses_contract {
    ($(#[$attr:meta])* $fresh:path) => {
        $crate::__contract_clauses! {
            [$(#[$attr])*] $fresh, $crate::contract::pauses =>
            nobody_is_paused_at_first
            a_pause_lasts_until_it_is_ended
            a_second_pause_leaves_the_first_as_it_is
            ending_no_pause_changes_nothing
            a_pause_is_stamped_by_the_store
            every_character_of_a_pause_survives
            pauses_at_once_are_one
        }
    };
}

/// Workers of a new shop work.
pub async fn nobody_is_paused_at_first(pauses: Arc<dyn Pauses>) {
    assert_eq!(pauses.current().await.unwrap(), None);
}

/// Whoever asks, and how often.
pub async fn a_pause_lasts_until_it_is_ended(pauses: Arc<dyn Pauses>) {
    for because in [Some(Reason::new("a new saw")), None] {
        let pause = pauses.pause(&"ada".into(), because.clone()).await.unwrap();
        assert_eq!((&pause.by, &pause.because), (&"ada".into(), &because));
        for _ in 0..2 {
            assert_eq!(pauses.current().await.unwrap(), Some(pause.clone()));
        }
        assert_eq!(pauses.resume().await.unwrap(), Some(pause));
        assert_eq!(pauses.current().await.unwrap(), None);
    }
}

/// Who began it, when and why is what the others want to know.
pub async fn a_second_pause_leaves_the_first_as_it_is(pauses: Arc<dyn Pauses>) {
    let first = pauses.pause(&"ada".into(), Some("a new saw".into())).await.unwrap();
    let second = pauses.pause(&"bob".into(), Some("lunch".into())).await.unwrap();
    assert_eq!(second, first);
    assert_eq!(pauses.current().await.unwrap(), Some(first.clone()));
    assert_eq!(pauses.resume().await.unwrap(), Some(first));
    let later = pauses.pause(&"bob".into(), None).await.unwrap();
    assert_eq!((later.by, later.because), ("bob".into(), None));
}

/// Somebody else may have ended it.
pub async fn ending_no_pause_changes_nothing(pauses: Arc<dyn Pauses>) {
    for _ in 0..2 {
        assert_eq!(pauses.resume().await.unwrap(), None);
        assert_eq!(pauses.current().await.unwrap(), None);
    }
}

/// One clock for all operators.
pub async fn a_pause_is_stamped_by_the_store(pauses: Arc<dyn Pauses>) {
    let first = pauses.pause(&"ada".into(), None).await.unwrap();
    // Of a server on another machine.
    let apart = (first.since - now()).abs();
    assert!(apart < Duration::hours(1), "{apart}");
    let _ = pauses.resume().await.unwrap();
    let second = pauses.pause(&"ada".into(), None).await.unwrap();
    assert!(second.since >= first.since);
}

/// Names and reasons are any text.
pub async fn every_character_of_a_pause_survives(pauses: Arc<dyn Pauses>) {
    for text in HARD_TEXTS {
        let (by, because) = (Label::new(text), Some(Reason::new(text)));
        let pause = pauses.pause(&by, because.clone()).await.unwrap();
        assert_eq!((&pause.by, &pause.because), (&by, &because));
        assert_eq!(pauses.resume().await.unwrap(), Some(pause));
    }
}

/// Everybody is told of the same one.
pub async fn pauses_at_once_are_one(pauses: Arc<dyn Pauses>) {
    let names: Vec<Label> = (0..8).map(|n| Label::new(format!("operator {n}"))).collect();
    let made = join_all(names.iter().map(|by| pauses.pause(by, None))).await;
    let made: Vec<_> = made.into_iter().map(Result::unwrap).collect();
    assert!(made.iter().all(|pause| pause == &made[0]), "{made:?}");
    let ended = join_all((0..8).map(|_| pauses.resume())).await;
    let ended: Vec<_> = ended.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(ended, [made[0].clone()]);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_suite_forgets_no_clause() {
        let source = include_str!("pauses.rs");
        assert_eq!(super::super::unlisted_clauses(source, &[source]), Vec::<&str>::new());
    }
}
