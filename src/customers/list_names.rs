//! Owns the names of lists that people give: whether there is such a list, and its number.

use super::error::Error;
use super::names::UnknownName;
use crate::domain::ids::NameNo;
use crate::store::Store;

/// The number of a list, if one is named.
///
/// # Errors
/// [`Error::UnknownName`].
pub async fn number(store: &Store, name: Option<&str>) -> Result<Option<NameNo>, Error> {
    let Some(name) = name else {
        return Ok(None);
    };
    let number = store.list_number(name).await?;
    if number.is_none() {
        let lists = store.lists().await?;
        let known = lists.iter().map(|list| list.name.as_str());
        return Err(UnknownName::new("list", name, known).into());
    }
    Ok(number)
}
