use std::{io::IsTerminal, time::Duration};

use clap::Args;

use woody_adapters::{
    config::bounds::time,
    status::{Severity, ShopStatus, StatusBoard},
    terminal, wiring,
};

use super::{
    error::CtlError,
    output::{Format, Output, Tone},
    screen::Screen,
    shop::Shop,
};

/// Clears a terminal and begins at its top.
const CLEAR: &str = "\x1b[2J\x1b[H";

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Look again and again, so long after each other, until Ctrl-C (1s to 1h).
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s",
          value_parser = time(Duration::from_secs(1), Duration::from_hours(1)))]
    watch: Option<Duration>,
}

pub(super) async fn run(
    args: StatusArgs,
    shop: &Shop<'_>,
    format: Format,
) -> Result<Output, CtlError> {
    on_board(shop, async |board| match args.watch {
        Some(every) => watch(board, every, format).await,
        None => Ok(look(board).await),
    })
    .await
}

/// Opens a shop for those who look at it, and closes it again.
pub(super) async fn on_board(
    shop: &Shop<'_>,
    look: impl AsyncFnOnce(&StatusBoard) -> Result<Output, CtlError>,
) -> Result<Output, CtlError> {
    let store = shop.store().await?;
    let broker = shop.broker().await?;
    let board = wiring::status_board(shop.store, shop.broker, &store, &broker)?;
    let looked = look(&board).await;
    broker.close().await;
    store.close().await;
    looked
}

/// Looks, and says all there is to say.
pub(super) async fn look(board: &StatusBoard) -> Output {
    let status = board.look().await;
    told(&status, &status.text())
}

/// Says `text` of a shop, with the colour and the exit code that it deserves.
pub(super) fn told(status: &ShopStatus, text: &str) -> Output {
    let output = Output::report(text, status.json());
    match status.severity() {
        Severity::Well => output.in_tone(Tone::Well),
        Severity::Wrong => output.in_tone(Tone::Wrong).failing(),
        Severity::Act => output.in_tone(Tone::Act).urgent(),
    }
}

/// Prints what each look finds, all but the last, which is returned.
async fn watch(board: &StatusBoard, every: Duration, format: Format) -> Result<Output, CtlError> {
    let clear = std::io::stdout().is_terminal() && format == Format::Table;
    let until = tokio::signal::ctrl_c();
    tokio::pin!(until);
    loop {
        let output = look(board).await;
        let output = if format == Format::Json { output.into_json() } else { output };
        let waits = async {
            let before = if clear { CLEAR } else { "" };
            terminal::print(format_args!("{before}{}", output.on(&Screen::of_stdout())))?;
            tokio::time::sleep(every).await;
            Ok::<_, CtlError>(())
        };
        tokio::select! {
            waited = waits => waited?,
            // Without the signal there would be no end, so this is one.
            _ = &mut until => return Ok(output),
        }
    }
}
