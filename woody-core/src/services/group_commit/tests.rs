use std::sync::{
    Mutex as Lock,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::Semaphore;

use super::*;
use crate::ports::{BrokerError, StoreError};

impl Weight for () {
    fn bytes(&self) -> usize {
        0
    }
}
impl Weight for u32 {
    fn bytes(&self) -> usize {
        0
    }
}
impl Weight for usize {
    fn bytes(&self) -> usize {
        0
    }
}
impl Weight for &'static str {
    fn bytes(&self) -> usize {
        self.len()
    }
}

const LIMITS: GroupLimits = GroupLimits { waiting: 64, bytes: 64, batch: 16, lanes: 1 };

#[tokio::test]
async fn callers_that_wait_share_the_next_commit() {
    let tasks = TaskTracker::new();
    let (gate, commits) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let group = {
        let (gate, commits) = (Arc::clone(&gate), Arc::clone(&commits));
        GroupCommit::start(&tasks, LIMITS, move |items: Vec<u32>| {
            let (gate, commits) = (Arc::clone(&gate), Arc::clone(&commits));
            async move {
                gate.acquire().await.unwrap().forget();
                commits.fetch_add(1, Ordering::SeqCst);
                Ok::<Vec<u32>, StoreError>(items.into_iter().map(|n| n * 2).collect())
            }
        })
    };
    let first = group.submit(1);
    let rest = futures::future::join_all((2..=10).map(|n| group.submit(n)));
    let release = async {
        // Both futures have been polled by now, so all ten wait.
        gate.add_permits(2);
    };
    let (first, rest, ()) = tokio::join!(first, rest, release);
    assert_eq!(first.unwrap(), 2);
    let rest: Vec<u32> = rest.into_iter().map(Result::unwrap).collect();
    assert_eq!(rest, (2..=10).map(|n| n * 2).collect::<Vec<_>>());
    assert!(commits.load(Ordering::SeqCst) <= 2);
    drop(group);
    tasks.close();
    tasks.wait().await;
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let tasks = TaskTracker::new();
    let limits = GroupLimits { waiting: 1, bytes: 0, batch: 1, lanes: 1 };
    let group = GroupCommit::start(&tasks, limits, |_: Vec<()>| {
        std::future::pending::<Result<Vec<()>, StoreError>>()
    });
    // On this single-threaded runtime the lane has not run yet: one place is taken.
    let mut waiting = Box::pin(group.submit(()));
    assert!(futures::poll!(&mut waiting).is_pending());
    assert!(matches!(group.submit(()).await, Err(GroupError::Full)));
}

#[tokio::test]
async fn what_waits_is_bounded_in_bytes_too() {
    let tasks = TaskTracker::new();
    let limits = GroupLimits { waiting: 64, bytes: 10, batch: 1, lanes: 1 };
    let gate = Arc::new(Semaphore::new(0));
    let group = GroupCommit::start(&tasks, limits, {
        let gate = Arc::clone(&gate);
        move |items: Vec<&'static str>| {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                Ok::<_, StoreError>(items)
            }
        }
    });
    let mut first = Box::pin(group.submit("seven c"));
    assert!(futures::poll!(&mut first).is_pending());
    assert!(matches!(group.submit("four").await, Err(GroupError::Full)));
    let mut second = Box::pin(group.submit("two"));
    assert!(futures::poll!(&mut second).is_pending());
    gate.add_permits(3);
    assert_eq!(first.await.unwrap(), "seven c");
    assert_eq!(second.await.unwrap(), "two");
    // An item that has its result leaves room.
    assert_eq!(group.submit("ten bytes!").await.unwrap(), "ten bytes!");
}

type Sizes = Arc<Lock<Vec<usize>>>;

/// A group, and how large its commits were.
fn sized(limits: GroupLimits) -> (GroupCommit<u32, u32, StoreError>, Sizes) {
    let sizes = Sizes::default();
    let seen = Arc::clone(&sizes);
    let group = GroupCommit::start(&TaskTracker::new(), limits, move |items: Vec<u32>| {
        seen.lock().unwrap().push(items.len());
        async move { Ok::<_, StoreError>(items) }
    });
    (group, sizes)
}

#[tokio::test]
async fn what_is_handed_over_together_is_committed_together() {
    let (group, sizes) = sized(LIMITS);
    let alone: Vec<_> = (0..10).map(|n| group.enqueue(n).unwrap()).collect();
    // Ten of them would fit with seven of these, and these are not parted.
    let together = group.enqueue_all((10..20).collect());
    let many = group.enqueue_all((20..60).collect());
    let last = group.enqueue(60).unwrap();
    let all = alone.into_iter().chain([together, many].into_iter().flatten().map(Result::unwrap));
    for (n, mut underway) in (0..).zip(all.chain([last])) {
        assert_eq!(underway.result().await.unwrap(), n);
    }
    // Of the forty, what one commit cannot have is in the next ones.
    assert_eq!(*sizes.lock().unwrap(), [10, 10, 16, 16, 9]);
}

#[tokio::test]
async fn of_what_is_handed_over_together_only_that_is_refused_which_has_no_place() {
    let (group, sizes) = sized(GroupLimits { waiting: 5, ..LIMITS });
    let taken = group.enqueue_all((0..7).collect());
    assert_eq!(taken.len(), 7);
    for (n, taken) in (0..).zip(taken) {
        match taken {
            Ok(mut underway) if n < 5 => assert_eq!(underway.result().await.unwrap(), n),
            Err(GroupError::Full) if n >= 5 => {}
            _ => panic!("item {n}"),
        }
    }
    assert_eq!(*sizes.lock().unwrap(), [5]);
    assert!(group.enqueue_all(vec![]).is_empty());
    // Their places are free again.
    assert!(group.enqueue_all((0..5).collect()).iter().all(Result::is_ok));
}

/// Submits `0..items` at once to a store that refuses those in `bad`; returns which
/// were taken, and how many commits that took.
async fn submitted(
    items: usize,
    bad: impl Fn(usize) -> bool + Copy + Send + Sync + 'static,
) -> (Vec<bool>, usize) {
    let commits = Arc::new(AtomicUsize::new(0));
    let limits = GroupLimits { waiting: items, bytes: 0, batch: items, lanes: 1 };
    let group = GroupCommit::start(&TaskTracker::new(), limits, {
        let commits = Arc::clone(&commits);
        move |items: Vec<usize>| {
            commits.fetch_add(1, Ordering::SeqCst);
            async move {
                match items.iter().find(|item| bad(**item)) {
                    Some(item) => Err(StoreError::refused(format!("item {item}"))),
                    None => Ok(items),
                }
            }
        }
    });
    let submits = futures::future::join_all((0..items).map(|item| group.submit(item))).await;
    let taken = submits.into_iter().enumerate().map(|(item, answer)| match answer {
        Ok(answer) => answer == item,
        Err(GroupError::Failed(error)) => {
            assert!(!error.is_transient(), "{error:?}");
            false
        }
        Err(error) => panic!("{error}"),
    });
    (taken.collect(), commits.load(Ordering::SeqCst))
}

#[tokio::test]
async fn an_item_that_is_refused_holds_up_no_other() {
    type Case = (usize, fn(usize) -> bool);
    let cases: [Case; 6] = [
        (2, |item| item == 1),
        (512, |item| item == 0),
        (512, |item| item == 511),
        (511, |item| item % 100 == 7),
        // Sixteen bad ones in front, and sixteen alone.
        (512, |item| item < 16),
        (16, |_| true),
    ];
    for (items, bad) in cases {
        let (taken, _) = submitted(items, bad).await;
        assert_eq!(taken, (0..items).map(|item| !bad(item)).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_store_that_takes_nothing_is_not_asked_for_each_item() {
    let (taken, commits) = submitted(512, |_| true).await;
    assert!(taken.iter().all(|taken| !taken));
    assert_eq!(commits, 1 + 2 + 4 + 8 + 16);
}

#[tokio::test]
async fn limits_beyond_all_bounds_are_held_within_them() {
    for limit in [0, usize::MAX] {
        let tasks = TaskTracker::new();
        let limits = GroupLimits { waiting: limit, bytes: limit, batch: limit, lanes: limit };
        let group = GroupCommit::start(&tasks, limits, |items: Vec<u32>| async {
            Ok::<Vec<u32>, StoreError>(items)
        });
        assert_eq!(group.submit(1).await.unwrap(), 1);
        drop(group);
        tasks.close();
        tasks.wait().await;
    }
}

#[tokio::test]
async fn a_failed_batch_fails_every_caller() {
    let tasks = TaskTracker::new();
    let group = GroupCommit::start(&tasks, LIMITS, |_: Vec<u32>| async {
        Err::<Vec<u32>, _>(StoreError::unavailable("gone"))
    });
    let (a, b) = tokio::join!(group.submit(1), group.submit(2));
    for outcome in [a, b] {
        assert!(matches!(outcome, Err(GroupError::Failed(error)) if error.is_transient()));
    }
}

#[tokio::test]
async fn a_result_too_few_is_an_error_of_the_commit() {
    let tasks = TaskTracker::new();
    let group = GroupCommit::start(&tasks, LIMITS, |_: Vec<u32>| async {
        Ok::<Vec<u32>, BrokerError>(Vec::new())
    });
    let outcome = group.submit(1).await;
    assert!(matches!(outcome, Err(GroupError::Failed(error)) if !error.is_transient()));
}
