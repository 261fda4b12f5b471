//! Whom a policy may notify.

use crate::{Result, Shared};
use firstlight_protocol::{ErrorCode, OrgKind, Problem, policy::Policy};

/// Refuses a policy that notifies anybody but partners in child welfare and probation: everybody else sees of a callout
/// what their role allows, or nothing.
///
/// # Errors
/// `invalid_value`, naming the agency's id.
pub(crate) fn check_rules(app: &Shared, policy: &Policy) -> Result<()> {
    if policy.agency_notices.is_empty() {
        return Ok(());
    }
    let anchors = app.identity.anchors()?;
    let fits = |kind| matches!(kind, OrgKind::ChildWelfare | OrgKind::Probation);
    for rule in &policy.agency_notices {
        if !anchors.partner(rule.agency).is_some_and(|partner| !partner.withdrawn && fits(partner.kind)) {
            let detail = format!("agency_notices: {} is not a partner in child welfare or probation.", rule.agency);
            return Err(Problem::with(ErrorCode::InvalidValue, detail).into());
        }
    }
    Ok(())
}
