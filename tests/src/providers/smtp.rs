//! A real mail server on loopback: aiosmtpd, which `tests/run` installs, delivering into a Maildir.

use std::{
    env,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The server; it ends with this value.
#[derive(Debug)]
pub struct Smtp {
    process: Child,
    address: SocketAddr,
    dir: TempDir,
}

/// The interpreter that has aiosmtpd.
fn python() -> PathBuf {
    let installed = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/smtpd/bin/python");
    env::var_os("FIRSTLIGHT_SMTPD_PYTHON").map_or_else(installed, PathBuf::from)
}

impl Smtp {
    /// Starts one.
    ///
    /// # Panics
    /// If aiosmtpd is not installed (`tests/run tools` does it), or does not listen within 20 seconds.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let address = free_address();
        let python = python();
        let process = Command::new(&python)
            .args(["-m", "aiosmtpd", "-n", "-l", &address.to_string(), "-c", "aiosmtpd.handlers.Mailbox"])
            .arg(dir.path().join("mail"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{} ({e}): `tests/run tools` installs it", python.display()));
        let smtp = Self { process, address, dir };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(began.elapsed() < Duration::from_secs(20), "aiosmtpd does not listen: run `tests/run tools`");
            std::thread::sleep(Duration::from_millis(20));
        }
        smtp
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that was free a moment ago.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}
