//! Pages of lists: `?limit=&cursor=`. A cursor is opaque to clients: it says after what the next page begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::problem::{FieldError, Problem, ProblemKind};
use crate::store::{Document, Kind, List, Page};

/// How many items a page has where nothing is said.
pub const USUAL: u32 = 100;

/// How many items a page has at most.
pub const MOST: u32 = 1000;

/// Which page of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items at most; 100 where nothing is said. More than 1,000 is refused.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Listed<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The `cursor` of the next page; absent, this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl PageQuery {
    /// How many items at most; outside the bounds it is an error, never something else in silence.
    pub fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit, MOST)
    }

    /// What to list of an owner's documents of a kind. [`next`] tells where the page after it begins.
    pub fn of(&self, kind: Kind, owner: &str) -> Result<List, Problem> {
        let after = self.after::<String>()?.map(|id| (owner.to_owned(), id));
        Ok(List { after, limit: self.limit()?, ..List::of(kind, owner) })
    }

    /// After what the page begins.
    pub fn after<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        self.cursor.as_deref().map(after).transpose()
    }
}

/// A limit within its bounds.
pub fn limit(asked: Option<u32>, most: u32) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(USUAL.min(most));
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("{limit} is outside 1 to {most}; ask for fewer and follow `next`");
    Err(Problem::parameter("limit", &detail))
}

/// What a cursor says.
fn after<T: DeserializeOwned>(cursor: &str) -> Result<T, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        Problem::parameter("cursor", "is no cursor of this list; take `next` of the page before as it is")
    })
}

/// The cursor of what begins after this.
pub fn cursor(after: &impl Serialize) -> Option<String> {
    serde_json::to_vec(after).ok().map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// The cursor of the page after one that [`PageQuery::of`] asked for; `None`, it is the last.
pub fn next(page: &Page<Document>) -> Option<String> {
    page.items.last().filter(|_| page.more).and_then(|last| cursor(&last.key.id))
}

/// The same of a list of several owners' documents: by owner and id.
pub fn next_of_any(page: &Page<Document>) -> Option<String> {
    page.items.last().filter(|_| page.more).and_then(|last| cursor(&(&last.key.owner, &last.key.id)))
}

impl Problem {
    /// A query parameter that is not right: 400.
    pub fn parameter(name: &str, detail: &str) -> Problem {
        let text = format!("query.{name}: {detail}");
        let problem = Problem::new(ProblemKind::Parameter, text);
        let error = FieldError { field: format!("query.{name}"), detail: detail.to_owned() };
        Problem { errors: vec![error], ..problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_refused_not_bent() {
        let page = |limit| PageQuery { limit, cursor: None };
        assert_eq!(page(None).limit(), Ok(USUAL));
        assert_eq!(page(Some(MOST)).limit(), Ok(MOST));
        for wrong in [0, MOST + 1] {
            assert_eq!(page(Some(wrong)).limit().map_err(|problem| problem.status), Err(400));
        }
    }

    #[test]
    fn cursors_come_back_as_they_were_and_others_are_refused() {
        let from = ("owner".to_owned(), "Laadpaal 3/ü".to_owned());
        let page = PageQuery { limit: None, cursor: cursor(&from) };
        assert_eq!(page.after::<(String, String)>(), Ok(Some(from)));
        assert_eq!(page.after::<u64>().map_err(|problem| problem.status), Err(400));
        let page = PageQuery { limit: None, cursor: Some("%".to_owned()) };
        assert_eq!(page.after::<u64>().map_err(|problem| problem.status), Err(400));
    }
}
