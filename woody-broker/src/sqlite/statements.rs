//! Every statement, each a function. A list is bound as one JSON parameter, bodies
//! as one blob that the statement cuts up, so that a group of any size is one call.

use bytes::Bytes;
use serde::Serialize;
use sqlx::{FromRow, SqliteConnection, SqlitePool, sqlite::SqliteRow};
use time::OffsetDateTime;
use woody_core::{
    domain::{Reason, now},
    ports::{DeadLetter, DeadLetterId, QueueDepth, Waiting},
};

/// How many bytes of bodies go into one statement.
const CHUNK: usize = 4 * 1024 * 1024;

/// A claimed message.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) attempts: u32,
    pub(super) seen: bool,
    pub(super) redriven: bool,
    pub(super) body: Vec<u8>,
}

/// By hand: sqlx's derive would have the driver built a second time.
impl FromRow<'_, SqliteRow> for Row {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        use sqlx::Row as _;
        Ok(Self {
            id: row.try_get("id")?,
            attempts: row.try_get("attempts")?,
            seen: row.try_get("seen")?,
            redriven: row.try_get("redriven")?,
            body: row.try_get("body")?,
        })
    }
}

/// Returns microseconds since 1970.
pub(super) fn micros(time: OffsetDateTime) -> i64 {
    i64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}

/// Names the queue, unless it has a name; returns its name.
pub(super) async fn name_queue(
    db: &mut SqliteConnection,
    name: &str,
) -> Result<String, sqlx::Error> {
    sqlx::query("INSERT INTO queue (name) SELECT ? WHERE NOT EXISTS (SELECT 1 FROM queue)")
        .bind(name)
        .execute(&mut *db)
        .await?;
    sqlx::query_scalar("SELECT name FROM queue").fetch_one(db).await
}

/// Registers a new holder; returns its number.
pub(super) async fn add_holder(db: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("INSERT INTO holders DEFAULT VALUES RETURNING id").fetch_one(db).await
}

/// Returns the holders other than `own`.
pub(super) async fn other_holders(
    db: &mut SqliteConnection,
    own: i64,
) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT id FROM holders WHERE id <> ?").bind(own).fetch_all(db).await
}

/// Removes holders, and gives back what no registered holder holds; returns how many
/// messages that were.
pub(super) async fn remove_holders(
    db: &mut SqliteConnection,
    ids: &[i64],
) -> Result<u64, sqlx::Error> {
    sqlx::query("DELETE FROM holders WHERE id IN (SELECT value FROM json_each(?))")
        .bind(json(ids))
        .execute(&mut *db)
        .await?;
    let back = sqlx::query(
        "UPDATE messages SET holder = NULL, seen = 1
         WHERE holder IS NOT NULL AND holder NOT IN (SELECT id FROM holders)",
    );
    Ok(back.execute(db).await?.rows_affected())
}

/// Writes how many consumers a holder has; returns whether it is registered.
pub(super) async fn count_consumers(
    db: &mut SqliteConnection,
    holder: i64,
    consumers: usize,
) -> Result<bool, sqlx::Error> {
    let noted = sqlx::query("UPDATE holders SET consumers = ?2 WHERE id = ?1")
        .bind(holder)
        .bind(count(consumers))
        .execute(db)
        .await?;
    Ok(noted.rows_affected() == 1)
}

/// Appends messages to the queue, each marked if it is redriven.
pub(super) async fn publish<'a>(
    db: &mut SqliteConnection,
    bodies: impl Iterator<Item = &'a Bytes>,
    redriven: bool,
) -> Result<(), sqlx::Error> {
    let mut blob = Vec::new();
    let mut cuts: Vec<(usize, usize)> = Vec::new();
    for body in bodies {
        if !cuts.is_empty() && blob.len() + body.len() > CHUNK {
            let cuts = std::mem::take(&mut cuts);
            publish_chunk(db, std::mem::take(&mut blob), &cuts, redriven).await?;
        }
        // SQLite counts bytes from one.
        cuts.push((blob.len() + 1, body.len()));
        blob.extend_from_slice(body);
    }
    if cuts.is_empty() { Ok(()) } else { publish_chunk(db, blob, &cuts, redriven).await }
}

async fn publish_chunk(
    db: &mut SqliteConnection,
    blob: Vec<u8>,
    cuts: &[(usize, usize)],
    redriven: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO messages (redriven, body)
         SELECT ?3, substr(?1, value ->> 0, value ->> 1) FROM json_each(?2) ORDER BY key",
    )
    .bind(blob)
    .bind(json(cuts))
    .bind(redriven)
    .execute(db)
    .await?;
    Ok(())
}

/// Gives back those of the messages that `holder` holds; returns how many.
pub(super) async fn release(
    db: &mut SqliteConnection,
    holder: i64,
    ids: &[i64],
) -> Result<u64, sqlx::Error> {
    let back = sqlx::query(
        "UPDATE messages SET holder = NULL, seen = 1
         WHERE id IN (SELECT value FROM json_each(?2)) AND holder = ?1",
    );
    Ok(back.bind(holder).bind(json(ids)).execute(db).await?.rows_affected())
}

/// A message to be delayed: its id, when it is due, the attempts that are added, why.
#[derive(Debug, Serialize)]
pub(super) struct Later<'a>(pub(super) i64, pub(super) i64, pub(super) u32, pub(super) &'a Reason);

/// Copies messages to the delayed ones.
pub(super) async fn delay(
    db: &mut SqliteConnection,
    holder: i64,
    later: &[Later<'_>],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO delayed (due, attempts, redriven, reason, body)
         SELECT value ->> 1, m.attempts + (value ->> 2), m.redriven, value ->> 3, m.body
         FROM json_each(?2) JOIN messages m ON m.id = value ->> 0
         WHERE m.holder = ?1 ORDER BY key",
    )
    .bind(holder)
    .bind(json(later))
    .execute(db)
    .await?;
    Ok(())
}

/// Copies messages to the dead letters: `(id, reason)`.
pub(super) async fn bury(
    db: &mut SqliteConnection,
    holder: i64,
    dead: &[(i64, &Reason)],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO dead (attempts, died_at, reason, body)
         SELECT m.attempts + 1, ?3, value ->> 1, m.body
         FROM json_each(?2) JOIN messages m ON m.id = value ->> 0
         WHERE m.holder = ?1 ORDER BY key",
    )
    .bind(holder)
    .bind(json(dead))
    .bind(micros(now()))
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes those of the messages that `holder` holds; returns how many.
pub(super) async fn remove(
    db: &mut SqliteConnection,
    holder: i64,
    ids: &[i64],
) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query(
        "DELETE FROM messages WHERE id IN (SELECT value FROM json_each(?2)) AND holder = ?1",
    );
    Ok(gone.bind(holder).bind(json(ids)).execute(db).await?.rows_affected())
}

/// Appends to the queue the delayed messages that are due.
pub(super) async fn bring_back_what_is_due(db: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let due = micros(now());
    sqlx::query(
        "INSERT INTO messages (attempts, seen, redriven, reason, body)
         SELECT attempts, 1, redriven, reason, body FROM delayed WHERE due <= ? ORDER BY due, id",
    )
    .bind(due)
    .execute(&mut *db)
    .await?;
    sqlx::query("DELETE FROM delayed WHERE due <= ?").bind(due).execute(db).await?;
    Ok(())
}

/// Returns when the next delayed message is due.
pub(super) async fn next_due(db: &mut SqliteConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar("SELECT min(due) FROM delayed").fetch_one(db).await
}

/// Whether a message is ready.
pub(super) async fn any_ready(db: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM messages WHERE holder IS NULL)")
        .fetch_one(db)
        .await
}

/// Claims at most `limit` messages for `holder`, in the queue's order.
pub(super) async fn claim(
    db: &mut SqliteConnection,
    holder: i64,
    limit: usize,
) -> Result<Vec<Row>, sqlx::Error> {
    let mut rows: Vec<Row> = sqlx::query_as(
        "UPDATE messages SET holder = ?1
         WHERE id IN (SELECT id FROM messages WHERE holder IS NULL ORDER BY id LIMIT ?2)
         RETURNING id, attempts, seen, redriven, body",
    )
    .bind(holder)
    .bind(count(limit))
    .fetch_all(db)
    .await?;
    // RETURNING guarantees no order.
    rows.sort_unstable_by_key(|row| row.id);
    Ok(rows)
}

/// Puts dead letters back on the queue; returns how many.
pub(super) async fn redrive(db: &mut SqliteConnection, ids: &[i64]) -> Result<u64, sqlx::Error> {
    sqlx::query(
        "INSERT INTO messages (redriven, body)
         SELECT 1, body FROM dead WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
    )
    .bind(json(ids))
    .execute(&mut *db)
    .await?;
    purge(db, ids).await
}

/// Deletes dead letters; returns how many.
pub(super) async fn purge(db: &mut SqliteConnection, ids: &[i64]) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query("DELETE FROM dead WHERE id IN (SELECT value FROM json_each(?))");
    Ok(gone.bind(json(ids)).execute(db).await?.rows_affected())
}

/// Counts messages and consumers.
pub(super) async fn depth(db: &SqlitePool) -> Result<QueueDepth, sqlx::Error> {
    let counted = sqlx::query_as(
        "SELECT ready + due, in_flight, later, (SELECT count(*) FROM dead),
                (SELECT coalesce(sum(consumers), 0) FROM holders)
         FROM (SELECT count(*) - count(holder) AS ready, count(holder) AS in_flight FROM messages),
              (SELECT count(*) FILTER (WHERE due <= ?1) AS due,
                      count(*) FILTER (WHERE due > ?1) AS later FROM delayed)",
    );
    let (ready, in_flight, delayed, dead, consumers): (i64, i64, i64, i64, i64) =
        counted.bind(micros(now())).fetch_one(db).await?;
    let [ready, in_flight, delayed, dead, consumers] =
        [ready, in_flight, delayed, dead, consumers].map(i64::unsigned_abs);
    Ok(QueueDepth { ready, in_flight: Some(in_flight), delayed, dead, consumers: Some(consumers) })
}

/// How many messages are counted one by one.
const COUNTED: i64 = 1_000;

/// Counts what waits, and consumers. Of a long queue the ends are read: few ids between them are
/// free, since the lowest are the next to go.
pub(super) async fn waiting(db: &SqlitePool) -> Result<Waiting, sqlx::Error> {
    let counted = sqlx::query_as(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM messages WHERE holder IS NULL LIMIT ?1)),
                (SELECT coalesce(max(id) - min(id) + 1, 0) FROM
                    (SELECT (SELECT min(id) FROM messages) AS id
                     UNION ALL SELECT (SELECT max(id) FROM messages))),
                (SELECT coalesce(sum(consumers), 0) FROM holders)",
    );
    let (counted, between, consumers): (i64, i64, i64) =
        counted.bind(COUNTED).fetch_one(db).await?;
    let messages = if counted < COUNTED { counted } else { between.max(counted) };
    let (messages, consumers) = (messages.unsigned_abs(), Some(consumers.unsigned_abs()));
    Ok(Waiting { messages, consumers })
}

/// Returns the oldest dead letters.
pub(super) async fn dead_letters(
    db: &SqlitePool,
    limit: usize,
) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let letters: Vec<(i64, u32, i64, String, Vec<u8>)> =
        sqlx::query_as("SELECT id, attempts, died_at, reason, body FROM dead ORDER BY id LIMIT ?")
            .bind(count(limit))
            .fetch_all(db)
            .await?;
    let letter = |(id, attempts, died_at, reason, body): (i64, u32, i64, String, Vec<u8>)| {
        let nanos = i128::from(died_at) * 1_000;
        DeadLetter {
            id: DeadLetterId::new(id.to_string()),
            body: body.into(),
            reason: reason.into(),
            attempts,
            died_at: OffsetDateTime::from_unix_timestamp_nanos(nanos).ok(),
        }
    };
    Ok(letters.into_iter().map(letter).collect())
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn json<T: Serialize + ?Sized>(list: &T) -> String {
    // Lists of numbers and texts: serialising them cannot fail.
    serde_json::to_string(list).unwrap_or_default()
}
