//! A PostgreSQL or Redis process that a test may end, pause and start again.

use crate::{
    process::{Lines, PATIENCE, Result, fail},
    world::free_address,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::File,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use tempfile::TempDir;

/// What both log when they take connections.
const READY: &str = "eady to accept connections";
/// Somebody else may take the port, and what a killed PostgreSQL leaves in memory is in its way for a moment.
const TRIES: u32 = 5;

/// A server on a directory and port of its own; killed when dropped.
#[derive(Debug)]
pub struct Service {
    /// What `tests/services` calls it, with its options.
    arguments: (&'static str, Option<&'static str>),
    password: String,
    address: SocketAddr,
    running: Option<(Child, Lines)>,
    dir: TempDir,
}

impl Service {
    /// Starts one, and waits until it takes connections.
    pub(super) fn start(name: &'static str, option: Option<&'static str>, password: &str) -> Result<Self> {
        let mut tries = 0;
        loop {
            let mut service = Self {
                arguments: (name, option),
                password: password.to_owned(),
                address: free_address(),
                running: None,
                dir: tempfile::tempdir()?,
            };
            match service.restart() {
                Err(_) if tries < TRIES => tries += 1,
                started => return started.map(|()| service),
            }
        }
    }

    /// Where it listens, whether it runs or not.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that it has logged, over all restarts.
    pub fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Starts it again on the same port and files, and waits until it takes connections.
    ///
    /// # Errors
    /// If it runs already, or does not get ready; with what it wrote.
    pub fn restart(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Err(fail(format!("{} runs already", self.arguments.0)));
        }
        let log = File::options().create(true).append(true).open(self.log())?;
        let (name, option) = self.arguments;
        let files = self.dir.path().join("files");
        std::fs::create_dir_all(&files)?;
        open_to_all(self.dir.path())?;
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("services"));
        command
            .arg(name)
            .arg(files)
            .arg(self.address.port().to_string())
            .args(option)
            .env("PGPASSWORD", &self.password);
        // In the process group of whoever runs this, so that a runner that ends a hanging test ends this as well.
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let pipe = child.stderr.take().ok_or_else(|| fail("a process without standard error"))?;
        let lines = Lines::of(pipe, Some(log));
        let ready = lines.find(PATIENCE, |line| line.text.contains(READY).then_some(()));
        self.running = Some((child, lines.clone()));
        ready.map_err(|e| {
            self.kill9();
            e.while_doing(format!("{name} did not start")).with(&lines.tail(20))
        })
    }

    /// Ends it at once, as a power cut would, with everything that belongs to it.
    pub fn kill9(&mut self) {
        if let Some((mut child, lines)) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
            // PostgreSQL's other processes see that the first one is gone, and hold the pipe until they are.
            let _ = lines.end(PATIENCE);
        }
    }

    /// Stops it well, without waiting for its clients: they are disconnected.
    ///
    /// # Errors
    /// If it does not stop in time; then it is killed.
    pub fn stop(&mut self) -> Result<()> {
        self.signal(Signal::INT)?;
        let Some((mut child, lines)) = self.running.take() else { return Ok(()) };
        let ended = lines.end(PATIENCE);
        if ended.is_err() {
            let _ = child.kill();
        }
        child.wait()?;
        ended.map_err(|e| e.while_doing(format!("{} was told to stop", self.arguments.0)))
    }

    /// Stops its clock: it keeps its connections and answers nothing. Of PostgreSQL only the first process, which takes
    /// new connections: those that are there go on. A proxy's black hole stops both.
    ///
    /// # Errors
    /// If it doesn't run.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// If it doesn't run.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let Some((child, _)) = &self.running else { return Err(fail(format!("{} does not run", self.arguments.0))) };
        Ok(kill_process(Pid::from_child(child), signal)?)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// PostgreSQL runs as another user where the tests run as root, and has to reach its files. They are its own.
fn open_to_all(dir: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755))?)
}
