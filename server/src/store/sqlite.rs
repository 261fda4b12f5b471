//! The SQLite store: a read pool, and one writer task with group commit.

use super::after::AfterCommit;
use super::audit;
use crate::{
    Error, Result,
    bus::Bus,
    delivery::append::{Append, Appender},
};
use firstlight_protocol::{ErrorCode, Problem};
use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{
    Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    panic::AssertUnwindSafe,
    path::Path,
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How many jobs wait for the writer before callers are told to come back.
const QUEUE: usize = 8_192;
/// How many jobs share one fsync at most; bounds how long the first of them waits.
const GROUP: usize = 1_024;

/// One SQLite file in WAL mode with `synchronous=FULL`: what is committed survives a power cut.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    read: SqlitePool,
    dispatch: SqlitePool,
    jobs: mpsc::Sender<Job>,
}

/// A transaction as a job sees it.
#[derive(Debug)]
pub struct Tx<'c> {
    /// The writer's connection, inside a savepoint.
    pub conn: &'c mut SqliteConnection,
    /// What the writer knows of rooms; a job that changes a room's epoch or members must make it forget the room.
    pub(crate) appender: &'c mut Appender,
    /// What sockets are told once the transaction is durable.
    pub(crate) after: &'c mut AfterCommit,
    /// Which devices are connected.
    pub(crate) bus: &'c Bus,
    pub(super) audit: &'c mut audit::Head,
}

enum Job {
    Run(Box<dyn Work>),
    Append(Append),
    Close(oneshot::Sender<()>),
}

/// A job with its types forgotten: run inside the transaction, finished after the commit.
trait Work: Send {
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool>;
    fn finish(self: Box<Self>, committed: bool);
}

struct Typed<T, F> {
    job: Option<F>,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Work for Typed<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx<'_>) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let Some(job) = self.job.take() else { return false };
            let result = job(tx).await;
            let ok = result.is_ok();
            self.result = Some(result);
            ok
        })
    }

    fn finish(self: Box<Self>, committed: bool) {
        let result = match self.result {
            Some(Ok(value)) if committed => Ok(value),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Err(Problem::new(ErrorCode::Unavailable).into()),
        };
        // A caller that has gone away doesn't need the answer; the change stands.
        let _ = self.reply.send(result);
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(512)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "8000")
        .pragma("trusted_schema", "OFF")
        .pragma("secure_delete", "ON")
}

impl SqliteStore {
    /// Opens and migrates the file, and starts its writer.
    pub async fn open(file: &Path, bus: Bus) -> Result<Self> {
        let mut conn = SqliteConnection::connect_with(&options(file)).await?;
        sqlx::migrate!("migrations/sqlite")
            .run_direct(None, &mut conn, false)
            .await
            .map_err(|e| Error::internal(format!("database migration: {e}")))?;
        let readers = |count| {
            let pool = SqlitePoolOptions::new().max_connections(count).acquire_timeout(Duration::from_secs(5));
            pool.connect_with(options(file).read_only(true).create_if_missing(false))
        };
        let (read, dispatch) = (readers(4).await?, readers(1).await?);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let audit = audit::Head::load(&mut conn).await?;
        tokio::spawn(writer(conn, queue, audit, bus));
        Ok(Self { read, dispatch, jobs })
    }

    /// A store without a writer: what would be written is refused as unavailable.
    pub(super) fn reader(read: SqlitePool) -> Self {
        let (jobs, _) = mpsc::channel(1);
        Self { dispatch: read.clone(), read, jobs }
    }

    pub(super) fn read(&self) -> &SqlitePool {
        &self.read
    }

    pub(super) fn read_for_dispatch(&self) -> &SqlitePool {
        &self.dispatch
    }

    /// How many jobs wait for the writer.
    pub(super) fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    pub(super) async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx<'_>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.submit(Job::Run(Box::new(Typed { job: Some(job), result: None, reply }))).await?;
        answer.await.map_err(|_| Problem::new(ErrorCode::Unavailable))?
    }

    /// Hands in an application message; its reply is sent after the commit.
    pub(crate) async fn append(&self, append: Append) -> Result<()> {
        self.submit(Job::Append(append)).await
    }

    async fn submit(&self, job: Job) -> Result<()> {
        self.jobs.send(job).await.map_err(|_| Problem::new(ErrorCode::Unavailable).into())
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
        self.read.close().await;
        self.dispatch.close().await;
    }
}

async fn writer(mut conn: SqliteConnection, mut queue: mpsc::Receiver<Job>, audit: audit::Head, bus: Bus) {
    let mut group = Vec::with_capacity(GROUP);
    let mut state = State { appender: Appender::default(), after: AfterCommit::default(), audit };
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let (began, count) = (Instant::now(), group.len());
        let mut outcome = Group::default();
        let audit = state.audit.clone();
        let mut jobs = group.drain(..);
        let work = AssertUnwindSafe(state.transaction(&mut conn, &mut jobs, &mut outcome, &bus));
        // Without its writer the server would stand still for ever, so not even a panic ends it.
        let result = work.catch_unwind().await.unwrap_or_else(|_| Err(Error::internal("the writer panicked")));
        let committed = match result {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "group transaction failed; nothing of it was kept");
                let _ = sqlx::query("ROLLBACK").execute(&mut conn).await;
                state.audit = audit;
                state.after.clear();
                // Nobody waits for an answer that never comes.
                jobs.for_each(|job| outcome.refuse(job, &mut state.appender));
                false
            }
        };
        bus.metrics().committed(count, committed, began.elapsed());
        state.after.publish(&bus);
        state.appender.finish(committed);
        for job in outcome.work {
            job.finish(committed);
        }
        if !outcome.closing.is_empty() {
            let _ = conn.close().await;
            for done in outcome.closing {
                let _ = done.send(());
            }
            return;
        }
    }
}

/// What the writer carries from one group to the next.
struct State {
    appender: Appender,
    after: AfterCommit,
    audit: audit::Head,
}

/// Whom to answer after the commit.
#[derive(Default)]
struct Group {
    work: Vec<Box<dyn Work>>,
    closing: Vec<oneshot::Sender<()>>,
}

impl Group {
    /// Takes in a job that was not begun, for it to be answered after a failed transaction.
    fn refuse(&mut self, job: Job, appender: &mut Appender) {
        match job {
            Job::Append(append) => appender.push(append),
            Job::Close(done) => self.closing.push(done),
            Job::Run(job) => self.work.push(job),
        }
    }
}

impl State {
    async fn transaction(
        &mut self,
        conn: &mut SqliteConnection,
        jobs: &mut (impl Iterator<Item = Job> + Send),
        group: &mut Group,
        bus: &Bus,
    ) -> Result<()> {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await?;
        for job in jobs {
            match job {
                Job::Append(append) => self.appender.push(append),
                Job::Close(done) => group.closing.push(done),
                Job::Run(mut job) => {
                    // Messages handed in before a commit belong to the epoch before it.
                    self.appender.flush(conn, &mut self.after).await?;
                    let (audit, after) = (self.audit.clone(), self.after.mark());
                    sqlx::query("SAVEPOINT job").execute(&mut *conn).await?;
                    let mut tx = Tx {
                        conn: &mut *conn,
                        appender: &mut self.appender,
                        after: &mut self.after,
                        bus,
                        audit: &mut self.audit,
                    };
                    let ok = AssertUnwindSafe(job.run(&mut tx)).catch_unwind().await.unwrap_or_else(|_| {
                        tracing::error!("a job panicked; its changes are undone");
                        false
                    });
                    group.work.push(job);
                    if !ok {
                        sqlx::query("ROLLBACK TO job").execute(&mut *conn).await?;
                        self.audit = audit;
                        self.after.undo(after);
                    }
                    sqlx::query("RELEASE job").execute(&mut *conn).await?;
                }
            }
        }
        self.appender.flush(conn, &mut self.after).await?;
        sqlx::query("COMMIT").execute(&mut *conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::append::{Outcome, Reply},
        store::{FILE, Store},
    };
    use firstlight_protocol::{DeviceId, MessageId, RoomId, Timestamp};

    fn append(reply: mpsc::UnboundedSender<Outcome>) -> Append {
        let (room, sender, id) = (RoomId([1; 16]), DeviceId([2; 16]), MessageId([3; 16]));
        Append { room, sender, id, epoch: 0, at: Timestamp(0), body: Vec::new(), reply: Reply::Session(reply) }
    }

    #[tokio::test]
    async fn a_failed_group_answers_everyone_and_the_next_one_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join(FILE), Bus::default()).await.unwrap();
        let (outcomes, mut answers) = mpsc::unbounded_channel();
        // Ends the transaction under everybody's feet.
        let breaking = store
            .write(|tx| Box::pin(async move { Ok(sqlx::query("ROLLBACK").execute(&mut *tx.conn).await.map(drop)?) }));
        let neighbour = store.write(|_| Box::pin(async { Ok(()) }));
        let (broken, neighbour, handed_in) = tokio::join!(breaking, neighbour, store.append(append(outcomes)));
        handed_in.unwrap();
        for result in [broken, neighbour] {
            assert_eq!(result.unwrap_err().problem().code, ErrorCode::Unavailable);
        }
        assert_eq!(answers.recv().await.unwrap().result.unwrap_err().code, ErrorCode::Unavailable);
        store.write(|_| Box::pin(async { Ok(()) })).await.unwrap();
    }

    #[tokio::test]
    async fn a_job_that_panics_is_undone_and_its_neighbours_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Bus::default()).await.unwrap();
        let kept = store.write(|tx| Box::pin(async move { tx.audit(Timestamp(1), None, "test.kept", "", "").await }));
        let panicking = store.write::<(), _>(|tx| {
            Box::pin(async move {
                tx.audit(Timestamp(1), None, "test.undone", "", "").await?;
                panic!("as a defect would")
            })
        });
        let (kept, panicked) = tokio::join!(kept, panicking);
        kept.unwrap();
        assert_eq!(panicked.unwrap_err().problem().code, ErrorCode::Unavailable);
        store
            .write(|tx| Box::pin(async move { tx.audit(Timestamp(2), None, "test.next", "", "").await }))
            .await
            .unwrap();
        let verdict = store.audit_verify().await.unwrap();
        assert_eq!((verdict.entries, verdict.broken_at), (2, None));
    }
}
