//! What a program shares between its tasks.

use woody::{Backends, OpenError, domain, ports, services, validation};

fn crosses<T: Send + Sync + 'static>() {}

#[test]
fn what_a_program_shares_may_cross_threads() {
    crosses::<Backends>();
    crosses::<OpenError>();
    crosses::<domain::NewOrder>();
    crosses::<domain::Order>();
    crosses::<ports::BrokerError>();
    crosses::<ports::StoreError>();
    crosses::<ports::ValidateError>();
    crosses::<services::IntakeError>();
    crosses::<services::OrderIntake>();
    crosses::<services::OrderTracker>();
    crosses::<services::OrderWorker>();
    crosses::<services::OutboxRelay>();
    crosses::<services::Pipeline>();
    crosses::<services::PipelineBuilder>();
    crosses::<validation::ValidatorChain>();
}
