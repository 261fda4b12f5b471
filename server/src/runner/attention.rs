//! What supervisors hear of that belongs to no single callout.

use super::alarms::attention_wakes;
use crate::store::sql;
use crate::{
    Result,
    store::{Tx, id},
};
use firstlight_protocol::{Timestamp, api::Notice, attention::Attention};

impl Tx<'_> {
    /// Tells every supervisor of the host's, on all their devices, and the audit trail.
    pub(crate) async fn raise_attention(&mut self, about: Attention, now: Timestamp) -> Result<()> {
        let devices: Vec<Vec<u8>> = sql::query_scalar(
            "SELECT device FROM devices JOIN people USING (person) JOIN trust ON trust.host = people.org
             WHERE people.role = 'supervisor' AND devices.revoked_at IS NULL ORDER BY device",
        )
        .fetch_all(&mut *self.conn)
        .await?;
        for device in devices {
            self.push_inbox(id(device)?, now, &Notice::Attention { about }).await?;
        }
        if attention_wakes(about) {
            self.wake_supervisors(None, now).await?;
        }
        let (subject, detail) = match about {
            Attention::ContactBlocked { person, contact } | Attention::ContactInvalid { person, contact } => {
                (person.to_string(), contact.to_string())
            }
            Attention::PinsTried { person } => (person.to_string(), String::new()),
            Attention::LineExhausted { line } | Attention::LineUnusable { line } => (line.to_string(), String::new()),
            Attention::CallerUnreached { callout } => (callout.to_string(), String::new()),
            Attention::CoverageGap { tier, from, .. } => (tier.to_string(), from.to_string()),
            Attention::CodesTried {} => Default::default(),
        };
        self.audit(now, None, about.as_str(), subject, detail).await
    }
}
