//! The lines that a process writes, kept and waited for.

use super::{Failed, fail};
use std::{
    io::{BufRead, BufReader, Read, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// One line, and when it was read.
#[derive(Debug, Clone)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// Without its end.
    pub text: String,
}

/// All lines of one pipe, so far. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Lines(Arc<Pipe>);

#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<Line>,
    ended: bool,
}

impl Lines {
    /// Reads a pipe to its end on a thread of its own, and copies what it reads to `copy`.
    pub fn of(pipe: impl Read + Send + 'static, mut copy: Option<impl Write + Send + 'static>) -> Self {
        let lines = Self::default();
        let reading = lines.clone();
        thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut bytes = Vec::new();
            while pipe.read_until(b'\n', &mut bytes).is_ok_and(|read| read > 0) {
                if let Some(copy) = &mut copy {
                    let _ = copy.write_all(&bytes);
                }
                let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
                bytes.clear();
                reading.change(|state| state.lines.push(Line { at: Instant::now(), text }));
            }
            reading.change(|state| state.ended = true);
        });
        lines
    }

    /// Every line so far.
    pub fn so_far(&self) -> Vec<Line> {
        self.hold().lines.clone()
    }

    /// Waits for the first line, among those that are there and those that come, from which `pick` takes something.
    ///
    /// # Errors
    /// If there is none `within` that time, or before the process ends.
    pub fn find<T>(&self, within: Duration, mut pick: impl FnMut(&Line) -> Option<T>) -> Result<T, Failed> {
        let deadline = Instant::now() + within;
        let mut looked_at = 0;
        let mut state = self.hold();
        loop {
            while let Some(line) = state.lines.get(looked_at) {
                if let Some(found) = pick(line) {
                    return Ok(found);
                }
                looked_at += 1;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if state.ended || left.is_zero() {
                let why = if state.ended { "the process ended" } else { "it did not come in time" };
                return Err(fail(why));
            }
            state = self.0.more.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the process has closed the pipe; then every line is here.
    ///
    /// # Errors
    /// If it does not within that time.
    pub fn end(&self, within: Duration) -> Result<(), Failed> {
        let deadline = Instant::now() + within;
        let mut state = self.hold();
        while !state.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(fail("it did not end in time"));
            }
            state = self.0.more.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// The last lines as text, for a report.
    pub fn tail(&self, count: usize) -> String {
        let state = self.hold();
        let skip = state.lines.len().saturating_sub(count);
        state.lines.iter().skip(skip).map(|line| format!("  {}\n", line.text)).collect()
    }

    fn hold(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.hold());
        self.0.more.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Sink};

    fn lines(text: &'static str) -> Lines {
        Lines::of(Cursor::new(text), None::<Sink>)
    }

    #[test]
    fn lines_that_were_there_before_are_found_and_the_end_is_told() {
        let lines = lines("one\ntwo\r\nthree");
        lines.end(Duration::from_secs(5)).unwrap();
        let found = lines.find(Duration::ZERO, |line| (line.text == "two").then_some(2)).unwrap();
        assert_eq!(found, 2);
        let missing = lines.find(Duration::from_secs(5), |line| (line.text == "four").then_some(4)).unwrap_err();
        assert_eq!(missing.to_string(), "the process ended");
        assert_eq!(lines.tail(2), "  two\n  three\n");
    }
}
