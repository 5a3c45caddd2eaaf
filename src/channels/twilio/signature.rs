//! Owns whether a request is Twilio's own: `X-Twilio-Signature`.
//!
//! Source: <https://www.twilio.com/docs/usage/security#validating-requests>.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// The key is the account's auth token.
pub(super) struct Signature(hmac::Key);

impl Signature {
    pub(super) fn new(token: &SecretString) -> Self {
        let token = token.expose_secret().as_bytes();
        Self(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token))
    }

    /// Whether `given` (base64) signs the URL and a form's fields, in constant time. Twilio signs the URL with or
    /// without its port.
    pub(super) fn fits(&self, given: &str, url: &str, fields: &[(String, String)]) -> bool {
        let Ok(given) = STANDARD.decode(given) else {
            return false;
        };
        let fields = joined(fields);
        [with_port(url), without_port(url)]
            .into_iter()
            .any(|url| hmac::verify(&self.0, (url + &fields).as_bytes(), &given).is_ok())
    }
}

/// Whether the body is the one whose SHA-256 (hexadecimal) stands in the signed URL as `bodySHA256`.
pub(super) fn is_body(body: &[u8], named: &str) -> bool {
    let found = digest(&SHA256, body);
    let found = found.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _written = write!(hex, "{byte:02x}");
        hex
    });
    verify_slices_are_equal(found.as_bytes(), named.to_ascii_lowercase().as_bytes()).is_ok()
}

/// Names and values without anything between, in the order of the names; a field that is there twice with the
/// same value counts once.
fn joined(fields: &[(String, String)]) -> String {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_unstable();
    fields.dedup();
    let texts = fields
        .into_iter()
        .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    texts.collect()
}

/// Scheme with `://`, host, port with its colon, rest. The public URL has neither user nor password.
fn torn(url: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, after) = url.split_at(url.find("://")? + 3);
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let literal = authority.rfind(']').unwrap_or(0);
    let colon = authority[literal..].find(':').map(|at| literal + at);
    let (host, port) = authority.split_at(colon.unwrap_or(authority.len()));
    Some((scheme, host, port, rest))
}

fn with_port(url: &str) -> String {
    match torn(url) {
        Some((scheme, host, "", rest)) => {
            let port = if scheme == "https://" { 443 } else { 80 };
            format!("{scheme}{host}:{port}{rest}")
        }
        _ => url.to_owned(),
    }
}

fn without_port(url: &str) -> String {
    torn(url).map_or_else(
        || url.to_owned(),
        |(scheme, host, _, rest)| format!("{scheme}{host}{rest}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn signature() -> Signature {
        Signature::new(&SecretString::from("12345"))
    }

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const GOOD: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
    const CALL: [(&str, &str); 5] = [
        ("To", "+18005551212"),
        ("Digits", "1234"),
        ("CallSid", "CA1234567890ABCDE"),
        ("From", "+14158675309"),
        ("Caller", "+14158675309"),
    ];

    #[rstest]
    #[case(GOOD, URL, true)]
    #[case(GOOD, "https://mycompany.com:443/myapp.php?foo=1&bar=2", true)]
    #[case(GOOD, "https://mycompany.com/myapp.php?foo=1&bar=3", false)]
    #[case(GOOD, "https://other.com/myapp.php?foo=1&bar=2", false)]
    #[case("RSOYDt4T1cUTdK1PDd93/VVr8B9=", URL, false)]
    #[case("", URL, false)]
    #[case("not base64!", URL, false)]
    fn twilios_own_vector_is_signed_and_nothing_else(
        #[case] given: &str,
        #[case] url: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(signature().fits(given, url, &fields(&CALL)), expected);
        let mut changed = fields(&CALL);
        changed.push(("Extra".to_owned(), "1".to_owned()));
        assert!(!signature().fits(given, url, &changed));
    }

    #[rstest]
    #[case("https://a.test/x", "https://a.test:443/x", "https://a.test/x")]
    #[case(
        "http://a.test:8080?q=:1",
        "http://a.test:8080?q=:1",
        "http://a.test?q=:1"
    )]
    #[case("http://[::1]:81/x", "http://[::1]:81/x", "http://[::1]/x")]
    #[case("http://[::1]/x", "http://[::1]:80/x", "http://[::1]/x")]
    fn a_url_is_told_with_and_without_its_port(
        #[case] url: &str,
        #[case] with: &str,
        #[case] without: &str,
    ) {
        assert_eq!(with_port(url), with);
        assert_eq!(without_port(url), without);
    }

    #[test]
    fn a_body_is_known_by_its_digest() {
        let empty = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855";
        assert!(is_body(b"", empty));
        assert!(!is_body(b"{}", empty));
        assert!(!is_body(b"", ""));
    }
}
