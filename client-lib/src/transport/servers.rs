//! The addresses at which one server answers: the organisation's own, and those of its nodes.
//!
//! Whatever address is used, the server's one name is what devices sign. A server that was asked at one address in vain is
//! asked at the next; the one that answered is used until it doesn't.

use super::ServerUrl;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The addresses of one server, and which of them is used now. Clones share that.
#[derive(Debug, Clone)]
pub(crate) struct Servers(Arc<Mutex<Turns>>);

#[derive(Debug)]
struct Turns {
    /// Never empty; the first is the organisation's own.
    all: Vec<ServerUrl>,
    current: usize,
    /// How many failed one after the other.
    failed: usize,
}

impl Servers {
    pub(crate) fn new(home: ServerUrl) -> Self {
        Self(Arc::new(Mutex::new(Turns { all: vec![home], current: 0, failed: 0 })))
    }

    /// The organisation's own address.
    pub(crate) fn home(&self) -> ServerUrl {
        self.pick(|_| 0)
    }

    /// The address to use now.
    pub(crate) fn current(&self) -> ServerUrl {
        self.pick(|turns| turns.current)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.hold().all.len()
    }

    /// An answer came from this address.
    pub(crate) fn answered(&self, used: &ServerUrl) {
        let mut turns = self.hold();
        if turns.all.get(turns.current) == Some(used) {
            turns.failed = 0;
        }
    }

    /// None came: it is the next one's turn, unless somebody else has seen to that. Says whether there is one that has
    /// not failed since an answer came, so that it is worth asking at once.
    pub(crate) fn failed(&self, used: &ServerUrl) -> bool {
        let mut turns = self.hold();
        if turns.all.get(turns.current) == Some(used) {
            turns.current = (turns.current + 1) % turns.all.len();
            turns.failed += 1;
        }
        turns.failed < turns.all.len()
    }

    /// Uses these besides the organisation's own, beginning with any one of them: those who lose the same node don't all
    /// go to the same next one. `random` is any uniformly random number.
    #[cfg(feature = "native")]
    pub(crate) fn learn(&self, mut others: Vec<ServerUrl>, random: u64) {
        let count = others.len().max(1);
        others.rotate_left(usize::try_from(random).unwrap_or(0) % count);
        let mut turns = self.hold();
        let used = turns.all.get(turns.current).cloned();
        turns.all.truncate(1);
        for other in others {
            if !turns.all.contains(&other) {
                turns.all.push(other);
            }
        }
        turns.current = turns.all.iter().position(|url| Some(url) == used.as_ref()).unwrap_or(0);
    }

    /// There is always one.
    fn pick(&self, which: impl Fn(&Turns) -> usize) -> ServerUrl {
        let turns = self.hold();
        turns.all[which(&turns)].clone()
    }

    fn hold(&self) -> MutexGuard<'_, Turns> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(port: u16) -> ServerUrl {
        ServerUrl::parse(&format!("http://127.0.0.1:{port}"), false).unwrap()
    }

    #[test]
    fn each_has_its_turn_and_the_one_that_answers_stays() {
        let servers = Servers::new(url(1));
        assert!(!servers.failed(&url(1)), "there is no other");
        servers.answered(&url(1));
        servers.learn(vec![url(2), url(1), url(3)], 0);
        assert_eq!((servers.current(), servers.count()), (url(1), 3));

        assert!(servers.failed(&url(1)));
        assert!(servers.failed(&url(1)), "what somebody else has seen counts once");
        assert_eq!(servers.current(), url(2));
        servers.answered(&url(2));
        assert!(servers.failed(&url(2)));
        assert!(servers.failed(&url(3)));
        assert!(!servers.failed(&url(1)), "all have failed: wait");
        assert_eq!(servers.current(), url(2));

        servers.learn(vec![url(4), url(2)], 1);
        assert_eq!((servers.current(), servers.home()), (url(2), url(1)));
        servers.learn(Vec::new(), 7);
        assert_eq!(servers.current(), url(1));
    }
}
