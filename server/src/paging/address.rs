//! Where a webhook may go: https to public addresses, unless the operator allows the host.

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// The hosts that the operator allows without TLS and at private addresses.
#[derive(Debug, Clone, Default)]
pub struct Allowed(Arc<[String]>);

impl Allowed {
    /// From the configured entries (`paging.webhook_allow`): `host` or `host:port`.
    pub fn new(entries: &[String]) -> Self {
        Self(entries.iter().map(|entry| entry.trim().to_ascii_lowercase()).collect())
    }

    /// The address, if a webhook may go there.
    pub fn check(&self, address: &str) -> Option<Url> {
        let url = Url::parse(address).ok()?;
        let host = url.host_str()?.to_ascii_lowercase();
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let with_port = url.port_or_known_default().map(|port| format!("{host}:{port}"));
        if self.0.iter().any(|entry| *entry == host || Some(entry) == with_port.as_ref()) {
            return matches!(url.scheme(), "http" | "https").then_some(url);
        }
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        (url.scheme() == "https" && literal.is_none_or(is_public)).then_some(url)
    }

    fn host(&self, host: &str) -> bool {
        self.0.iter().any(|entry| entry.split(':').next() == Some(host))
    }
}

/// Resolves names as the system does, and leaves out private addresses of hosts that aren't allowed: a public name may
/// point into the operator's network.
#[derive(Debug, Clone)]
pub(super) struct PublicOnly(pub(super) Allowed);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let everything = self.0.host(&name.as_str().to_ascii_lowercase());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let usable: Vec<SocketAddr> = found.filter(|address| everything || is_public(address.ip())).collect();
            if usable.is_empty() {
                return Err("the name has no public address".into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is reachable over the public internet (IANA special-purpose registries, RFC 6890).
fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_documentation()
                || ip.is_multicast()
                || a == 0
                || a >= 240
                || (a, b & 0xc0) == (100, 64)
                || (a, b & 0xfe) == (198, 18)
                || (a, b, c) == (192, 0, 0))
        }
        // Global unicast is 2000::/3; 6to4 and Teredo carry a private IPv4 address inside.
        IpAddr::V6(ip) => {
            let [first, second, ..] = ip.segments();
            first & 0xe000 == 0x2000
                && first != 0x2002
                && (first, second) != (0x2001, 0)
                && (first, second) != (0x2001, 0xdb8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_public_addresses_unless_allowed() {
        let none = Allowed::default();
        for good in ["https://example.org/page", "https://93.184.216.34/x", "https://[2606:4700::1111]:8443/"] {
            assert!(none.check(good).is_some(), "{good}");
        }
        for bad in [
            "http://example.org/page",
            "https://user:secret@example.org/",
            "https://127.0.0.1/",
            "https://10.1.2.3/",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00::1]/",
            "https://[2002:7f00:1::]/",
            "ftp://example.org/",
            "nonsense",
        ] {
            assert!(none.check(bad).is_none(), "{bad}");
        }
        let some = Allowed::new(&["127.0.0.1:8080".into(), " Pager.Internal ".into()]);
        for good in ["http://127.0.0.1:8080/x", "http://pager.internal:9/x", "https://pager.internal/"] {
            assert!(some.check(good).is_some(), "{good}");
        }
        for bad in ["http://127.0.0.1:8081/x", "http://other.internal/", "ftp://pager.internal/"] {
            assert!(some.check(bad).is_none(), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_that_points_inwards_does_not_resolve() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(PublicOnly(Allowed::default()).resolve(name()).await.is_err());
        assert!(PublicOnly(Allowed::new(&["localhost:1".into()])).resolve(name()).await.is_ok());
    }
}
