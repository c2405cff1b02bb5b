//! Breakers and growing pauses: how the shop behaves while something is away.
