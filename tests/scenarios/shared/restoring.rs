//! The rehearsal: a PostgreSQL with an archived log is lost, and comes back as it was at a point in time.
//!
//! Everything is real: the scripts of deploy/backup, PostgreSQL's own tools, two instances of it, and the server.

use super::on_node;
use firstlight_protocol::{Secret, api::Notice};
use firstlight_server::{
    admin::{self, Output},
    config::Config,
};
use firstlight_tests::{
    inproc::{Cast, run},
    world::{random, routing},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// From the repository's folder.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A PostgreSQL of the test's own; ended when it is dropped, as a machine that is lost would be.
struct Instance {
    process: Child,
    port: u16,
    password: String,
}

impl Instance {
    /// Starts one with its files in `dir`, which has them already or gets new ones.
    async fn start(dir: &Path, password: &str, settings: &[String]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(dir.with_extension("log")).unwrap();
        let mut command = Command::new(repository("tests/services"));
        command.arg("postgres").arg(dir).arg(port.to_string()).args(settings);
        command.env("PGPASSWORD", password).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let started = Self { process: command.spawn().unwrap(), port, password: password.into() };
        for _ in 0..400 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let Ok(mut conn) = PgConnection::connect(&started.url("postgres")).await else { continue };
            let waits: bool =
                sqlx::query_scalar("SELECT pg_is_in_recovery()").fetch_one(&mut conn).await.unwrap_or(true);
            if !waits {
                return started;
            }
        }
        panic!("PostgreSQL does not start:\n{}", fs::read_to_string(dir.with_extension("log")).unwrap());
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/{database}", self.password, self.port)
    }

    async fn ask<T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin>(
        &self,
        query: &str,
    ) -> T {
        let mut conn = PgConnection::connect(&self.url("firstlight")).await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut conn).await.unwrap()
    }

    /// Runs one of the scripts as an operator of this instance would.
    fn script(&self, name: &str, arguments: &[&str], owner: &Path) {
        let owner = fs::metadata(owner).unwrap();
        // The newest of this machine, which Debian keeps out of PATH.
        let tools =
            "find /usr/lib/postgresql -path '*/bin/postgres' | sort --version-sort | tail -n 1 | xargs -r dirname";
        let tools = Command::new("sh").args(["-c", tools]).output().unwrap();
        let path = format!("{}:{}", String::from_utf8_lossy(&tools.stdout).trim(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        // PostgreSQL's own user may not reach the repository: bash reads the script before it changes who it is.
        command.arg("-c").arg(format!(
            "if ((EUID == 0)); then as=(setpriv --reuid {} --regid {} --clear-groups); fi
             exec \"${{as[@]}}\" bash -c \"$(cat '{}')\" \"$0\" \"$@\"",
            owner.uid(),
            owner.gid(),
            repository("deploy/backup/postgres").join(name).display()
        ));
        command.arg(name).args(arguments).current_dir("/").env("PATH", path);
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", "postgres");
        command.env("PGDATABASE", "firstlight").env("PGPASSWORD", &self.password);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_postgresql_that_is_lost_comes_back_as_of_a_point_in_time() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let (old, new, backups) = (dir.path().join("old"), dir.path().join("new"), dir.path().join("backups"));
        for folder in [&old, &new, &backups] {
            fs::create_dir(folder).unwrap();
        }
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // Where PostgreSQL's user can read it.
        let archive = dir.path().join("archive-wal");
        fs::copy(repository("deploy/backup/postgres/archive-wal"), &archive).unwrap();
        let command = format!("archive_command={} {} \"%p\" \"%f\"", archive.display(), backups.join("wal").display());
        let settings = ["archive_mode=on".to_owned(), command];
        // PostgreSQL's user is known once it owns something.
        fs::set_permissions(&backups, fs::Permissions::from_mode(0o777)).unwrap();
        let password = random::<8>().map(|byte| format!("{byte:02x}")).concat();
        let lost = Instance::start(&old, &password, &settings).await;
        let mut conn = PgConnection::connect(&lost.url("postgres")).await.unwrap();
        sqlx::query("CREATE DATABASE firstlight").execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();

        let keys = tempfile::tempdir().unwrap();
        let url = lost.url("firstlight");
        let mut cast = Cast::with(|config| on_node(config, &url, keys.path())).await;
        let data = old.join("data");
        lost.script("base-backup", &[backups.to_str().unwrap()], &data);
        assert!(lost.ask::<i64>("SELECT at FROM newest_backup").await > 0);

        let acknowledged = cast.officer.open_callout(routing("north", cast.now())).await.unwrap();
        let time: String = lost.ask("SELECT clock_timestamp()::text").await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let afterwards = cast.officer.open_callout(routing("east", cast.now())).await.unwrap();
        let known = cast.primary.inbox().await.last().map(|item| item.seq).unwrap();
        // What is archived by now survives the machine.
        let last: String = lost.ask("SELECT pg_walfile_name(pg_switch_wal())").await;
        while !backups.join("wal").join(&last).exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        cast.server.stop().await;
        lost.script("restore", &[backups.to_str().unwrap(), new.join("data").to_str().unwrap(), &time], {
            // The new folder is PostgreSQL's user's as well.
            let owner = fs::metadata(&data).unwrap();
            std::os::unix::fs::chown(&new, Some(owner.uid()), Some(owner.gid())).unwrap();
            &data
        });
        drop(lost);

        let restored = Instance::start(&new, &password, &[]).await;
        let url = restored.url("firstlight");
        let operator = async |config: &Config| {
            let mut out = Output { to: Vec::new(), json: true };
            admin::restored(config, &mut out).await.unwrap();
        };
        cast.server.reconfigure(|config| on_node(config, &url, keys.path()), operator).await;
        assert_eq!(config_url(&cast), url);
        assert!(
            cast.supervisor.callout(acknowledged.id).await.is_ok(),
            "what was acknowledged before that time is there"
        );
        assert!(cast.supervisor.callout(afterwards.id).await.is_err(), "what came later is not");
        assert_eq!(cast.server.app().store.audit_verify().await.unwrap().broken_at, None);

        // A device that knows more than the server gets its page.
        let opened = cast.officer.open_callout(routing("south", cast.now())).await.unwrap();
        let new: Vec<_> = cast.primary.inbox().await;
        let first = new.iter().find(|item| item.seq > known).expect("nothing new stands behind what the device has");
        assert!(first.follows(known), "the device takes it for the next one");
        let page = new.iter().find(|item| matches!(item.notice, Notice::Page { callout, .. } if callout == opened.id));
        assert!(page.is_some_and(|item| item.seq > known), "the page is not behind its cursor");
        cast.server.stop().await;
    });
}

fn config_url(cast: &Cast) -> String {
    let url: Option<Secret> = cast.server.app().config.database.url().unwrap();
    url.unwrap().reveal().to_owned()
}
