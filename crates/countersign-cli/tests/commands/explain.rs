//! `explain`: the cause that is named first, and its remedy.
