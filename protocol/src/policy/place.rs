//! What a registered place is called, and where it lies.

use crate::{callout::Code, cert::is_valid_name};
use serde::{Deserialize, Serialize};

/// How a zone or a site is shown to those who choose it. Codes travel; names are for the eye.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Its name, such as "Central Station": 1 to 64 characters. Absent: its code is shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Of a site: the zone that it lies in, so that choosing the site is enough.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub zone: Option<Code>,
}

impl Place {
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match &self.name {
            Some(name) if !is_valid_name(name) => Err("name: 1 to 64 characters, all of them visible."),
            _ => Ok(()),
        }
    }
}
