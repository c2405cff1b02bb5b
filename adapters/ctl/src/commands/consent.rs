//! What cannot be undone is asked for first.

use std::io::{IsTerminal, Write, stderr, stdin};

use woody_adapters::{config::ConfigError, terminal::visible};

use super::error::CtlError;

/// Whether it was said beforehand that it is meant.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct Consent {
    /// Do it without asking. Where there is no terminal to ask on, it is needed.
    #[arg(long)]
    yes: bool,
}

impl Consent {
    /// Asks `question` on the terminal, unless `--yes` was given. Waits for as long as the operator thinks; Ctrl-C ends it.
    ///
    /// # Errors
    /// [`CtlError::Declined`] where the response is not yes, [`CtlError::Config`] where nobody can be asked.
    pub(super) fn to(self, question: &str) -> Result<(), CtlError> {
        if self.yes {
            return Ok(());
        }
        if !stdin().is_terminal() || !stderr().is_terminal() {
            let refused = format!(
                "nothing was done, since nobody is here to be asked: {question} --yes says so"
            );
            return Err(ConfigError::new(refused).into());
        }
        // Who cannot be asked has not agreed.
        let mut asking = stderr();
        let mut said = String::new();
        let asked = write!(asking, "{} [y/N] ", visible(question)).and_then(|()| asking.flush());
        let heard = asked.and_then(|()| stdin().read_line(&mut said));
        match heard {
            Ok(_) if is_yes(&said) => Ok(()),
            _ => Err(CtlError::Declined),
        }
    }
}

fn is_yes(said: &str) -> bool {
    ["y", "yes"].contains(&said.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        for (said, is) in [
            ("y\n", true),
            (" YES ", true),
            ("", false),
            ("\n", false),
            ("yesterday", false),
            ("n", false),
        ] {
            assert_eq!(is_yes(said), is, "{said:?}");
        }
    }
}
