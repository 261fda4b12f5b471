//! The engine's one ordered map, with the changes of the current step laid over it.

use super::EngineError;
use firstlight_protocol::wire::{from_cbor, to_cbor};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

type Overlay = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The map. openmls writes through a shared reference, hence the cell; nobody holds a borrow across a call.
#[derive(Debug, Default)]
pub(crate) struct Store {
    maps: RefCell<Maps>,
}

#[derive(Debug, Default)]
struct Maps {
    base: BTreeMap<Vec<u8>, Vec<u8>>,
    overlay: Overlay,
    /// Groups whose message secrets changed in memory and are written once at the end of the step: openmls writes all
    /// of them after every single message, and that is most of what a catch-up would cost.
    unwritten: BTreeSet<Vec<u8>>,
    /// Whether the engine is writing them now.
    flushing: bool,
}

/// A place in a step to go back to.
pub(crate) struct Mark {
    overlay: Overlay,
    unwritten: BTreeSet<Vec<u8>>,
}

impl Store {
    pub(crate) fn new(base: BTreeMap<Vec<u8>, Vec<u8>>) -> Self {
        Self { maps: RefCell::new(Maps { base, ..Maps::default() }) }
    }

    pub(crate) fn bytes(&self, key: &[u8]) -> Option<Vec<u8>> {
        let maps = self.maps.borrow();
        match maps.overlay.get(key) {
            Some(pending) => pending.clone(),
            None => maps.base.get(key).cloned(),
        }
    }

    pub(crate) fn put_bytes(&self, key: Vec<u8>, value: Vec<u8>) {
        self.maps.borrow_mut().overlay.insert(key, Some(value));
    }

    pub(crate) fn remove(&self, key: &[u8]) {
        let mut maps = self.maps.borrow_mut();
        if maps.base.contains_key(key) {
            maps.overlay.insert(key.to_vec(), None);
        } else {
            maps.overlay.remove(key);
        }
    }

    /// A record in CBOR. `what` names it in the error if the bytes are damaged.
    pub(crate) fn get<T: DeserializeOwned>(&self, key: &[u8], what: &'static str) -> Result<Option<T>, EngineError> {
        self.bytes(key).map(|b| from_cbor(&b).map_err(|_| EngineError::Damaged { what })).transpose()
    }

    pub(crate) fn put<T: Serialize>(&self, key: Vec<u8>, value: &T) {
        self.put_bytes(key, to_cbor(value));
    }

    /// All entries whose keys begin with `prefix`, in order.
    pub(crate) fn scan(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let maps = self.maps.borrow();
        let mut found: BTreeMap<&[u8], &[u8]> = maps
            .base
            .range(prefix.to_vec()..)
            .take_while(|(k, _)| k.starts_with(prefix))
            .map(|(k, v)| (k.as_slice(), v.as_slice()))
            .collect();
        for (key, value) in maps.overlay.range(prefix.to_vec()..).take_while(|(k, _)| k.starts_with(prefix)) {
            match value {
                Some(value) => found.insert(key, value),
                None => found.remove(key.as_slice()),
            };
        }
        found.into_iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect()
    }

    /// All records whose keys begin with `prefix`, in order of their keys.
    pub(crate) fn records<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        what: &'static str,
    ) -> Result<Vec<T>, EngineError> {
        self.scan(prefix).iter().map(|(_, v)| from_cbor(v).map_err(|_| EngineError::Damaged { what })).collect()
    }

    /// The changes of the current step.
    pub(crate) fn pending(&self) -> Overlay {
        self.maps.borrow().overlay.clone()
    }

    pub(crate) fn has_pending(&self) -> bool {
        !self.maps.borrow().overlay.is_empty()
    }

    pub(crate) fn keep(&self) {
        let mut maps = self.maps.borrow_mut();
        for (key, value) in std::mem::take(&mut maps.overlay) {
            match value {
                Some(value) => maps.base.insert(key, value),
                None => maps.base.remove(&key),
            };
        }
        maps.unwritten.clear();
    }

    pub(crate) fn forget(&self) {
        let mut maps = self.maps.borrow_mut();
        maps.overlay.clear();
        maps.unwritten.clear();
    }

    pub(crate) fn mark(&self) -> Mark {
        let maps = self.maps.borrow();
        Mark { overlay: maps.overlay.clone(), unwritten: maps.unwritten.clone() }
    }

    /// Goes back to a mark. Groups in memory that were touched since must be dropped.
    pub(crate) fn reset(&self, mark: Mark) {
        let mut maps = self.maps.borrow_mut();
        maps.overlay = mark.overlay;
        maps.unwritten = mark.unwritten;
    }

    /// Whether a group's message secrets are to be written now; if not, they are noted as changed.
    pub(super) fn flushing_or_note(&self, group: &[u8]) -> bool {
        let mut maps = self.maps.borrow_mut();
        if !maps.flushing {
            maps.unwritten.insert(group.to_vec());
        }
        maps.flushing
    }

    /// Whether a group's message secrets have changed since they were written; from now on they count as written.
    pub(super) fn take_unwritten(&self, group: &[u8]) -> bool {
        self.maps.borrow_mut().unwritten.remove(group)
    }

    pub(super) fn set_flushing(&self, flushing: bool) {
        self.maps.borrow_mut().flushing = flushing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overlay_shadows_and_is_forgotten_or_kept_whole() {
        let store = Store::new(BTreeMap::from([(b"a/1".to_vec(), vec![1]), (b"a/2".to_vec(), vec![2])]));
        store.remove(b"a/1");
        store.put_bytes(b"a/3".to_vec(), vec![3]);
        store.put_bytes(b"b".to_vec(), vec![4]);
        assert_eq!(store.scan(b"a/"), [(b"a/2".to_vec(), vec![2]), (b"a/3".to_vec(), vec![3])]);
        let mark = store.mark();
        store.remove(b"a/3");
        store.reset(mark);
        assert_eq!(store.bytes(b"a/3"), Some(vec![3]));
        store.forget();
        assert_eq!(store.bytes(b"a/1"), Some(vec![1]));
        assert_eq!(store.bytes(b"a/3"), None);
        store.remove(b"a/2");
        assert!(store.has_pending());
        store.keep();
        assert!(!store.has_pending());
        assert_eq!(store.scan(b""), [(b"a/1".to_vec(), vec![1])]);
    }
}
