//! The engine's records.

use firstlight_protocol::{DeviceId, api::ClaimedKeyPackage, mls::Content};
use serde::{Deserialize, Serialize};

/// What a person, or the engine for them, wants of a room.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// Create the room with these first members.
    Create {
        /// Members.
        members: Vec<Candidate>,
    },
    /// Send a message.
    Send {
        /// Content.
        content: Content,
    },
    /// Add devices.
    Add {
        /// Members.
        members: Vec<Candidate>,
    },
    /// Remove devices.
    Remove {
        /// Devices.
        devices: Vec<DeviceId>,
    },
    /// Fresh keys.
    Update,
    /// External commit.
    Rejoin,
}

/// A claimed key package.
pub type Candidate = ClaimedKeyPackage;
