//! Sign-in challenges that the server does not have to remember until somebody answers one rightly.
//!
//! A challenge is `expiry (8 bytes) ‖ random (8) ‖ first 16 bytes of a MAC over both and the device`. Nothing is stored when
//! one is given out, so nobody can fill the server with challenges, and a device that doesn't exist gets one like any
//! other. An answered challenge is remembered until it expires: it opens one sign-in.

use super::token::TokenKey;
use crate::{Error, Result, app::random};
use firstlight_protocol::{DeviceId, ErrorCode, Timestamp, api::Challenge, limits::CHALLENGE_LIFETIME};

const PURPOSE: &[u8] = b"challenge";

/// A new challenge.
pub(super) fn issue(key: &TokenKey, device: DeviceId, now: Timestamp) -> Result<Challenge> {
    let expires_at = now + CHALLENGE_LIFETIME;
    let mut challenge = [&expires_at.0.to_be_bytes()[..], &random::<8>()?].concat();
    let mac = key.mac(PURPOSE, &[&challenge[..], device.as_bytes()].concat())?;
    challenge.extend_from_slice(&mac[..16]);
    Ok(Challenge { challenge: challenge.into(), expires_at })
}

/// When a challenge that this server gave to this device expires.
///
/// # Errors
/// `bad_signature` if it is of another device or another server, or has expired.
pub(super) fn check(key: &TokenKey, device: DeviceId, challenge: &[u8], now: Timestamp) -> Result<Timestamp> {
    let refuse = || Error::from(ErrorCode::BadSignature);
    let challenge: &[u8; 32] = challenge.try_into().map_err(|_| refuse())?;
    let (body, mac) = challenge.split_at(16);
    key.check_mac(PURPOSE, &[body, device.as_bytes()].concat(), mac)?;
    let (expiry, _) = body.split_first_chunk::<8>().ok_or_else(refuse)?;
    let expires_at = Timestamp(i64::from_be_bytes(*expiry));
    if expires_at <= now { Err(refuse()) } else { Ok(expires_at) }
}
