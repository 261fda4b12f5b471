//! Tokens that the server makes: access tokens (JWT), refresh tokens and tickets.
//!
//! **Access token** JWT (RFC 7519) signed with Ed25519 (RFC 8037), and nothing else is looked at: the algorithm is
//! pinned, the key id must be ours, and issuer, audience, subject, expiry, not-before and token id must be there.
//! It carries who the device is, so that no request needs the database to know; whether the sign-in still stands is asked
//! of [`super::live`] each time.
//!
//! **Refresh token** `base64url(session ‖ generation ‖ 32 random bytes ‖ HMAC-SHA256)`. The MAC tells a token that the
//! server once gave out from garbage, so an old one is known for what it is without keeping every digest, and nobody
//! can end another's sign-in by making one up.

use crate::{Error, Result, app::random, caller::Caller};
use firstlight_protocol::{
    DeviceId, ErrorCode, OrgId, OrgKind, PersonId, Role, Secret, SessionId, Timestamp,
    limits::{ACCESS_LIFETIME, CLOCK_LEEWAY, DUTY_ACCESS_LIFETIME},
    wire::Bytes,
};
use hmac::{Hmac, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto::aws_lc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use zeroize::Zeroizing;

/// Whom access tokens are for.
pub(super) const AUDIENCE: &str = "firstlight";
/// PKCS#8 of an Ed25519 private key up to its 32 bytes (RFC 8410 §7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// The server's key for tokens, and what is derived from it.
pub(super) struct TokenKey {
    kid: String,
    issuer: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    mac: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenKey({})", self.kid)
    }
}

/// What an access token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    /// Everything that the caller's role may do.
    Full,
    /// What a locked device may do: see [`super::duty`].
    Duty,
}

impl Scope {
    fn lifetime(self) -> Duration {
        match self {
            Self::Full => ACCESS_LIFETIME,
            Self::Duty => DUTY_ACCESS_LIFETIME,
        }
    }
}

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: DeviceId,
    /// Seconds, like every time in a JWT.
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) jti: String,
    pub(super) sid: SessionId,
    pub(super) org: OrgId,
    pub(super) org_kind: OrgKind,
    pub(super) person: PersonId,
    pub(super) role: Role,
    pub(super) scope: Scope,
}

/// A refresh token that the server once gave out.
#[derive(Debug, Clone)]
pub(super) struct Refresh {
    pub(super) session: SessionId,
    pub(super) generation: u64,
    pub(super) token: Secret,
}

impl TokenKey {
    /// The key from its 32 bytes.
    pub(super) fn new(seed: &[u8; 32], issuer: &str) -> Result<Self> {
        // A second server in one process (a test) finds it installed already, by this same line.
        let _ = aws_lc::DEFAULT_PROVIDER.install_default();
        let public = ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes();
        let pkcs8 = Zeroizing::new([&PKCS8_PREFIX[..], seed].concat());
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[issuer]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        // Times are compared below, against the server's own clock: the library would read the machine's.
        validation.validate_exp = false;
        let kid = Sha256::digest(public)[..8].iter().map(|b| format!("{b:02x}")).collect();
        Ok(Self {
            kid,
            issuer: issuer.to_owned(),
            encoding: EncodingKey::from_ed_der(&pkcs8),
            decoding: DecodingKey::from_ed_der(&public),
            validation,
            mac: Zeroizing::new(keyed(seed, b"firstlight/v1/server-mac", &[])?),
        })
    }

    /// An access token, and when it ends.
    pub(super) fn access(&self, caller: &Caller, scope: Scope, now: Timestamp) -> Result<(Secret, Timestamp)> {
        let seconds = now.0.div_euclid(1_000);
        let exp = seconds + i64::try_from(scope.lifetime().as_secs()).unwrap_or(0);
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            sub: caller.device,
            iat: seconds,
            nbf: seconds,
            exp,
            jti: Secret::from_random(&random::<16>()?).reveal().to_owned(),
            sid: caller.session,
            org: caller.org,
            org_kind: caller.org_kind,
            person: caller.person,
            role: caller.role,
            scope,
        };
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        let token = jsonwebtoken::encode(&header, &claims, &self.encoding).map_err(Error::internal)?;
        Ok((Secret::new(token), Timestamp(exp * 1_000)))
    }

    /// Reads an access token: whose it is, and what it is good for.
    ///
    /// # Errors
    /// `token_expired` where nothing else is wrong with it, `unauthenticated` otherwise.
    pub(super) fn read_access(&self, token: &str, now: Timestamp) -> Result<(Caller, Scope)> {
        let refuse = || Error::from(ErrorCode::Unauthenticated);
        let header = jsonwebtoken::decode_header(token).map_err(|_| refuse())?;
        // `crit` names extensions that must be understood (RFC 7515 §4.1.11); this server understands none.
        if header.kid.as_deref() != Some(&self.kid) || header.alg != Algorithm::EdDSA || header.crit.is_some() {
            return Err(refuse());
        }
        let claims: Claims =
            jsonwebtoken::decode(token, &self.decoding, &self.validation).map_err(|_| refuse())?.claims;
        let seconds = now.0.div_euclid(1_000);
        let leeway = i64::try_from(CLOCK_LEEWAY.as_secs()).unwrap_or(0);
        if claims.nbf > seconds.saturating_add(leeway) || claims.jti.is_empty() {
            return Err(refuse());
        }
        // This server set the time itself, by the same clock: an end needs no leeway.
        if claims.exp <= seconds {
            return Err(ErrorCode::TokenExpired.into());
        }
        let Claims { org, org_kind, person, sub: device, role, sid: session, scope, .. } = claims;
        Ok((Caller { org, org_kind, person, device, role, session }, scope))
    }

    /// A fresh refresh token.
    pub(super) fn refresh(&self, session: SessionId, generation: u64) -> Result<Refresh> {
        let body = [session.as_bytes(), &generation.to_be_bytes(), &random::<32>()?].concat();
        let mac = self.mac(b"refresh", &body)?;
        let token = Secret::from_random(&Zeroizing::new([body, mac.to_vec()].concat()));
        Ok(Refresh { session, generation, token })
    }

    /// Reads a refresh token: one that this server gave out, however old.
    ///
    /// # Errors
    /// `unauthenticated` for anything else.
    pub(super) fn read_refresh(&self, token: &Secret) -> Result<Refresh> {
        let refuse = || Error::from(ErrorCode::Unauthenticated);
        if token.reveal().len() > 256 {
            return Err(refuse());
        }
        let bytes: Bytes = serde_json::from_value(token.reveal().into()).map_err(|_| refuse())?;
        let (session, rest) = bytes.split_first_chunk::<16>().ok_or_else(refuse)?;
        let (generation, rest) = rest.split_first_chunk::<8>().ok_or_else(refuse)?;
        if rest.len() != 64 {
            return Err(refuse());
        }
        let (body, mac) = bytes.split_at(56);
        self.check_mac(b"refresh", body, mac).map_err(|_| refuse())?;
        let (session, generation) = (SessionId(*session), u64::from_be_bytes(*generation));
        Ok(Refresh { session, generation, token: token.clone() })
    }

    /// HMAC-SHA256 for a purpose, under a key that only this server has.
    pub(super) fn mac(&self, purpose: &[u8], body: &[u8]) -> Result<[u8; 32]> {
        keyed(self.mac.as_slice(), purpose, body)
    }

    /// Checks such a MAC, or its beginning of at least 16 bytes, in constant time.
    pub(super) fn check_mac(&self, purpose: &[u8], body: &[u8], mac: &[u8]) -> Result<()> {
        let expected = self.mac(purpose, body)?;
        let same =
            mac.len() >= 16 && subtle::ConstantTimeEq::ct_eq(expected.get(..mac.len()).unwrap_or(&[]), mac).into();
        if same { Ok(()) } else { Err(ErrorCode::BadSignature.into()) }
    }

    #[cfg(test)]
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }
}

fn keyed(key: &[u8], purpose: &[u8], body: &[u8]) -> Result<[u8; 32]> {
    let mut hmac = <Hmac<Sha256> as Mac>::new_from_slice(key).map_err(Error::internal)?;
    hmac.update(&(purpose.len() as u64).to_be_bytes());
    hmac.update(purpose);
    hmac.update(body);
    Ok(hmac.finalize().into_bytes().into())
}
