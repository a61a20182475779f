//! Who may do what. Authentication (keys, passwords, single sign-on) yields a [`Caller`]; whether it may do something to a
//! tenant or site is decided here and nowhere else.
//!
//! A handler takes a [`Caller`] as an argument, and asks [`at_site`] or [`at_tenant`] before anything else:
//!
//! ```ignore
//! async fn get(State(service): State<Service>, caller: Caller, Path(site): Path<String>) -> Result<…, Problem> {
//!     let site = access::at_site(&service, &caller, Permission::See, &site).await?;
//! ```
//!
//! What it changes carries [`Caller::at`] as its time, and an [`audit`] entry in the same batch.

mod attempts;
pub mod audit;
pub mod authenticate;
mod cache;
pub mod caller;
pub mod extract;
pub mod first;
mod gate;
pub mod kept;
mod keys;
mod oidc;
mod once;
pub mod password;
mod people;
pub mod place;
pub mod role;
mod routes;
mod session;
mod sweep;
#[cfg(test)]
mod tests;
pub mod token;
mod totp;

pub use authenticate::again;
pub use caller::{Caller, Place};
pub use gate::Gate;
pub use place::{SiteRef, TenantRef, anywhere, at_site, at_tenant, claim, named, new_site, reach, release};
pub use role::{Permission, Role};
pub use routes::routes;
pub use sweep::sweep;
