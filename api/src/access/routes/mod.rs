//! The routes of access: setting up, logging in and out, people, keys, tenants, grants, single sign-on.

mod factor;
mod grants;
mod keys;
mod login;
mod me;
mod oidc;
mod scopes;
mod setup;
mod tenants;
mod users;
mod wire;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::service::Service;

/// All of them.
pub fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(setup::set_up))
        .routes(routes!(login::ways, login::log_in))
        .routes(routes!(login::log_out))
        .routes(routes!(me::me))
        .routes(routes!(me::change_password))
        .routes(routes!(factor::begin))
        .routes(routes!(factor::confirm))
        .routes(routes!(factor::end))
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::get, users::change, users::delete))
        .routes(routes!(users::invite))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::get, keys::delete))
        .routes(routes!(tenants::list, tenants::create))
        .routes(routes!(tenants::get, tenants::change, tenants::delete))
        .routes(routes!(grants::list, grants::create))
        .routes(routes!(grants::delete))
        .routes(routes!(oidc::start))
        .routes(routes!(oidc::callback))
}
