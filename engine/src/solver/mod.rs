//! Solvers, one a file or folder. Nothing outside this folder names a solver library.

pub mod exact;
pub mod interior;
