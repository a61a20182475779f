//! What users of the API send and read back, and what the store keeps: the words of the wire. A site is
//! [`kwartier_data::site::Site`]; everything else is here, one resource a file.
//!
//! Unknown fields are refused everywhere. Fields that a user leaves out stay absent in what is kept: defaults are applied
//! where a value is used, so that a better default later is one for old documents too.

pub mod carbon;
pub mod charger;
pub mod feed;
pub mod forecast;
pub mod measurement;
pub mod price;
pub mod roster;
pub mod session;
pub mod setpoint;
pub mod signal;
pub mod site;
pub mod status;
pub mod tag;
pub mod weather;
pub mod webhook;
