//! Callouts: what only this device can do for them, because it is encrypted.

use firstlight_protocol::{
    CalloutId, RoomId, Timestamp,
    api::InboxItem,
    callout::{Action, Purpose, Routing},
    cert::DeviceIdentity,
    mls::CalloutDetails,
};
use serde::{Deserialize, Serialize};

pub use firstlight_protocol::callout::CalloutView;

/// Which callout.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OfCallout {
    /// The callout.
    pub callout: CalloutId,
}

/// A callout to open.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct OpenCalloutWith {
    /// What the server reads.
    pub routing: Routing,
    /// Real, or a drill.
    #[serde(default)]
    pub purpose: Purpose,
    /// What only the room's members read.
    #[serde(default)]
    pub details: CalloutDetails,
}

/// Details to send.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct SendDetails {
    /// The callout.
    pub callout: CalloutId,
    /// They.
    pub details: CalloutDetails,
}

/// What this device can read of a callout.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Details {
    /// Its room, once this device is a member.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<RoomId>,
    /// Everything that was sent, oldest first: what is newer adds to what is older, field by field.
    pub sent: Vec<DetailsLine>,
}

/// Details as somebody sent them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct DetailsLine {
    /// When the server had them.
    pub at: Timestamp,
    /// Who sent them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<DeviceIdentity>,
    /// They.
    pub details: CalloutDetails,
}

/// An action on a callout.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct ActOn {
    /// The callout.
    pub callout: CalloutId,
    /// What to do.
    pub action: Action,
}

/// What the server has told this device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Notices {
    /// Oldest first.
    pub items: Vec<InboxItem>,
}
