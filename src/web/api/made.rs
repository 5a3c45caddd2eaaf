//! Owns answers about what was made: where it is from now on.

use axum::Json;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};

/// What was made, and its address.
pub(super) type Created<T> = (StatusCode, [(HeaderName, String); 1], Json<T>);

pub(super) fn created<T>(list: &str, name: &str, body: T) -> Created<T> {
    let location = [(LOCATION, address(list, name))];
    (StatusCode::CREATED, location, Json(body))
}

/// The address of something by its name, which becomes one segment of a path (RFC 3986 §3.3).
pub(super) fn address(list: &str, name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let escaped = name.bytes().map(|byte| match byte {
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("/api/v1/{list}/{}", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_becomes_one_segment_of_a_path() {
        assert_eq!(address("tags", "ana-1_x.~"), "/api/v1/tags/ana-1_x.~");
        assert_eq!(address("tags", "a/b ñ"), "/api/v1/tags/a%2Fb%20%C3%B1");
    }
}
