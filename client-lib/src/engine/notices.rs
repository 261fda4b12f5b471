//! What dispatch told this device, kept so that it can be listed again.

use super::{Engine, state::key};
use firstlight_protocol::{api::InboxItem, wire::from_cbor};

/// How many notices are kept.
const KEPT: usize = 500;

impl Engine {
    /// Pages, stand-downs, callouts, alarms and pending requests, oldest first; the newest 500 are kept.
    pub fn notices(&self) -> Vec<InboxItem> {
        self.provider.store.scan(key::NOTICES).iter().filter_map(|(_, v)| from_cbor(v).ok()).collect()
    }

    pub(super) fn keep_notice(&self, item: &InboxItem) {
        let store = &self.provider.store;
        store.put(key::notice(item.seq), item);
        let kept = store.scan(key::NOTICES);
        for (old, _) in kept.iter().take(kept.len().saturating_sub(KEPT)) {
            store.remove(old);
        }
    }
}
