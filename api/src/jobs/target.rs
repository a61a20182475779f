//! Where webhooks may go: to the internet, and nowhere else. A name is resolved by us, and the connection goes to the
//! addresses that were looked at, so that a name which changes its mind in between gains nothing.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Url, redirect};

/// Why a URL is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    /// It is no URL.
    #[error("is no URL; write https://HOST/PATH")]
    NoUrl,
    /// It is not encrypted.
    #[error("is not encrypted; use https")]
    Plain,
    /// It carries a name and password.
    #[error("carries a name or password; check the signature instead, and leave them out")]
    Credentials,
    /// It is an address that is not of the internet.
    #[error("is an address of this machine or of a private network; use one that the internet reaches")]
    Private,
}

/// The URL, when it may be a target as far as can be told without resolving its name.
pub fn url(text: &str, allow_private: bool) -> Result<Url, BadTarget> {
    let url = Url::parse(text).map_err(|_| BadTarget::NoUrl)?;
    let plain = match url.scheme() {
        "https" => false,
        "http" => true,
        _ => return Err(BadTarget::NoUrl),
    };
    if plain && !allow_private {
        return Err(BadTarget::Plain);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(BadTarget::Credentials);
    }
    let Some(host) = url.host_str() else { return Err(BadTarget::NoUrl) };
    let literal = host.trim_matches(['[', ']']).parse::<IpAddr>();
    #[expect(clippy::case_sensitive_file_extension_comparisons, reason = "names of machines, in lower case already")]
    let local =
        host == "localhost" || host.ends_with(".localhost") || host.ends_with(".local") || host.ends_with(".internal");
    if !allow_private && (local || literal.is_ok_and(|address| !is_public(address))) {
        return Err(BadTarget::Private);
    }
    Ok(url)
}

/// A client that connects to nothing but targets, follows no redirects, and uses no proxy. It waits so long for an answer.
pub fn client(allow_private: bool, patience: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // Whoever was first has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .dns_resolver(std::sync::Arc::new(Resolver { allow_private }))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(patience)
        .pool_max_idle_per_host(2)
        .user_agent(concat!("Kwartier/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// Resolves names as the system does, and gives out addresses of the internet alone.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            // One private address among them is enough to distrust them all.
            if !allow_private && found.iter().any(|address| !is_public(address.ip())) {
                return Err(Box::new(BadTarget::Private) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the internet (IANA's special-purpose registries, RFC 6890).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        || (a == 100 && (64..128).contains(&b)) // shared by carriers
        || (a == 192 && b == 0 && c == 0) // protocol assignments
        || (a == 198 && (b == 18 || b == 19)) // benchmarks
        || a >= 240;
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, ..] = address.segments();
    // Only 2000::/3 is given out; of it, 6to4, Teredo and documentation carry or mean other addresses.
    let global = (0x2000..0x4000).contains(&first);
    let special = first == 0x2002
        || (first == 0x2001 && second < 0x0200)
        || (first == 0x2001 && second == 0x0db8)
        || first == 0x3fff;
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for public in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450::1", "172.32.0.1", "100.128.0.1"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(private.parse().expect("an address")), "{private}");
        }
    }

    #[test]
    fn urls_of_this_machine_and_plain_ones_are_refused() {
        let private = Err(BadTarget::Private);
        for (text, wrong) in [
            ("nonsense", Err(BadTarget::NoUrl)),
            ("ftp://example.org/", Err(BadTarget::NoUrl)),
            ("http://example.org/", Err(BadTarget::Plain)),
            ("https://user@example.org/", Err(BadTarget::Credentials)),
            ("https://localhost/", private.clone()),
            ("https://127.0.0.1/", private.clone()),
            ("https://2130706433/", private.clone()),
            ("https://0x7f.1/", private.clone()),
            ("https://[::1]/", private.clone()),
            ("https://[::ffff:169.254.169.254]/", private),
            ("https://example.org/hook", Ok(())),
        ] {
            assert_eq!(url(text, false).map(|_| ()), wrong, "{text}");
        }
        assert!(url("http://127.0.0.1:9/", true).is_ok());
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let resolver = Resolver { allow_private: false };
        let name: Name = "localhost".parse().expect("a name");
        let resolved = resolver.resolve(name).await;
        assert!(resolved.is_err_and(|why| why.to_string().contains("private network")), "port {port}");
    }
}
