//! Agencies' codes: made, looked up, and kept from being tried out.
//!
//! A caller's number can be forged, so a limit per number alone would be none: wrong codes are limited in all as well.
//! While that limit is reached, only numbers from which a callout was opened before are listened to, so that an attack
//! doesn't close the line to those who use it. The limits are in memory: a restart gives an attacker a few more tries.

use super::slow::Slow;
use crate::{Result, Shared, app::random, bus::Bus, limit::RateLimit};
use firstlight_protocol::{
    Secret, Timestamp,
    attention::Attention,
    line::{CODE_DIGITS, Line},
};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Limits on wrong codes.
#[derive(Debug)]
pub(crate) struct Codes {
    pub(super) slow: Slow,
    /// Wrong codes of one number.
    each: RateLimit,
    /// Wrong codes in all.
    all: RateLimit,
    /// Alarms: one is enough for a while.
    alarms: RateLimit,
}

impl Codes {
    pub(crate) fn new(bus: &Bus) -> Self {
        Self {
            slow: Slow::default(),
            each: bus.limit("codes.each", 6, Duration::from_secs(300)),
            all: bus.limit("codes.all", 30, Duration::from_secs(60)),
            alarms: bus.limit("codes.alarms", 1, Duration::from_secs(3600)),
        }
    }
}

/// What came of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It is this line's.
    Line(Box<Line>),
    /// It is no line's.
    Wrong,
    /// Too many were wrong: it was not looked at.
    Locked,
}

/// A number as it is kept: compared, never read back. The digits alone, so that it doesn't matter how it is written.
pub(crate) fn caller_digest(number: &str) -> [u8; 32] {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    Sha256::new_with_prefix(b"firstlight caller").chain_update(digits).finalize().into()
}

/// Whose code this is. `caller`: the digest of the caller's number; for a hidden one, that of the call.
pub(crate) async fn try_code(app: &Shared, code: Secret, caller: [u8; 32], now: Timestamp) -> Result<Tried> {
    let codes = &app.phone.codes;
    if !codes.each.would_pass(caller, now) {
        return tell_tried(app, now).await.map(|()| Tried::Locked);
    }
    if !codes.all.would_pass((), now) && !app.store.has_called(caller).await? {
        return Ok(Tried::Locked);
    }
    let digest = codes.slow.digest(code, app.store.line_salt().await?).await?;
    if let Some(line) = app.store.line_of_code(digest).await?
        && app.identity.is_partner(line.agency)
    {
        return Ok(Tried::Line(Box::new(line)));
    }
    // Wrong ones alone count: a station whose telephones share a number may open as many callouts as its line may.
    let _ = codes.each.check(caller, now);
    let _ = codes.all.check((), now);
    if !codes.all.would_pass((), now) {
        tell_tried(app, now).await?;
    }
    Ok(Tried::Wrong)
}

/// Supervisors hear that officers may be turned away.
async fn tell_tried(app: &Shared, now: Timestamp) -> Result<()> {
    if app.phone.codes.alarms.check((), now).is_err() {
        return Ok(());
    }
    app.store.write(move |tx| Box::pin(async move { tx.raise_attention(Attention::CodesTried {}, now).await })).await
}

/// A random code of so many digits.
pub(super) fn make(digits: u8) -> Result<Secret> {
    let digits = digits.clamp(*CODE_DIGITS.start(), *CODE_DIGITS.end());
    let number = u128::from_be_bytes(random::<16>()?) % 10u128.pow(u32::from(digits));
    Ok(Secret::new(format!("{number:0width$}", width = usize::from(digits))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        assert_eq!(caller_digest("+1 555-555-0100"), caller_digest("15555550100"));
        assert_ne!(caller_digest("+15555550100"), caller_digest("+15555550101"));
    }

    #[test]
    fn a_code_has_its_digits() {
        for digits in CODE_DIGITS {
            let code = make(digits).unwrap();
            assert_eq!(code.reveal().len(), usize::from(digits));
            assert!(code.reveal().bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
