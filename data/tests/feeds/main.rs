//! What feeds answer, as it is and as it goes wrong. Payloads are made here in the shapes of the real ones, so that nothing
//! else is needed; `fixtures` reads the real ones where they are there.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![expect(clippy::float_cmp, reason = "numbers are compared with what was written, rounded to what feeds give")]

mod carbon;
mod entsoe;
mod files;
mod fixtures;
mod hostile;
mod make;
mod prices;
mod properties;
mod pv;
mod sky;
