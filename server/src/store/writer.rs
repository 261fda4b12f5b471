//! The writer: one task that runs every job, in groups that share one transaction and one fsync.
//!
//! Nothing is answered before the commit that holds it. On SQLite the task is the only one who writes, but for an
//! operator's command; on PostgreSQL each node has one, and they take turns (`postgres`).

use super::{
    after::AfterCommit,
    audit, postgres,
    sql::{self, Conn, Database},
    sqlite,
};
use crate::{
    Error, Result,
    bus::Bus,
    delivery::append::{Append, Appender},
};
use firstlight_protocol::{ErrorCode, Problem};
use futures_util::{FutureExt, future::BoxFuture};
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{mpsc, oneshot};

/// How many jobs wait for the writer before callers are told to come back.
const QUEUE: usize = 8_192;
/// How many jobs share one fsync at most; bounds how long the first of them waits.
const GROUP: usize = 1_024;
/// How long a group may take before the way to a shared database is given up and made anew.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a group begins anew where the database did not let it begin: a connection that has gone, a node that stands
/// still. Nothing of the group has run by then.
const BEGINNINGS: u32 = 3;
/// How long to wait between two beginnings.
const PAUSE: Duration = Duration::from_millis(200);

/// A transaction as a job sees it.
#[derive(Debug)]
pub struct Tx<'c> {
    /// The writer's connection, inside a savepoint.
    pub conn: &'c mut Conn,
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

/// The way to the writer.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    unsure: Arc<AtomicBool>,
}

impl Writer {
    /// Starts the task. With `reconnect`, a connection that was lost is made anew, and the turns of other nodes that share
    /// the database are waited for.
    pub(super) async fn start(mut conn: Conn, reconnect: Option<postgres::Postgres>, bus: Bus) -> Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let audit = audit::Head::load(&mut conn).await?;
        let node = match &reconnect {
            Some(_) => audit::hex(&bus.node().0),
            None => String::new(),
        };
        let state = State { appender: Appender::default(), after: AfterCommit::default(), audit, doubt: false };
        let unsure = Arc::default();
        let line = Line { conn: Some(conn), reconnect, node, version: 0 };
        tokio::spawn(run(line, queue, state, bus, Arc::clone(&unsure)));
        Ok(Self { jobs, unsure })
    }

    /// No writer: what would be written is refused as unavailable.
    pub(super) fn none() -> Self {
        Self { jobs: mpsc::channel(1).0, unsure: Arc::default() }
    }

    /// How many jobs wait.
    pub(super) fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// Whether a group has failed since this was asked: it may have been kept although nobody was told. Whatever is written
    /// next finds it settled.
    pub(super) fn was_unsure(&self) -> bool {
        self.unsure.swap(false, Ordering::SeqCst)
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
    pub(super) async fn append(&self, append: Append) -> Result<()> {
        self.submit(Job::Append(append)).await
    }

    async fn submit(&self, job: Job) -> Result<()> {
        self.jobs.send(job).await.map_err(|_| Problem::new(ErrorCode::Unavailable).into())
    }

    /// Ends the task after everything handed in so far is durable.
    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.jobs.send(Job::Close(done)).await.is_ok() {
            let _ = closed.await;
        }
    }
}

/// The writer's own connection.
struct Line {
    conn: Option<Conn>,
    reconnect: Option<postgres::Postgres>,
    /// This process, among those that share the database.
    node: String,
    /// What SQLite counts when somebody else has written: an operator's command.
    version: i64,
}

impl Line {
    /// A connection with a transaction begun, and whether nobody else has written since the last one.
    async fn begin(&mut self) -> Result<(&mut Conn, bool)> {
        let mut left = if self.reconnect.is_some() { BEGINNINGS } else { 1 };
        let alone = loop {
            left -= 1;
            match self.try_to_begin().await {
                Ok(alone) => break alone,
                Err(error) if left == 0 => return Err(error),
                Err(error) => tracing::warn!(%error, "a group could not begin; it is tried again"),
            }
            tokio::time::sleep(PAUSE).await;
        };
        let conn = self.conn.as_mut().ok_or_else(|| Error::internal("the writer has no connection"))?;
        Ok((conn, alone))
    }

    async fn try_to_begin(&mut self) -> Result<bool> {
        if let (None, Some(postgres)) = (&self.conn, &self.reconnect) {
            self.conn = Some(postgres.connect().await?);
        }
        let Some(conn) = &mut self.conn else { return Err(Problem::new(ErrorCode::Unavailable).into()) };
        let begun = match conn.database() {
            Database::Sqlite => sqlite::begin(conn, &mut self.version).await,
            Database::Postgres => {
                async {
                    sql::query("BEGIN").execute(&mut *conn).await?;
                    postgres::take_pen(conn, &self.node).await
                }
                .await
            }
        };
        if begun.is_err() {
            self.lost().await;
        }
        begun
    }

    /// Something went wrong in the middle: nothing of the transaction may be kept. A way to a shared database is made anew,
    /// since nobody knows what is still under way on the old one.
    async fn lost(&mut self) {
        match (&mut self.conn, &self.reconnect) {
            (Some(conn), None) => drop(sql::query("ROLLBACK").execute(conn).await),
            _ => self.conn = None,
        }
    }
}

async fn run(mut line: Line, mut queue: mpsc::Receiver<Job>, mut state: State, bus: Bus, unsure: Arc<AtomicBool>) {
    let mut group = Vec::with_capacity(GROUP);
    let shared = line.reconnect.is_some();
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let (began, count) = (Instant::now(), group.len());
        let mut outcome = Group::default();
        let audit = state.audit.clone();
        let mut jobs = group.drain(..);
        let work = state.transaction(&mut line, &mut jobs, &mut outcome, &bus);
        // Without its writer the server would stand still for ever, so not even a panic ends it.
        let work = AssertUnwindSafe(work).catch_unwind();
        let patience = if shared { PATIENCE } else { Duration::MAX };
        let result = match tokio::time::timeout(patience, work).await {
            Ok(result) => result.unwrap_or_else(|_| Err(Error::internal("the writer panicked"))),
            Err(_) => Err(Error::internal("the database did not answer")),
        };
        let committed = match result {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "group transaction failed; nothing of it was kept");
                line.lost().await;
                state.audit = audit;
                // The way may have been lost after the database had committed: what is remembered is read anew.
                state.doubt = true;
                unsure.store(true, Ordering::SeqCst);
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
            if let Some(conn) = line.conn.take() {
                let _ = conn.close().await;
            }
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
    /// Whether the last group failed, and nobody knows for sure what was kept of it.
    doubt: bool,
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
        line: &mut Line,
        jobs: &mut (impl Iterator<Item = Job> + Send),
        group: &mut Group,
        bus: &Bus,
    ) -> Result<()> {
        let (conn, alone) = line.begin().await?;
        if !alone || self.doubt {
            self.appender.forget_all();
            self.audit = audit::Head::load(conn).await?;
            self.doubt = false;
        }
        for job in jobs {
            match job {
                Job::Append(append) => self.appender.push(append),
                Job::Close(done) => group.closing.push(done),
                Job::Run(mut job) => {
                    // Messages handed in before a commit belong to the epoch before it.
                    self.appender.flush(conn, &mut self.after).await?;
                    let (audit, after) = (self.audit.clone(), self.after.mark());
                    sql::query("SAVEPOINT job").execute(&mut *conn).await?;
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
                        sql::query("ROLLBACK TO job").execute(&mut *conn).await?;
                        self.audit = audit;
                        self.after.undo(after);
                    }
                    sql::query("RELEASE job").execute(&mut *conn).await?;
                }
            }
        }
        self.appender.flush(conn, &mut self.after).await?;
        if conn.database() == Database::Postgres {
            postgres::tell_others(conn, bus.node(), &self.after.changes()).await?;
        }
        sql::query("COMMIT").execute(&mut *conn).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        delivery::append::{Outcome, Reply},
        store::Store,
    };
    use firstlight_protocol::{DeviceId, MessageId, RoomId, Timestamp};

    fn append(reply: mpsc::UnboundedSender<Outcome>) -> Append {
        let (room, sender, id) = (RoomId([1; 16]), DeviceId([2; 16]), MessageId([3; 16]));
        Append { room, sender, id, epoch: 0, at: Timestamp(0), body: Vec::new(), reply: Reply::Session(reply) }
    }

    #[tokio::test]
    async fn a_failed_group_answers_everyone_and_the_next_one_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Bus::default()).await.unwrap();
        let (outcomes, mut answers) = mpsc::unbounded_channel();
        // Ends the transaction under everybody's feet.
        let breaking = store
            .write(|tx| Box::pin(async move { Ok(sql::query("ROLLBACK").execute(&mut *tx.conn).await.map(drop)?) }));
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
    async fn a_group_that_was_kept_although_it_failed_leaves_the_trail_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Bus::default()).await.unwrap();
        // As a database does whose answer to the commit is lost on the way.
        let unsure = store.write(|tx| {
            Box::pin(async move {
                tx.audit(Timestamp(1), None, "test.kept", "", "").await?;
                Ok(sql::query("COMMIT").execute(&mut *tx.conn).await.map(drop)?)
            })
        });
        assert_eq!(unsure.await.unwrap_err().problem().code, ErrorCode::Unavailable);
        assert!(store.was_unsure() && !store.was_unsure(), "whoever looks for what was missed is told once");
        let next = store.write(|tx| Box::pin(async move { tx.audit(Timestamp(2), None, "test.next", "", "").await }));
        next.await.unwrap();
        let verdict = store.audit_verify().await.unwrap();
        assert_eq!((verdict.entries, verdict.broken_at), (2, None));
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
