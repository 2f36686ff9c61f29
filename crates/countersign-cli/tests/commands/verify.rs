//! `verify`: the steps of a decision, and its exit code.
