//! `vectors run`: the grade of another implementation.
