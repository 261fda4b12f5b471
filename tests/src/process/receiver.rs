//! A webhook's receiver: takes requests, keeps them whole, answers 204 or what it was told to.

use super::{Cli, PATIENCE, Result, fail};
use serde_json::Value;
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// What stands before the code that proves a contact.
pub const VERIFY: &str = "Duty: your code is ";
/// Larger bodies are not what a page is.
const MAX_BODY: usize = 64 << 10;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Request line and headers.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// Its path.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Listens on a free port of this machine until the process ends.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    received: Arc<(Mutex<Vec<Request>>, Condvar)>,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
}

/// How a path answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// With this HTTP status.
    Status(u16),
    /// Not at all; the connection stays open.
    Silence,
}

impl Receiver {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the system gives no port.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let receiver = Self { address: listener.local_addr()?, received: Arc::default(), answers: Arc::default() };
        let listening = receiver.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let receiver = listening.clone();
                thread::spawn(move || receiver.serve(socket));
            }
        });
        Ok(receiver)
    }

    /// Where it listens: `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// From now on a path answers so.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), answer);
    }

    /// Adds a webhook here for somebody, signed with the first line of the file `key`, and proves it with the code that
    /// comes.
    ///
    /// # Errors
    /// If it isn't taken, or no code comes.
    pub fn reaches(&self, admin: &Cli, whom: &Cli, key: &Path) -> Result<()> {
        let before = self.received().len();
        let (url, key) = (format!("http://{}/page", self.host()), key.to_string_lossy());
        let whose = ["contacts", "--person", &whom.who];
        let added = admin.run(&[&whose[..], &["add", "webhook", &url, "--webhook-key-file", &key]].concat())?;
        let contact = added["contact"].as_str().ok_or_else(|| fail("a contact without an id"))?;
        let sent = self.wait_for(before + 1, PATIENCE)?;
        let body: Value = serde_json::from_slice(&sent[before].body)?;
        let code = body["text"].as_str().and_then(|text| text.strip_prefix(VERIFY));
        let code = code.ok_or_else(|| fail("no code came"))?;
        admin.run(&[&whose[..], &["verify", contact, code]].concat()).map(drop)
    }

    /// Everything so far.
    pub fn received(&self) -> Vec<Request> {
        self.received.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until there are at least so many requests.
    ///
    /// # Errors
    /// If there are not within that time.
    pub fn wait_for(&self, count: usize, within: Duration) -> Result<Vec<Request>> {
        let deadline = Instant::now() + within;
        let mut received = self.received.0.lock().unwrap_or_else(PoisonError::into_inner);
        while received.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(fail(format!("{} of {count} webhook requests came", received.len())));
            }
            received = self.received.1.wait_timeout(received, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(received.clone())
    }

    /// One connection, kept open for as long as the sender likes.
    fn serve(&self, socket: TcpStream) {
        let Ok(mut answering) = socket.try_clone() else { return };
        let mut reading = BufReader::new(socket);
        while let Some(request) = read(&mut reading) {
            let answer = {
                let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.get(request.path()).copied().unwrap_or(Answer::Status(204))
            };
            self.received.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            self.received.1.notify_all();
            let Answer::Status(status) = answer else { continue };
            if write!(answering, "HTTP/1.1 {status} \r\ncontent-length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

fn read(socket: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if socket.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut request = Request { head, body: Vec::new() };
    let length = request.header("content-length").map_or(Some(0), |text| text.parse().ok())?;
    if length > MAX_BODY {
        return None;
    }
    request.body.resize(length, 0);
    socket.read_exact(&mut request.body).ok()?;
    Some(request)
}
