//! The HTTP layer through real connections, over the memory backends.

mod http;
