//! PostgreSQL: a server of a test's own, and databases of a test's own on any server.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a harness: what fails here fails the test")]

use super::Service;
use crate::{process::Result, world::random};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    env,
    future::Future,
    net::SocketAddr,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError, Weak},
    thread,
    time::{Duration, Instant},
};

/// The URL of a superuser's database on a server that several tests share.
const SHARED: &str = "FIRSTLIGHT_TEST_POSTGRES";
/// One template is made at a time. Any number does that nobody else locks.
const TEMPLATES: i64 = 0x0066_6c74;
/// A connection is refused while a server is being started.
const PATIENCE: Duration = Duration::from_secs(10);

/// A PostgreSQL that nobody else uses; killed when dropped.
#[derive(Debug)]
pub struct Postgres {
    service: Service,
    password: String,
}

impl Postgres {
    /// Starts one that syncs what it commits and asks for a password, and waits until it takes connections.
    ///
    /// # Errors
    /// If it does not; with what it wrote.
    pub fn start() -> Result<Self> {
        let password = hex(random::<16>());
        Ok(Self { service: Service::start("postgres", None, &password)?, password })
    }

    /// The URL of one of its databases, for its superuser. `postgres` is always there.
    pub fn url(&self, database: &str) -> String {
        self.url_over(self.service.address(), database)
    }

    /// The same by way of another address, such as a proxy's.
    pub fn url_over(&self, address: SocketAddr, database: &str) -> String {
        let colon = if self.password.is_empty() { "" } else { ":" };
        format!("postgres://postgres{colon}{}@{address}/{database}", self.password)
    }

    /// One that loses what it committed in a power cut, for tests that have none.
    fn fast() -> Result<Self> {
        Ok(Self { service: Service::start("postgres", Some("fast"), "")?, password: String::new() })
    }
}

impl Deref for Postgres {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl DerefMut for Postgres {
    fn deref_mut(&mut self) -> &mut Service {
        &mut self.service
    }
}

/// A database of one test's own; dropped with it.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    admin: PgConnectOptions,
    /// Where there is no shared one. Stopped with the last database of this process.
    _server: Option<Arc<Postgres>>,
}

impl Database {
    /// An empty one.
    ///
    /// # Panics
    /// If PostgreSQL can't be started or doesn't make one.
    pub async fn empty() -> Self {
        let place = Place::find().await;
        place.make("template0").await
    }

    /// A copy of a template. Where there is none of this name yet, `prepare` fills it, given the URL of an empty database;
    /// its connections are closed when it is done. A failed `prepare` leaves no template.
    ///
    /// # Panics
    /// If PostgreSQL can't be started or doesn't make one.
    pub async fn copy_of<F: Future<Output = ()>>(template: &str, prepare: impl FnOnce(String) -> F) -> Self {
        let place = Place::find().await;
        let mut admin = place.connect().await;
        sqlx::query("SELECT pg_advisory_lock($1)").bind(TEMPLATES).execute(&mut admin).await.expect("a lock");
        let known = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(template);
        if known.fetch_optional(&mut admin).await.expect("the databases").is_none() {
            let new = format!("{template}_new");
            run(&mut admin, &format!("DROP DATABASE IF EXISTS \"{new}\" WITH (FORCE)")).await;
            run(&mut admin, &format!("CREATE DATABASE \"{new}\" TEMPLATE template0")).await;
            prepare(place.url(&new)).await;
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
            sqlx::query(end).bind(&new).execute(&mut admin).await.expect("ending what is connected");
            run(&mut admin, &format!("ALTER DATABASE \"{new}\" RENAME TO \"{template}\"")).await;
        }
        // Closing the connection gives the lock back.
        admin.close().await.expect("closing");
        place.make(template).await
    }

    /// Its URL, for the superuser.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (admin, name) = (self.admin.clone(), self.name.clone());
        // On a thread of its own: the one that this is dropped on may be an event loop's. What fails is left to the
        // server's own end.
        let _ = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event loop");
            runtime.block_on(async {
                let mut admin = admin.connect().await.ok()?;
                let drop = format!("DROP DATABASE \"{name}\" WITH (FORCE)");
                sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut admin).await.ok()
            })
        })
        .join();
    }
}

/// Where databases are made.
struct Place {
    admin: PgConnectOptions,
    server: Option<Arc<Postgres>>,
}

impl Place {
    async fn find() -> Self {
        if let Ok(url) = env::var(SHARED) {
            let admin = url.parse().unwrap_or_else(|e| panic!("{SHARED} is not a PostgreSQL URL: {e}"));
            return Self { admin, server: None };
        }
        let server = tokio::task::spawn_blocking(own).await.expect("a thread");
        let admin = server.url("postgres").parse().expect("its URL");
        Self { admin, server: Some(server) }
    }

    fn url(&self, database: &str) -> String {
        self.admin.clone().database(database).to_url_lossy().to_string()
    }

    async fn connect(&self) -> PgConnection {
        let began = Instant::now();
        loop {
            match self.admin.connect().await {
                Ok(connection) => return connection,
                Err(_) if began.elapsed() < PATIENCE => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(e) => panic!("PostgreSQL can't be reached ({e}): start it with tests/services run COMMAND"),
            }
        }
    }

    async fn make(self, template: &str) -> Database {
        let name = format!("test_{}", hex(random::<8>()));
        let mut admin = self.connect().await;
        run(&mut admin, &format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")).await;
        let _ = admin.close().await;
        Database { url: self.url(&name), name, admin: self.admin, _server: self.server }
    }
}

/// The server of this process, for as long as somebody has a database on it.
fn own() -> Arc<Postgres> {
    static OWN: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    own.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Postgres::fast().unwrap_or_else(|e| panic!("{e}")));
        *own = Arc::downgrade(&server);
        server
    })
}

async fn run(connection: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await;
    done.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

fn hex<const N: usize>(bytes: [u8; N]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
