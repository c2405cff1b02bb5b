//! A Chromium without a window, told what to do by way of chromedriver (the WebDriver protocol).

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::super::client::{request, send};

/// Starts chromedriver on a port of its choice. It chooses one for IPv4, wants the same for IPv6, and ends where another
/// program has that: `None`, and the next one chooses another.
fn start() -> Option<(Child, SocketAddr)> {
    let program = std::env::var("WOODY_TEST_CHROMEDRIVER")
        .expect("WOODY_TEST_CHROMEDRIVER is not set: run ./dev/test.sh");
    let mut driver = Command::new(program)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = said.find_map(|line| {
        let line = line.unwrap();
        line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
    });
    let Some(port) = port else {
        driver.wait().unwrap();
        return None;
    };
    // What it says later is of no interest, but must go somewhere.
    std::thread::spawn(move || said.for_each(drop));
    Some((driver, SocketAddr::from(([127, 0, 0, 1], port))))
}

/// A browser of a test's own; it ends with the test.
pub(super) struct Browser {
    driver: Child,
    addr: SocketAddr,
    session: String,
}

impl Browser {
    pub(super) async fn open() -> Self {
        Self::open_in("en").await
    }

    /// A browser of a visitor who reads this language best.
    pub(super) async fn open_in(language: &str) -> Self {
        let (driver, addr) = (0..5).find_map(|_| start()).expect("chromedriver says its port");
        let mut browser = Self { driver, addr, session: String::new() };
        // As root there is no sandbox, and the only pages are ours.
        let arguments =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"];
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "timeouts": {"script": 120_000},
            "goog:chromeOptions": {"args": arguments, "prefs": {"intl.accept_languages": language}},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let opened = browser.tell("/session", &wanted).await;
        opened["sessionId"]
            .as_str()
            .unwrap_or_else(|| panic!("{opened}"))
            .clone_into(&mut browser.session);
        browser
    }

    /// Goes to a page, and waits until it is loaded.
    pub(super) async fn go(&self, url: &str) {
        self.in_session("url", &json!({"url": url})).await;
    }

    /// Runs a script in the page that calls `done` with its result.
    pub(super) async fn run(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0];\n{script}");
        self.in_session("execute/async", &json!({"script": script, "args": []})).await
    }

    /// Returns what an expression is, at once: a page that is about to be loaded anew cannot come
    /// between.
    pub(super) async fn evaluate(&self, expression: &str) -> Value {
        let mut is = self.devtools("Runtime.evaluate", &json!({"expression": expression})).await;
        is["result"]["value"].take()
    }

    /// Loads the page anew, and waits until it is loaded.
    pub(super) async fn reload(&self) {
        self.in_session("refresh", &json!({})).await;
    }

    /// Clicks what a selector finds, and waits for the page that this leads to.
    pub(super) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.in_session(&format!("element/{element}/click"), &json!({})).await;
    }

    /// Types a text into what a selector finds.
    pub(super) async fn write(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.in_session(&format!("element/{element}/value"), &json!({"text": text})).await;
    }

    async fn element(&self, selector: &str) -> String {
        let asked = json!({"using": "css selector", "value": selector});
        let found = self.in_session("element", &asked).await;
        let (_, element) = found.as_object().and_then(|found| found.iter().next()).unwrap();
        element.as_str().unwrap().to_owned()
    }

    /// Presses a key, as WebDriver writes it.
    pub(super) async fn press(&self, key: &str) {
        let press = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": press});
        self.in_session("actions", &json!({"actions": [keyboard]})).await;
    }

    /// Has the browser do what only its tools for developers can.
    pub(super) async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.in_session("goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    /// Returns a picture of the whole page, as PNG.
    pub(super) async fn picture(&self) -> Vec<u8> {
        let whole = json!({"captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", &whole).await;
        BASE64.decode(picture["data"].as_str().unwrap()).unwrap()
    }

    /// Returns what the browser complained of.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let entries = self.in_session("se/log", &json!({"type": "browser"})).await;
        let entries = entries.as_array().unwrap().iter();
        entries
            .filter(|entry| entry["level"] == "SEVERE")
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    async fn in_session(&self, what: &str, body: &Value) -> Value {
        self.tell(&format!("/session/{}/{what}", self.session), body).await
    }

    async fn tell(&self, path: &str, body: &Value) -> Value {
        // It refuses requests under another host name.
        let headers = ["host: localhost", "content-type: application/json"];
        let answer =
            send(self.addr, request(&format!("POST {path}"), &headers, body.to_string())).await;
        let mut answered = answer.json();
        assert_eq!(answer.status, 200, "{path}: {answered}");
        answered["value"].take()
    }

    /// Has the driver end its browser, which it would leave behind.
    fn close(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(self.addr)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "DELETE /session/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            self.session
        )?;
        stream.read(&mut [0]).map(drop)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A driver that does not answer is ended all the same.
        drop(self.close());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
