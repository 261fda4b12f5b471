//! People, as certificates say who they are.

use firstlight_protocol::{DeviceId, PersonId, Problem, Role, Timestamp};
use serde::{Deserialize, Serialize};

/// People of this organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct People {
    /// By work name.
    pub people: Vec<Person>,
}

/// A person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Person {
    /// Id.
    pub person: PersonId,
    /// Work name.
    pub work_name: String,
    /// Role.
    pub role: Role,
    /// Their devices.
    pub devices: Vec<PersonDevice>,
}

/// A person's device.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct PersonDevice {
    /// Id.
    pub device: DeviceId,
    /// When it was enrolled.
    pub enrolled_at: Timestamp,
    /// When it was connected last.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked_at: Option<Timestamp>,
    /// This very device.
    pub own: bool,
    /// Why its certificates are not believed here; absent: they verify, and say what the server says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
}

/// Devices to revoke.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "contract", derive(utoipa::ToSchema))]
pub struct Revoke {
    /// They.
    pub devices: Vec<DeviceId>,
}
