//! A provider's signature over a request to us, checked before anything else is looked at.
//!
//! `X-Twilio-Signature` is base64(HMAC-SHA1(auth token, URL followed by each POST field's name and value, sorted by name)).
//! The URL is the one that we gave: the configured public address, and the path and query of this request.

use crate::{Error, Shared, extract::read_body};
use axum::{
    extract::{FromRequest, Request},
    http::header,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use firstlight_protocol::{ErrorCode, Problem, Secret};
use hmac::{Hmac, Mac};
use sha1::Sha1;

/// The most fields that a form may have.
const MAX_FIELDS: usize = 100;

/// A request under `/v1/telephony/{account}/…` that the account has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The account, by the operator's name for it.
    pub account: String,
    /// The query's parameters: we wrote them into the URL ourselves.
    pub query: Vec<(String, String)>,
    /// The form's fields.
    pub form: Vec<(String, String)>,
}

impl Signed {
    /// A field of the form; empty if it is not there.
    pub fn field(&self, name: &str) -> &str {
        find(&self.form, name)
    }

    /// A parameter of the query; empty if it is not there.
    pub fn parameter(&self, name: &str) -> &str {
        find(&self.query, name)
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    pairs.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

impl FromRequest<Shared> for Signed {
    type Rejection = Error;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Error> {
        let refused = || Problem::with(ErrorCode::Forbidden, "The signature is not that of this account.");
        let (uri, headers) = (request.uri().clone(), request.headers().clone());
        let account = uri.path().split('/').nth(3).unwrap_or_default().to_owned();
        let given = headers.get("x-twilio-signature").and_then(|value| value.to_str().ok()).ok_or_else(refused)?;
        let is_form = headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("application/x-www-form-urlencoded")));
        let body = read_body(request).await?;
        let form = if is_form { pairs(&body)? } else { Vec::new() };
        let telephony = app.runner.channels().telephony();
        let path = uri.path_and_query().map_or("", |whole| whole.as_str());
        let url = format!("{}{path}", telephony.public_url());
        if !telephony.verify_signature(&account, &url, &form, given) {
            return Err(refused().into());
        }
        Ok(Self { account, query: pairs(uri.query().unwrap_or_default().as_bytes())?, form })
    }
}

fn pairs(encoded: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let pairs: Vec<_> = form_urlencoded::parse(encoded).take(MAX_FIELDS + 1).collect();
    if pairs.len() > MAX_FIELDS {
        return Err(Problem::with(ErrorCode::TooLarge, "Too many fields.").into());
    }
    Ok(pairs.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
}

/// Whether a request was signed with this token; compared in constant time.
pub(super) fn verify(token: &Secret, url: &str, form: &[(String, String)], given: &str) -> bool {
    let Ok(given) = STANDARD.decode(given) else { return false };
    // HMAC takes a key of any length (RFC 2104 §2).
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(token.reveal().as_bytes()) else { return false };
    mac.update(url.as_bytes());
    let mut sorted: Vec<_> = form.iter().collect();
    sorted.sort();
    for (name, value) in sorted {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    mac.verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_of_the_providers_documentation() {
        // The worked example of Twilio's "Webhooks Security" and of its client libraries' tests.
        let token = Secret::new("12345");
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        let form: Vec<(String, String)> = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let given = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        assert!(verify(&token, url, &form, given));
        let shuffled: Vec<_> = form.iter().rev().cloned().collect();
        assert!(verify(&token, url, &shuffled, given));
        assert!(!verify(&Secret::new("12346"), url, &form, given));
        assert!(!verify(&token, "https://mycompany.com/myapp.php?foo=1&bar=3", &form, given));
        assert!(!verify(&token, url, &form[1..], given));
        for bad in ["", "RSOYDt4T1cUTdK1PDd93", "not base64!"] {
            assert!(!verify(&token, url, &form, bad));
        }
    }
}
