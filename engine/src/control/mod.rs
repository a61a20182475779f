//! The fast loop: what every device may draw now.

pub mod command;
pub mod event;
pub mod settings;
pub mod setup;
