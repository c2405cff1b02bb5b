mod events;
mod toys;

pub use events::StreamSettings;
pub use toys::OrderRoutes;
