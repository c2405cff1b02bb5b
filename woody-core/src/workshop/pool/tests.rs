use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use futures::FutureExt;
use futures::future::join_all;

use super::*;

fn pool(threads: usize, waiting: usize) -> HeavyPool {
    HeavyPool::new(HeavyPoolConfig {
        threads: NonZeroUsize::new(threads).unwrap(),
        waiting,
        patience: Duration::from_secs(5),
        limit: Duration::MAX,
        nice: 10,
    })
}

/// Returns a job that runs until it is told to end, and the sender that ends it.
fn held() -> (impl FnOnce() + Send + 'static, mpsc::Sender<()>) {
    let (end, ended) = mpsc::channel();
    (move || ended.recv().unwrap_or_default(), end)
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_there_are_threads() {
    let pool = pool(2, 100);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs = (0..40).map(|n| {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        pool.run(move || {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            thread::yield_now();
            running.fetch_sub(1, Ordering::SeqCst);
            n
        })
    });
    let done: Vec<i32> = join_all(jobs).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(done, (0..40).collect::<Vec<_>>());
    assert!(most.load(Ordering::SeqCst) <= 2);
    assert_eq!(pool.load(), (0, 0));
}

#[tokio::test]
async fn past_the_bound_a_job_is_refused_at_once() {
    let pool = pool(1, 1);
    let ((first, end_first), (second, end_second)) = (held(), held());
    let mut first = Box::pin(pool.run(first));
    assert!(first.as_mut().now_or_never().is_none());
    let mut second = Box::pin(pool.run(second));
    assert!(second.as_mut().now_or_never().is_none());
    assert_eq!(pool.load(), (1, 1));

    assert_eq!(pool.try_run(|| ()).now_or_never(), Some(Err(HeavyError::Busy)));

    end_first.send(()).unwrap();
    end_second.send(()).unwrap();
    assert_eq!((first.await, second.await), (Ok(()), Ok(())));
    assert_eq!(pool.try_run(|| 7).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_place_is_waited_for_only_so_long() {
    let pool = pool(1, 0);
    let (job, end) = held();
    let mut first = Box::pin(pool.run(job));
    assert!(first.as_mut().now_or_never().is_none());
    // The clock is paused: the wait is over as soon as nothing else can happen.
    assert_eq!(pool.run(|| ()).await, Err(HeavyError::Busy));
    drop(end);
    assert_eq!(first.await, Ok(()));
}

#[tokio::test]
async fn a_panic_is_reported_and_its_thread_goes_on() {
    let pool = pool(1, 1);
    let panicked = pool.run(|| -> u8 { panic!("saw blade {}", "broken") }).await;
    assert_eq!(panicked, Err(HeavyError::Panicked("saw blade broken".into())));
    assert_eq!(pool.run(|| 1).await, Ok(1));
}

#[tokio::test]
async fn a_waiting_job_whose_caller_left_never_runs() {
    let pool = pool(1, 1);
    let (job, end) = held();
    let mut first = Box::pin(pool.run(job));
    assert!(first.as_mut().now_or_never().is_none());

    let ran = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&ran);
    let mut left = Box::pin(pool.run(move || counter.fetch_add(1, Ordering::SeqCst)));
    assert!(left.as_mut().now_or_never().is_none());
    drop(left);
    assert_eq!(pool.load(), (1, 0), "its place is free at once");

    drop(end);
    first.await.unwrap();
    pool.run(|| ()).await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_running_job_whose_caller_left_is_not_wanted_and_frees_its_thread() {
    let pool = pool(1, 1);
    let (begun, begins) = oneshot::channel();
    let mut left = Box::pin(pool.run_while_wanted(move |wanted| {
        begun.send(()).unwrap();
        while wanted.go_on() {
            thread::yield_now();
        }
    }));
    assert!(left.as_mut().now_or_never().is_none());
    begins.await.unwrap();
    assert_eq!(pool.load(), (1, 0));
    drop(left);
    // Only its thread can run this.
    assert_eq!(pool.run(|| 7).await, Ok(7));
    assert_eq!(pool.load(), (0, 0));
}

#[tokio::test]
async fn a_job_is_wanted_no_longer_than_the_limit() {
    let pool = HeavyPool::new(HeavyPoolConfig::default().limit(Duration::ZERO));
    let asked = pool.run_while_wanted(|wanted| (wanted.go_on(), wanted.has_caller())).await;
    assert_eq!(asked, Ok((false, true)));
    let pool = HeavyPool::new(HeavyPoolConfig::default().limit(Duration::MAX));
    assert_eq!(pool.run_while_wanted(Wanted::go_on).await, Ok(true));
}

#[tokio::test]
async fn shutdown_ends_what_runs_and_refuses_the_rest() {
    let pool = pool(1, 4);
    let (job, end) = held();
    let mut running = Box::pin(pool.run(job));
    assert!(running.as_mut().now_or_never().is_none());
    let mut waiting = Box::pin(pool.run(|| ()));
    assert!(waiting.as_mut().now_or_never().is_none());

    let mut shutdown = Box::pin(pool.shutdown());
    assert!(shutdown.as_mut().now_or_never().is_none(), "one job still runs");
    assert_eq!(waiting.await, Err(HeavyError::Closed));
    end.send(()).unwrap();
    shutdown.await;
    assert_eq!(running.await, Ok(()));
    assert_eq!(pool.run(|| ()).await, Err(HeavyError::Closed));
    assert_eq!(pool.try_run(|| ()).await, Err(HeavyError::Closed));
    pool.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn only_the_pools_own_threads_have_a_lower_priority() {
    let priority = || rustix::process::getpriority_process(None).unwrap();
    let before = priority();
    let pool = pool(2, 2);
    let inside = pool.run(move || (priority(), thread::current().name().map(str::to_owned))).await;
    let (nice, name) = inside.unwrap();
    assert_eq!(nice, 10);
    assert!(name.unwrap().starts_with("heavy-"));
    assert_eq!(priority(), before);
    assert_eq!(thread::spawn(priority).join().unwrap(), before);
}
