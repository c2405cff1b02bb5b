use std::{sync::Arc, time::Duration};

use woody_core::{
    domain::OrderDetails,
    ports::{ProductStore, Validator},
    validation::{AcceptAll, HeavyValidation, ValidatorChain},
    workshop::{HeavyPool, Workshop},
};

use crate::{
    config::{ConfigError, SecretArg, Validation, WorkerArgs},
    http_validator::HttpValidator,
    process::Process,
};

/// What an order for a toy must pass, the HTTP service of the flags included.
///
/// # Errors
/// [`ConfigError`] when the service's URL cannot be one.
pub fn validator(
    args: &WorkerArgs,
    products: Arc<dyn ProductStore>,
    workshop: Arc<Workshop>,
    pool: HeavyPool,
) -> Result<Arc<dyn Validator>, ConfigError> {
    let (name, own) = toy_validator(args, products, workshop, pool);
    with_service(args, name, own)
}

/// Returns the shop's own validator of toys that the flags ask for, with its name.
pub fn toy_validator(
    args: &WorkerArgs,
    products: Arc<dyn ProductStore>,
    workshop: Arc<Workshop>,
    pool: HeavyPool,
) -> (&'static str, Arc<dyn Validator>) {
    match args.validation {
        Validation::None => ("none", Arc::new(AcceptAll)),
        Validation::Workshop => {
            ("workshop", Arc::new(HeavyValidation::new(workshop, pool, products)))
        }
    }
}

/// Puts the HTTP service that the flags name behind `own`, if they name one.
///
/// # Errors
/// [`ConfigError`] when the service's URL cannot be one.
pub fn with_service<D: OrderDetails>(
    args: &WorkerArgs,
    name: &'static str,
    own: Arc<dyn Validator<D>>,
) -> Result<Arc<dyn Validator<D>>, ConfigError> {
    // A stack file writes `${WOODY_VALIDATOR_URL:-}`, so empty is none.
    let url = args.validator_url.as_ref().map(SecretArg::expose).filter(|url| !url.is_empty());
    // The worker's own limit comes a little later than the links', which have an equal
    // share each: so the reason names the link that was late.
    let links = if url.is_some() { 2 } else { 1 };
    let share = args.validation_timeout.mul_f64(0.95) / links;
    let mut chain = ValidatorChain::new().then(name, share, own);
    if let Some(url) = url {
        let service = Arc::new(HttpValidator::new(url, share.mul_f64(0.95))?);
        chain = chain.then("service", share, service);
    }
    Ok(Arc::new(chain))
}

/// A validation that may outlast the grace would be begun anew at every update.
///
/// # Errors
/// [`ConfigError`] when it may take longer than a message may be held.
pub fn check_validation_timeout(worker: &WorkerArgs, process: &Process) -> Result<(), ConfigError> {
    let left = process.serving();
    if worker.validation_timeout >= left {
        tracing::warn!(
            "WOODY_VALIDATION_TIMEOUT ({:?}) is not shorter than what WOODY_GRACE leaves after \
             WOODY_DRAIN_DELAY ({left:?}): a validation under way at the end may be begun anew",
            worker.validation_timeout
        );
    }
    if worker.validation_timeout > LONGEST_VALIDATION {
        return Err(ConfigError::new(format!(
            "WOODY_VALIDATION_TIMEOUT is {:?}, longer than {LONGEST_VALIDATION:?}: RabbitMQ takes \
             a message back from a consumer that has held it for 30 minutes",
            worker.validation_timeout
        )));
    }
    Ok(())
}

/// Well within RabbitMQ's consumer timeout of 30 minutes.
pub const LONGEST_VALIDATION: Duration = Duration::from_mins(15);
