//! What axe-core finds of a page, in each width and scheme; with a picture of each for people.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::browser::Browser;

/// A telephone and a desk.
const WIDTHS: [u32; 2] = [360, 1440];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Has axe-core look at the page as it stands, which it must find nothing in and which must not be
/// wider than the window, and writes `target/pages/NAME-WIDTH-SCHEME.png`.
pub(super) async fn finds_nothing(browser: &Browser, name: &str) {
    let axe =
        std::env::var("WOODY_TEST_AXE").expect("WOODY_TEST_AXE is not set: run ./dev/test.sh");
    let axe = fs::read_to_string(axe).unwrap();
    let look = format!(
        "{axe}
        const found = ({{ violations }}) => violations.map(({{ id, help, nodes }}) =>
            [id, help, nodes.map(({{ target, failureSummary }}) => [target, failureSummary])]);
        axe.run().then((results) => done(found(results)), (error) => done(`${{error}}`));"
    );
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/pages");
    fs::create_dir_all(&pictures).unwrap();
    for scheme in SCHEMES {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        browser.devtools("Emulation.setEmulatedMedia", &json!({"features": features})).await;
        for width in WIDTHS {
            let metrics =
                json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
            browser.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
            let is = format!("{name}, {width} px, {scheme}");
            let widest = browser.run("done(document.documentElement.scrollWidth);").await;
            assert!(widest.as_u64() <= Some(u64::from(width)), "{is}: {widest} px wide");
            assert_eq!(browser.run(&look).await, Value::Array(Vec::new()), "{is}");
            let picture = browser.picture().await;
            fs::write(pictures.join(format!("{name}-{width}-{scheme}.png")), picture).unwrap();
        }
    }
    browser.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).await;
}
