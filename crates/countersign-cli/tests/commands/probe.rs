//! `probe`: what a careless verifier accepts.
