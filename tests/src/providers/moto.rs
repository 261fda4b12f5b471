//! A real server that speaks S3, on loopback: moto, which `tests/run` installs. It keeps everything in memory.

use super::smtp::python;
use crate::world::free_address;
use std::{
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The server; it ends with this value.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    address: SocketAddr,
}

impl Moto {
    /// Starts one, with an empty bucket.
    ///
    /// # Panics
    /// If moto is not installed (`tests/run tools` does it), or does not listen within 30 seconds.
    pub async fn start(bucket: &str) -> Self {
        let address = free_address();
        let moto = Self { process: begin(address), address };
        moto.make(bucket).await;
        moto
    }

    /// Its address, as a client uses it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// It goes down: its port answers nobody, and what it had is gone.
    ///
    /// # Panics
    /// If it can't be ended.
    pub fn stop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("ending moto");
    }

    /// It is up again, with an empty bucket.
    pub async fn go_on(&mut self, bucket: &str) {
        self.process = begin(self.address);
        self.make(bucket).await;
    }

    /// What S3 lists of a bucket: XML.
    pub async fn list(&self, bucket: &str) -> String {
        let url = format!("{}/{bucket}?list-type=2", self.endpoint());
        let answer = client().get(url).send().await.expect("an answer");
        answer.text().await.expect("a list")
    }

    async fn make(&self, bucket: &str) {
        let answer = client().put(format!("{}/{bucket}", self.endpoint())).send().await.expect("an answer");
        assert!(answer.status().is_success(), "moto makes no bucket: {}", answer.status());
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("an HTTP client")
}

/// Starts moto, and waits until it listens.
fn begin(address: SocketAddr) -> Child {
    let python = python();
    let process = Command::new(&python)
        .args(["-m", "moto.server", "-H", &address.ip().to_string(), "-p", &address.port().to_string()])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{} ({e}): `tests/run tools` installs it", python.display()));
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(began.elapsed() < Duration::from_secs(30), "moto does not listen: run `tests/run tools`");
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
