//! Random bytes from the system: ids, keys, secrets.

use super::SessionError;

/// `N` random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], SessionError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| SessionError::NoRandomness)?;
    Ok(bytes)
}
