//! What the shop does: use-cases as structs over the ports.
