//! Owns lists page by page: how many, from where on, and where the next page is (RFC 8288).

use axum::Json;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::LINK;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::problem::{Kind, Problem};
use super::reading::Asked;

const DEFAULT: u32 = 100;
const MOST: u32 = 1000;
/// The bytes of a cursor that tell a damaged one.
const CHECK: usize = 8;

/// How much of a list is asked for, and from where on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// How many are on a page.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// What is asked of a list: so many, after the place that a cursor names.
#[derive(Debug)]
pub(super) struct Paging {
    pub(super) limit: u32,
    cursor: Option<String>,
    /// The address without limit and cursor: a cursor belongs to one list.
    list: String,
    /// The address without the cursor.
    address: String,
}

/// One page as an answer; with the address of the next one, if there is any.
pub(super) struct Page<T> {
    body: T,
    link: Option<String>,
}

/// Of a list that is asked for in no other way than page by page.
impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Asked(query) = Asked::<PageQuery>::from_request_parts(parts, state).await?;
        let Ok(OriginalUri(uri)) = OriginalUri::from_request_parts(parts, state).await;
        Self::new(&uri, query.limit, query.cursor)
    }
}

impl Paging {
    /// Reads the parameters of a list at this address.
    ///
    /// # Errors
    /// A limit that is not between 1 and 1000.
    pub(super) fn new(
        uri: &Uri,
        limit: Option<u32>,
        cursor: Option<String>,
    ) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&limit) {
            let detail = format!("`limit` must be between 1 and {MOST}, not {limit}");
            return Err(Problem::new(Kind::BadRequest, detail));
        }
        Ok(Self {
            limit,
            cursor,
            list: without(uri, &["limit", "cursor"]),
            address: without(uri, &["cursor"]),
        })
    }

    /// The same for a list that a body describes as well.
    pub(super) fn of(mut self, described: &str) -> Self {
        self.list.push(' ');
        self.list.push_str(described);
        self
    }

    /// One more than is shown: whether there is a next page.
    pub(super) fn one_more(&self) -> u32 {
        self.limit + 1
    }

    /// The place after which the page begins.
    ///
    /// # Errors
    /// A cursor that was damaged, or is another list's.
    pub(super) fn after<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let place = self
            .open(cursor)
            .and_then(|text| serde_json::from_slice(&text).ok());
        let damaged = || {
            let detail = "the cursor was damaged, or is another list's: begin without one";
            Problem::new(Kind::BadCursor, detail)
        };
        place.map(Some).ok_or_else(damaged)
    }

    /// Cuts what is one too many, and says the place of the last one that is left.
    pub(super) fn cut<T, P: Serialize>(
        &self,
        things: &mut Vec<T>,
        place: impl Fn(&[T]) -> P,
    ) -> Option<String> {
        let limit = self.limit as usize;
        if things.len() <= limit {
            return None;
        }
        things.truncate(limit);
        Some(self.seal(&serde_json::to_vec(&place(things)).unwrap_or_default()))
    }

    /// The page of a list that is whole in memory, in the order of its places.
    ///
    /// # Errors
    /// A cursor that was damaged, or is another list's.
    pub(super) fn part_of<T, P: Ord + Clone + Serialize + DeserializeOwned>(
        &self,
        all: Vec<T>,
        place: impl Fn(usize, &T) -> P,
    ) -> Result<(Vec<T>, Option<String>), Problem> {
        let after: Option<P> = self.after()?;
        let placed = all.into_iter().enumerate();
        let mut placed: Vec<(P, T)> = placed.map(|(n, one)| (place(n, &one), one)).collect();
        placed.sort_by(|one, other| one.0.cmp(&other.0));
        placed.retain(|(place, _)| after.as_ref().is_none_or(|after| place > after));
        let next = self.cut(&mut placed, |left| {
            left.last().map(|(place, _)| place.clone())
        });
        Ok((placed.into_iter().map(|(_, one)| one).collect(), next))
    }

    /// The answer with the page after which this cursor leads on, if there is more.
    pub(super) fn page<T>(
        &self,
        next: Option<String>,
        body: impl FnOnce(Option<String>) -> T,
    ) -> Page<T> {
        let link = next.as_ref().map(|cursor| {
            let between = if self.address.contains('?') { '&' } else { '?' };
            format!("<{}{between}cursor={cursor}>; rel=\"next\"", self.address)
        });
        Page {
            body: body(next),
            link,
        }
    }

    fn seal(&self, place: &[u8]) -> String {
        let mut whole = self.check(place).to_vec();
        whole.extend(place);
        URL_SAFE_NO_PAD.encode(whole)
    }

    fn open(&self, cursor: &str) -> Option<Vec<u8>> {
        let whole = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (check, place) = whole.split_at_checked(CHECK)?;
        (check == self.check(place)).then(|| place.to_vec())
    }

    fn check(&self, place: &[u8]) -> [u8; CHECK] {
        let mut whole = self.list.clone().into_bytes();
        whole.push(0);
        whole.extend(place);
        xxh3_64(&whole).to_be_bytes()
    }
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        let link = self.link.and_then(|link| HeaderValue::try_from(link).ok());
        if let Some(link) = link {
            response.headers_mut().insert(LINK, link);
        }
        response
    }
}

/// The path and query without some of its parameters.
fn without(uri: &Uri, names: &[&str]) -> String {
    let name = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    let pairs = uri.query().unwrap_or_default().split('&');
    let left: Vec<&str> = pairs
        .filter(|pair| !pair.is_empty() && !names.contains(&name(pair).as_str()))
        .collect();
    if left.is_empty() {
        return uri.path().to_owned();
    }
    format!("{}?{}", uri.path(), left.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(uri: &str, cursor: Option<String>) -> Paging {
        Paging::new(&uri.parse().unwrap(), Some(2), cursor).unwrap()
    }

    #[test]
    fn a_cursor_leads_on_in_its_own_list_alone() {
        let first = paging("/api/v1/things?text=a&limit=2", None);
        let mut things = vec![1, 2, 3];
        let next = first.cut(&mut things, <[i32]>::len).unwrap();
        assert_eq!(things, [1, 2]);
        let page = first.page(Some(next.clone()), |_| ());
        let link = format!("</api/v1/things?text=a&limit=2&cursor={next}>; rel=\"next\"");
        assert_eq!(page.link, Some(link));
        let again = paging("/api/v1/things?text=a&limit=9&cursor=x", Some(next.clone()));
        assert_eq!(again.after::<usize>().unwrap(), Some(2));
        let elsewhere = paging("/api/v1/things?text=b", Some(next.clone()));
        assert!(elsewhere.after::<usize>().is_err());
        for damaged in [
            String::new(),
            "?".to_owned(),
            next[1..].to_owned(),
            next + "A",
        ] {
            let damaged = paging("/api/v1/things?text=a", Some(damaged));
            assert!(damaged.after::<usize>().is_err());
        }
    }

    #[test]
    fn the_last_page_leads_nowhere_and_a_limit_has_bounds() {
        let last = paging("/api/v1/things", None);
        assert_eq!(last.cut(&mut vec![1, 2], <[i32]>::len), None);
        let uri: Uri = "/api/v1/things".parse().unwrap();
        for limit in [0, 1001] {
            assert!(Paging::new(&uri, Some(limit), None).is_err());
        }
        assert_eq!(Paging::new(&uri, None, None).unwrap().limit, 100);
    }
}
