//! A real `firstlight-server` on a directory of its own.

use super::{Lines, PATIENCE, Result, binaries, fail};
use firstlight_server::config::{Config, LogFormat};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    fs::{self, File},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Another program may take the free port between our look and the server's start.
const TRIES: u32 = 5;
/// Settings reach the server by its file alone.
const ENVIRONMENT: &str = "FIRSTLIGHT_";

/// A server process; killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    dir: PathBuf,
    config: Config,
    running: Option<(Child, Lines)>,
}

impl ServerProcess {
    /// Starts a server with its files below `dir`, on a free port, and waits until it is ready. `adjust` changes the
    /// configuration before.
    ///
    /// # Errors
    /// If it does not get ready; with what it wrote.
    pub fn start(dir: &Path, adjust: impl Fn(&mut Config)) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let mut tries = 0;
        loop {
            let address = free_address()?;
            let mut config = Config { data_dir: dir.join("data"), ..Config::default() };
            config.listen = address;
            config.name = format!("http://{address}");
            config.log.format = LogFormat::Json;
            adjust(&mut config);
            fs::write(dir.join("server.toml"), config.to_toml())?;
            let mut server = Self { dir: dir.to_owned(), config, running: None };
            match server.restart() {
                Err(e) if tries < TRIES && e.to_string().contains("can't listen") => tries += 1,
                started => return started.map(|()| server),
            }
        }
    }

    /// Starts it again on the same data and address, and waits until it is ready.
    ///
    /// # Errors
    /// If it runs already, or does not get ready.
    pub fn restart(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Err(fail("the server runs already"));
        }
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.command()?;
        // In the process group of whoever runs this, so that a runner that ends a hanging test ends its server as well.
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let pipe = child.stderr.take().ok_or_else(|| fail("the server has no standard error"))?;
        let lines = Lines::of(pipe, Some(log));
        let ready = lines.find(PATIENCE, |line| {
            let entry: Value = serde_json::from_str(&line.text).ok()?;
            (entry.get("message")?.as_str()? == "listening").then_some(())
        });
        self.running = Some((child, lines.clone()));
        ready.map_err(|e| {
            self.kill9();
            e.while_doing("the server did not start").with(&lines.tail(20))
        })
    }

    /// Ends it at once, wherever it is, as a power cut would.
    pub fn kill9(&mut self) {
        if let Some((mut child, lines)) = self.running.take() {
            let _ = child.kill();
            let _ = child.wait();
            let _ = lines.end(PATIENCE);
        }
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Errors
    /// If it does not stop in time, or not well; then it is killed.
    pub fn stop(&mut self) -> Result<()> {
        let Some((child, lines)) = self.running.as_mut() else { return Ok(()) };
        // It may have ended by itself: Ctrl-C on a terminal reaches it too.
        let _ = kill_process(Pid::from_child(child), Signal::TERM);
        let ended = lines.end(PATIENCE).and_then(|()| Ok(child.wait()?));
        match ended {
            Ok(status) if status.success() => {
                self.running = None;
                Ok(())
            }
            Ok(status) => {
                let tail = lines.tail(20);
                self.running = None;
                Err(fail(format!("the server ended with {status}")).with(&tail))
            }
            Err(e) => {
                self.kill9();
                Err(e.while_doing("the server was told to stop"))
            }
        }
    }

    /// Runs one of its own commands (`audit verify`, `backup`, …) with `--json`, beside the running server, and gives
    /// its answers, one for each line.
    ///
    /// # Errors
    /// If it fails; with what it wrote.
    pub fn run(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let output = self.command()?.args(arguments).arg("--json").stdin(Stdio::null()).output()?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            let what = format!("firstlight-server {} ended with {}", arguments.join(" "), output.status);
            return Err(fail(what).with(&stdout).with(&String::from_utf8_lossy(&output.stderr)));
        }
        stdout.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// Checks that the audit trail is whole, and still holds what was its end before; gives its end now.
    ///
    /// # Errors
    /// If it is not.
    pub fn audit(&self, before: Option<&str>) -> Result<String> {
        let mut arguments = vec!["audit", "verify"];
        if let Some(hash) = before {
            arguments.extend(["--expect-head", hash]);
        }
        let answers = self.run(&arguments)?;
        let head = answers.first().and_then(|verdict| verdict["head"].as_str());
        head.map(str::to_owned).ok_or_else(|| fail("the audit trail has no end"))
    }

    /// Stops its clock: it keeps its connections and leases, and does nothing, until [`Self::resume`].
    ///
    /// # Errors
    /// If it does not run.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on, as if no time had passed.
    ///
    /// # Errors
    /// If it does not run.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let (child, _) = self.running.as_ref().ok_or_else(|| fail("the server does not run"))?;
        Ok(kill_process(Pid::from_child(child), signal)?)
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(binaries::server()?);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with(ENVIRONMENT) {
                command.env_remove(name);
            }
        }
        command.arg("--config").arg(self.dir.join("server.toml"));
        Ok(command)
    }

    /// Its process id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(|(child, _)| child.id())
    }

    /// Its address, as clients use it.
    pub fn url(&self) -> &str {
        &self.config.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.config.listen
    }

    /// Where its database and keys are.
    pub fn data_dir(&self) -> &Path {
        &self.config.data_dir
    }

    /// The one-time token that founds the host organisation.
    pub fn bootstrap_file(&self) -> PathBuf {
        self.config.data_dir.join("bootstrap-token")
    }

    /// Everything that it has logged, over all restarts.
    pub fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// The last lines of its log, for a report.
    pub fn log_tail(&self) -> String {
        self.running.as_ref().map(|(_, lines)| lines.tail(30)).unwrap_or_default()
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill9();
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
