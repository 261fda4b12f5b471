//! Slow digests of what is short enough to be tried out: agencies' codes and people's PINs (Argon2id, RFC 9106). Whoever
//! steals the database still has to spend most of a core's day on a PIN, and weeks on the codes; both can be changed.

use crate::{Error, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use firstlight_protocol::Secret;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

/// 19 MiB, two passes, one lane: OWASP's first choice for Argon2id.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How many are made at the same time: bounds memory, whoever calls how often.
const AT_ONCE: usize = 2;

/// Makes them, a few at a time, off the threads that serve everybody.
#[derive(Debug)]
pub(crate) struct Slow(Semaphore);

impl Default for Slow {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Slow {
    /// The digest of a secret with this salt.
    ///
    /// # Errors
    /// A defect.
    pub(crate) async fn digest(&self, secret: Secret, salt: [u8; 16]) -> Result<[u8; 32]> {
        let _place = self.0.acquire().await.map_err(Error::internal)?;
        let work = move || {
            let params = Params::new(MEMORY, PASSES, 1, Some(32)).map_err(Error::internal)?;
            let mut digest = [0; 32];
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(secret.reveal().as_bytes(), &salt, &mut digest)
                .map_err(Error::internal)?;
            Ok(digest)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

/// Whether two digests are the same, in constant time.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
