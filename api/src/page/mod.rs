//! The page at `/`: static files that come with the program and show what the API tells. Nothing is loaded from elsewhere,
//! and nothing runs that does not stand in a file of ours.

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

use crate::service::Service;

/// Scripts, styles and connections of our own alone; no frames, no inline scripts.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(Embed)]
#[folder = "src/page/files"]
struct Files;

/// The page and its files.
pub fn routes() -> Router<Service> {
    Router::new()
        .route("/", get(|headers: HeaderMap| async move { file("index.html", &headers) }))
        .route("/page/{name}", get(|Path(name): Path<String>, headers: HeaderMap| async move { file(&name, &headers) }))
}

fn file(name: &str, headers: &HeaderMap) -> Response {
    let Some(EmbeddedFile { data, metadata }) = Files::get(name) else { return StatusCode::NOT_FOUND.into_response() };
    let version =
        metadata.sha256_hash().iter().take(8).fold("\"".to_owned(), |text, byte| format!("{text}{byte:02x}")) + "\"";
    let answer = [
        (header::CONTENT_TYPE, kind(name).to_owned()),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
        (header::ETAG, version.clone()),
    ];
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == version.as_bytes());
    if known { (StatusCode::NOT_MODIFIED, answer).into_response() } else { (answer, data).into_response() }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn nothing_comes_from_elsewhere_and_nothing_is_inline() {
        for name in Files::iter() {
            let text = String::from_utf8(Files::get(&name).unwrap().data.into_owned()).unwrap();
            let outside = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!outside.contains("http://") && !outside.contains("https://"), "{name}");
            assert!(kind(&name) != "application/octet-stream", "{name}");
        }
        let page = String::from_utf8(Files::get("index.html").unwrap().data.into_owned()).unwrap();
        assert!(!page.contains("style=") && !page.contains("onclick") && !page.contains("<script>"));
        for part in page.split('"').filter_map(|part| part.strip_prefix("/page/")) {
            assert!(Files::get(part).is_some(), "{part} is not there");
        }
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let first = file("page.js", &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert!(first.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("script-src 'self'"));
        let mut again = HeaderMap::new();
        again.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(file("page.js", &again).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(file("../mod.rs", &HeaderMap::new()).status(), StatusCode::NOT_FOUND);
    }
}
