//! What a provider's error codes say about a number (Twilio's "Error and Warning Dictionary").

use firstlight_protocol::callout::FailReason;

/// Codes that are about the number and not about the account: another account would hear the same. Somebody who has
/// answered STOP to one of our numbers is not written to from another.
pub(super) fn of_number(code: u32) -> Option<FailReason> {
    Some(match code {
        21610 => FailReason::BlockedSender,
        // Not a valid number, not reachable, cannot receive messages; in callbacks: unknown, or a landline.
        21211 | 21214 | 21217 | 21614 | 13224 | 30005 | 30006 => FailReason::UnknownNumber,
        _ => return None,
    })
}
