//! The shop at a glance, again and again, on a terminal.

mod levels;

use std::{
    io::{self, IsTerminal, Write, stdout},
    time::Duration,
};

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use woody_adapters::{
    config::{
        ConfigError,
        bounds::{time, whole},
    },
    figures::age,
    status::{ShopStatus, StatusBoard},
};

use self::levels::Levels;
use super::{
    error::CtlError,
    output::{Format, Output},
    screen::Screen,
    shop::Shop,
    status,
};

/// Gives a program a screen of its own, without a cursor; and back what was there before.
const OWN_SCREEN: &str = "\x1b[?1049h\x1b[?25l";
const FORMER_SCREEN: &str = "\x1b[?25h\x1b[?1049l";
/// To the top; the rest of a line, and the lines below, are cleared.
const TOP: &str = "\x1b[H";
const END_OF_LINE: &str = "\x1b[K\r\n";
const END_OF_SCREEN: &str = "\x1b[J";

#[derive(Debug, Args)]
pub(super) struct TopArgs {
    /// How long after each other to look (1s to 1min).
    #[arg(long, value_name = "TIME", default_value = "2s",
          value_parser = time(Duration::from_secs(1), Duration::from_mins(1)))]
    every: Duration,
    /// End after so many looks (1 to 100000), and not only by Ctrl-C.
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1, 100_000))]
    looks: Option<u64>,
}

pub(super) async fn run(
    args: TopArgs,
    shop: &Shop<'_>,
    format: Format,
) -> Result<Output, CtlError> {
    if !stdout().is_terminal() || format == Format::Json {
        let elsewhere = "top draws on a terminal; woodyctl status --watch --json is for programs";
        return Err(ConfigError::new(elsewhere).into());
    }
    status::on_board(shop, async |board| show(board, &args).await).await
}

/// Shows the shop until it is enough; returns how it was at the last look.
async fn show(board: &StatusBoard, args: &TopArgs) -> Result<Output, CtlError> {
    let mut ended = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let showing = async {
        let (mut levels, mut looks) = (Levels::default(), 0);
        loop {
            let seen = board.look().await;
            levels.see(seen.evidence());
            draw(&frame(&seen, &levels, args.every, &Screen::of_stdout()))?;
            looks += 1;
            if args.looks == Some(looks) {
                return Ok::<(), io::Error>(());
            }
            tokio::time::sleep(args.every).await;
        }
    };
    draw(OWN_SCREEN)?;
    let shown = tokio::select! {
        shown = showing => shown,
        _ = ended.recv() => Ok(()),
        _ = interrupted.recv() => Ok(()),
    };
    draw(FORMER_SCREEN)?;
    shown?;
    Ok(status::look(board).await)
}

/// What a screen is filled with.
fn frame(seen: &ShopStatus, levels: &Levels, every: Duration, screen: &Screen) -> String {
    let words = status::told(seen, &seen.words()).on(screen);
    let width = screen.width.unwrap_or_default();
    let mut frame = String::from(TOP);
    let mut line = |line: &str| {
        frame.push_str(line);
        frame.push_str(END_OF_LINE);
    };
    words.lines().for_each(&mut line);
    line("");
    levels.lines(width).iter().for_each(|level| line(level));
    line("");
    if let Some(left) = levels.until_empty() {
        line(&format!("The queue is empty in {}, if it goes on so.", age(left)));
    }
    line(&format!("every {} s, Ctrl-C ends", every.as_secs_f64()));
    frame.push_str(END_OF_SCREEN);
    frame
}

fn draw(text: &str) -> io::Result<()> {
    let mut screen = stdout().lock();
    screen.write_all(text.as_bytes())?;
    screen.flush()
}
