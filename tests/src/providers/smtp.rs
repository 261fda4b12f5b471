//! A real mail server on loopback: aiosmtpd, which `tests/run` installs, delivering into a Maildir. Beforehand it can be
//! told to refuse recipients (`strict_mailbox.py`).

use crate::world::free_address;
use std::{
    env,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The server; it ends with this value.
#[derive(Debug)]
pub struct Smtp {
    process: Mutex<Child>,
    address: SocketAddr,
    dir: TempDir,
}

/// The interpreter that has aiosmtpd and moto.
pub(super) fn python() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/smtpd/bin/python");
    env::var_os("FIRSTLIGHT_SMTPD_PYTHON").map_or_else(installed, PathBuf::from)
}

/// Starts aiosmtpd, and waits until it listens.
fn begin(address: SocketAddr, dir: &Path) -> Child {
    let python = python();
    let process = Command::new(&python)
        .args(["-m", "aiosmtpd", "-n", "-l", &address.to_string(), "-c", "strict_mailbox.Strict"])
        .arg(dir.join("mail"))
        .env("PYTHONPATH", Path::new(env!("CARGO_MANIFEST_DIR")).join("src/providers"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{} ({e}): `tests/run tools` installs it", python.display()));
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "aiosmtpd does not listen: run `tests/run tools`");
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

impl Smtp {
    /// Starts one.
    ///
    /// # Panics
    /// If aiosmtpd is not installed (`tests/run tools` does it), or does not listen within 20 seconds.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let address = free_address();
        Self { process: Mutex::new(begin(address, dir.path())), address, dir }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next recipients are answered with these SMTP replies, one after the other; then all are taken again.
    pub fn replies(&self, replies: &[&str]) {
        std::fs::write(self.dir.path().join("replies"), replies.join("\n")).expect("a file in its own directory");
    }

    /// It goes down: its port answers nobody.
    ///
    /// # Panics
    /// If it can't be ended.
    pub fn stop(&self) {
        let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
        process.kill().and_then(|()| process.wait()).expect("ending aiosmtpd");
    }

    /// It is up again, with the mailbox that it had.
    pub fn go_on(&self) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = begin(self.address, self.dir.path());
    }

    /// The messages that have come, oldest first, each as its headers and text stand in the mailbox.
    pub fn messages(&self) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.dir.path().join("mail/new")) else { return Vec::new() };
        let mut files: Vec<_> = files.flatten().map(|file| file.path()).collect();
        // Names begin with the second, and count within it.
        files.sort_by_key(|file| (file.metadata().and_then(|m| m.modified()).ok(), file.clone()));
        files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect()
    }

    /// Waits until so many have come.
    ///
    /// # Panics
    /// After 30 seconds.
    pub async fn wait_for(&self, count: usize) -> Vec<String> {
        let began = Instant::now();
        loop {
            let messages = self.messages();
            if messages.len() >= count {
                return messages;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{} of {count} messages came", messages.len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let process = self.process.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = process.kill();
        let _ = process.wait();
    }
}
