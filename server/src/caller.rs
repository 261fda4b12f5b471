//! Who is calling: an authenticated device, with the role its certificate says. Handlers that take a [`Caller`] can't
//! be reached without a valid access token.

use crate::{Error, Result};
use firstlight_protocol::{DeviceId, ErrorCode, OrgId, OrgKind, PersonId, Problem, Role, SessionId};

/// An authenticated device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Organisation.
    pub org: OrgId,
    /// What the organisation is.
    pub org_kind: OrgKind,
    /// Person.
    pub person: PersonId,
    /// Device.
    pub device: DeviceId,
    /// Role.
    pub role: Role,
    /// The sign-in.
    pub session: SessionId,
}

impl Caller {
    /// Refuses everyone whose role is not among `roles`.
    pub fn require(&self, roles: &[Role]) -> Result<()> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        let names: Vec<_> = roles.iter().map(|r| r.as_str()).collect();
        Err(Error::Refused(Problem::with(ErrorCode::Forbidden, format!("This is for: {}.", names.join(", ")))))
    }
}
