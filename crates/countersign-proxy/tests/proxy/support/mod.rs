//! What the tests share: a proxy of one text, a careless upstream, and signed requests as bytes.

pub(crate) mod directory;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod signed;
pub(crate) mod upstream;
