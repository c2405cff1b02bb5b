use super::{
    answer::{Answers, answer, fail},
    error::CommitError,
};

/// A batch whose pieces were refused, all of this many, is refused: it is not one
/// item's fault, and a store that takes nothing is not called a thousand times.
const ALL_REFUSED: usize = 16;

/// Commits a batch, and what of it is refused in halves.
pub(super) async fn commit_in_halves<T, R, E, F, Fut>(batch: (Vec<T>, Answers<R, E>), commit: &F)
where
    T: Clone,
    E: CommitError,
    F: Fn(Vec<T>) -> Fut,
    Fut: Future<Output = Result<Vec<R>, E>>,
{
    let mut pieces = vec![batch];
    let mut taken = false;
    while !pieces.is_empty() {
        let mut refused = Vec::new();
        for (items, answers) in pieces {
            // One item alone cannot be halved.
            let kept = if items.len() > 1 { items.clone() } else { vec![] };
            match commit(items).await {
                Err(error) if !kept.is_empty() && error.may_be_one_items_fault() => {
                    refused.push((kept, answers, error));
                }
                outcome => {
                    taken |= outcome.is_ok();
                    answer(answers, outcome);
                }
            }
        }
        let everything = !taken && refused.len() >= ALL_REFUSED;
        pieces = Vec::new();
        for (mut items, mut answers, error) in refused {
            if everything {
                fail(answers, error);
                continue;
            }
            let half = items.len() / 2;
            let others = (items.split_off(half), answers.split_off(half));
            pieces.extend([(items, answers), others]);
        }
    }
}
