//! What the parts can do that everything is built on, with nothing of ours around them.

pub mod hyper;
pub mod postgres;
pub mod rabbitmq;
