//! Operators' acts are written down before they are done.

use std::{fmt::Write as _, sync::Arc};

use woody_core::{
    domain::{ActId, ActResult, Label, NewAct, OrderId, Reason},
    ports::{ActLog, Store},
};

use super::{error::CtlError, output::Output, shop::Shop};
use woody_adapters::{config::ConfigError, terminal};

/// Who acts, and why.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ActArgs {
    /// Who does this: written down before it is done (up to 100 characters). By default the
    /// system's user.
    #[arg(long, env = "WOODY_BY", value_name = "NAME")]
    by: Option<Label>,
    /// Why: written down with it (up to 500 characters).
    #[arg(long, value_name = "TEXT")]
    because: Option<Reason>,
    /// Do it although it cannot be written down, since the store is unavailable or lacks the
    /// table; stderr has what should have been written.
    #[arg(long)]
    unrecorded: bool,
}

impl ActArgs {
    /// The same, where the act has a reason of its own for who gave no other.
    pub(super) fn or_because(self, reason: Option<&Reason>) -> Self {
        Self { because: self.because.or_else(|| reason.cloned()), ..self }
    }

    /// Returns who acts.
    pub(super) fn by(&self) -> Label {
        self.by.clone().filter(|by| !by.as_str().is_empty()).unwrap_or_else(system_user)
    }

    /// Returns why.
    pub(super) fn because(&self) -> Option<Reason> {
        self.because.clone().filter(|because| !because.as_str().is_empty())
    }
}

/// Returns the user of the system. The name is what the environment says; the number is the
/// kernel's.
fn system_user() -> Label {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let uid = rustix::process::getuid().as_raw();
    let name = variable("SUDO_USER").or_else(|| variable("USER")).or_else(|| variable("LOGNAME"));
    Label::new(match name {
        Some(name) => format!("{} (uid {uid})", Label::new(name)),
        None => format!("uid {uid}"),
    })
}

/// What is done, and to what.
pub(super) struct Deed {
    pub(super) verb: &'static str,
    pub(super) order: Option<OrderId>,
    pub(super) target: String,
}

impl Deed {
    /// Something that is done to an order.
    pub(super) fn to_order(verb: &'static str, id: OrderId) -> Self {
        Self { verb, order: Some(id), target: String::new() }
    }
}

/// What an act has to say once it is done, to the operator and to the logbook.
pub(super) struct Done {
    pub(super) output: Output,
    pub(super) told: Option<String>,
}

/// Where acts are written down, if it can be opened.
pub(super) struct Logbook(Result<Arc<dyn Store>, ConfigError>);

impl Logbook {
    /// Opens the shop's.
    pub(super) async fn open(shop: &Shop<'_>) -> Self {
        Self(shop.store().await)
    }

    /// Makes that of a store that is open.
    pub(super) fn of(store: &Arc<dyn Store>) -> Self {
        Self(Ok(Arc::clone(store)))
    }

    /// Returns the store.
    pub(super) fn store(&self) -> Result<Arc<dyn Store>, CtlError> {
        match &self.0 {
            Ok(store) => Ok(Arc::clone(store)),
            Err(error) => Err(ConfigError::new(error.to_string()).into()),
        }
    }

    pub(super) async fn close(self) {
        if let Ok(store) = self.0 {
            store.close().await;
        }
    }

    /// Does what is to be done, once it is written down.
    pub(super) async fn act(
        &self,
        args: ActArgs,
        deed: Deed,
        doing: impl Future<Output = Result<Done, CtlError>>,
    ) -> Result<Output, CtlError> {
        let act = NewAct {
            id: ActId::fresh(),
            by: args.by(),
            because: args.because(),
            verb: deed.verb.into(),
            order: deed.order,
            target: deed.target.into(),
        };
        let log = match self.record(&act).await {
            Ok(log) => Some(log),
            Err(why) if args.unrecorded => {
                terminal::warn(format!("not written down, since {why}: {}", line(&act)));
                None
            }
            Err(why) => return Err(CtlError::Unrecorded(why)),
        };
        let done = doing.await;
        let result = match &done {
            Ok(Done { output, told }) if output.exit_code() == 0 => {
                ActResult::Done(told.as_deref().map(Reason::new))
            }
            Ok(Done { told, .. }) => ActResult::Failed(Reason::new(told.as_deref().unwrap_or(""))),
            Err(
                error @ (CtlError::NotFound(_) | CtlError::Refused(_) | CtlError::TooLate { .. }),
            ) => ActResult::Refused(Reason::new(error.to_string())),
            Err(error) => ActResult::Failed(Reason::new(error.to_string())),
        };
        if let Some(log) = log
            && let Err(error) = log.close(act.id, &result).await
        {
            let why = ConfigError::because("the store", &error);
            terminal::warn(format!("how this ended is not written down, since {why}"));
        }
        done.map(|done| done.output)
    }

    /// Writes an act down, or says why it cannot.
    async fn record(&self, act: &NewAct) -> Result<Arc<dyn ActLog>, String> {
        let log = self.0.as_ref().map_err(ToString::to_string)?.acts();
        let recorded = log.record(act).await;
        recorded.map_err(|error| ConfigError::because("the store", &error).to_string())?;
        Ok(log)
    }
}

/// An act as one line.
fn line(act: &NewAct) -> String {
    let mut line = act.verb.to_string();
    // Writing to a String cannot fail.
    if let Some(order) = act.order {
        let _ = write!(line, " {order}");
    }
    if !act.target.as_str().is_empty() {
        let _ = write!(line, " ({})", act.target);
    }
    let _ = write!(line, " by {}", act.by);
    if let Some(because) = &act.because {
        let _ = write!(line, ", because {because}");
    }
    line
}
