//! Who may do what. Authentication (keys, passwords, single sign-on) yields a [`Caller`]; whether it may do something to a
//! tenant or site is decided here and nowhere else.

pub mod caller;
pub mod role;

pub use caller::{Access, Caller, Place, Scope, Who};
pub use role::{Permission, Role};
