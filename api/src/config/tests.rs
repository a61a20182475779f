//! What is read of a configuration, and what is said of a wrong one.
