//! Single sign-on by OpenID Connect: authorisation code with PKCE, state and nonce.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IdTokenFields,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _, UserInfoClaims,
};
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::config::Oidc;
use crate::http::problem::{Problem, ProblemKind};

/// How long a person may take at the provider.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(10);
/// How many may be at it at once.
const MOST_UNDER_WAY: usize = 1_000;
/// How long the provider's own description and its keys are believed.
const BELIEVED: TimeDelta = TimeDelta::minutes(1);
/// How long the provider may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
/// The largest answer of a provider that is read.
const MOST_BYTES: usize = 1 << 20;

/// All that a token says beyond what every provider does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct AllClaims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for AllClaims {}

type Fields = IdTokenFields<
    AllClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

type Client = openidconnect::Client<
    AllClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Whom the provider says it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What it calls them; never anybody else.
    pub subject: String,
    /// Their e-mail address, where it says one.
    pub email: Option<String>,
    /// Their name, where it says one.
    pub name: Option<String>,
    /// The groups that they are in.
    pub groups: Vec<String>,
}

/// Somebody who was sent to a provider.
#[derive(Debug)]
struct UnderWay {
    provider: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
    until: DateTime<Utc>,
}

/// Single sign-on that is under way, and what was read of providers a moment ago.
#[derive(Debug, Default)]
pub struct SignOns {
    http: OnceLock<Http>,
    providers: Mutex<HashMap<String, (DateTime<Utc>, CoreProviderMetadata)>>,
    under_way: Mutex<HashMap<String, UnderWay>>,
}

impl SignOns {
    /// Where to send the browser, and the state that it brings back.
    pub async fn start(
        &self,
        provider: &Oidc,
        callback: &str,
        now: DateTime<Utc>,
    ) -> Result<(String, String), Problem> {
        let client = self.client(provider, callback, now).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request =
            client.authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random);
        for scope in provider.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.set_pkce_challenge(challenge).url();
        let state = state.into_secret();
        let mut under_way = self.under_way.lock();
        under_way.retain(|_, one| now < one.until);
        if under_way.len() >= MOST_UNDER_WAY {
            return Err(Problem::too_many("too many people are logging in at once; try again in a minute", 60));
        }
        let until = now + UNDER_WAY;
        under_way.insert(state.clone(), UnderWay { provider: provider.name.clone(), nonce, verifier, until });
        Ok((url.into(), state))
    }

    /// Whom the provider says it was, for the code that the browser brought back.
    pub async fn finish(
        &self,
        provider: &Oidc,
        callback: &str,
        state: &str,
        code: String,
        now: DateTime<Utc>,
    ) -> Result<Person, Problem> {
        let one = self.under_way.lock().remove(state);
        let Some(one) = one.filter(|one| one.provider == provider.name && now < one.until) else {
            return Err(Problem::unauthorized("this sign-on was not begun here, or took too long; begin again"));
        };
        let client = self.client(provider, callback, now).await?;
        let http = self.http()?;
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|why| failed(provider, &why))?;
        let response = request.set_pkce_verifier(one.verifier).request_async(http).await;
        let response = response.map_err(|why| failed(provider, &why))?;
        let token = response.id_token().ok_or_else(|| failed(provider, &"it sent no ID token"))?;
        let verifier = client.id_token_verifier();
        let claims = token.claims(&verifier, &one.nonce).map_err(|why| failed(provider, &why))?;
        if let Some(expected) = claims.access_token_hash() {
            let key = token.signing_key(&verifier).map_err(|why| failed(provider, &why))?;
            let algorithm = token.signing_alg().map_err(|why| failed(provider, &why))?;
            let found = AccessTokenHash::from_token(response.access_token(), algorithm, key);
            if found.map_err(|why| failed(provider, &why))? != *expected {
                return Err(failed(provider, &"the access token is not the one that the ID token names"));
            }
        }
        let mut person = Person {
            subject: claims.subject().as_str().to_owned(),
            email: claims.email().map(|email| email.as_str().to_owned()),
            name: claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned()),
            groups: groups(&claims.additional_claims().all, &provider.groups_claim),
        };
        // Many providers say more at their user info endpoint than in the token.
        if client.user_info_url().is_some() {
            let subject = Some(claims.subject().clone());
            let request = client.user_info(response.access_token().clone(), subject);
            let request = request.map_err(|why| failed(provider, &why))?;
            let more: UserInfoClaims<AllClaims, CoreGenderClaim> =
                request.request_async(http).await.map_err(|why| failed(provider, &why))?;
            person.email = person.email.or_else(|| more.email().map(|email| email.as_str().to_owned()));
            let name = || more.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
            person.name = person.name.or_else(name);
            person.groups.extend(groups(&more.additional_claims().all, &provider.groups_claim));
        }
        person.groups.sort();
        person.groups.dedup();
        Ok(person)
    }

    async fn client(&self, provider: &Oidc, callback: &str, now: DateTime<Utc>) -> Result<Client, Problem> {
        let known = self.providers.lock().get(&provider.name).cloned();
        let metadata = match known {
            Some((at, metadata)) if (now - at).abs() < BELIEVED => metadata,
            _ => {
                let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|why| failed(provider, &why))?;
                let metadata = CoreProviderMetadata::discover_async(issuer, self.http()?).await;
                let metadata = metadata.map_err(|why| failed(provider, &why))?;
                self.providers.lock().insert(provider.name.clone(), (now, metadata.clone()));
                metadata
            }
        };
        let secret = ClientSecret::new(provider.client_secret.expose_secret().to_owned());
        let callback = RedirectUrl::new(callback.to_owned()).map_err(|why| failed(provider, &why))?;
        let client = Client::from_provider_metadata(metadata, ClientId::new(provider.client_id.clone()), Some(secret));
        Ok(client.set_redirect_uri(callback))
    }

    fn http(&self) -> Result<&Http, Problem> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        // A redirect would let a provider send us anywhere.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(ANSWERS_WITHIN);
        let client = client.build().map_err(|why| {
            tracing::error!(%why, "no HTTP client can be made");
            Problem::internal()
        })?;
        Ok(self.http.get_or_init(|| Http(client)))
    }
}

/// The groups that a claim lists: a list of texts, or one text.
fn groups(claims: &Map<String, Value>, claim: &str) -> Vec<String> {
    match claims.get(claim) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// What went wrong stands in the log; the browser is told that it did. Neither holds anything of a token.
fn failed(provider: &Oidc, why: &dyn std::fmt::Display) -> Problem {
    tracing::warn!(provider = provider.name, %why, "single sign-on failed");
    let detail = format!("the provider {:?} did not answer as it should; the log says more, try again", provider.name);
    Problem::new(ProblemKind::SignOn, detail)
}

/// The client that speaks with providers.
#[derive(Debug)]
struct Http(reqwest::Client);

/// Why a provider could not be spoken with.
#[derive(Debug, thiserror::Error)]
enum HttpFault {
    /// No connection, or no answer.
    #[error("{}", whole(.0))]
    Connection(#[from] reqwest::Error),
    /// The answer is larger than any should be.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// The answer cannot be passed on.
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] axum::http::Error),
}

/// An error with what is behind it.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpFault;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpFault>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut response = self.0.execute(reqwest::Request::try_from(request)?).await?;
            let mut answer = axum::http::Response::builder().status(response.status());
            for (name, value) in response.headers() {
                answer = answer.header(name, value);
            }
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > MOST_BYTES {
                    return Err(HttpFault::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(answer.body(body)?)
        })
    }
}
