//! A headless Chromium, driven by the DevTools protocol.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// Names under which Chromium is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser with one page.
pub struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    calls: u64,
    events: Vec<Value>,
    scripts: bool,
    _profile: TempDir,
}

/// What a page did while it was opened.
pub struct Opened {
    /// Exceptions, and everything on the console.
    pub complaints: Vec<String>,
    /// What it asked for, itself included.
    pub requests: Vec<String>,
}

/// The path of Chromium: `$CHROMIUM`, or what is found in `$PATH`. Says so on stderr if there is none.
pub fn chromium() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).flat_map(|dir| NAMES.map(|name| dir.join(name))).find(|path| path.is_file());
    if found.is_none() {
        // Not by a macro: the test harness would hold it back.
        let text = "skipped: no Chromium in $PATH or $CHROMIUM, so report.html was not opened in a browser\n";
        std::io::stderr().write_all(text.as_bytes()).expect("stderr is open");
    }
    found
}

impl Browser {
    /// Starts Chromium and opens an empty page.
    pub fn start(chromium: &Path) -> Self {
        let profile = TempDir::new().expect("a temporary folder");
        let child = Command::new(chromium)
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"])
            .args(["--disable-background-networking", "--disable-extensions", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Chromium starts");
        let (port, path) = address(&profile.path().join("DevToolsActivePort"));
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("Chromium listens");
        stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a timeout can be set");
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).expect("a web socket");
        let mut browser = Self {
            child,
            socket,
            session: String::new(),
            calls: 0,
            events: Vec::new(),
            scripts: true,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        browser.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Opens a file in a window of this width, with a light or a dark scheme.
    pub fn open(&mut self, file: &Path, width: u32, scheme: &str) -> Opened {
        let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
        self.events.clear();
        self.call("Page.navigate", json!({ "url": format!("file://{}", file.display()) }));
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            self.receive();
        }
        // Two frames later everything that observers ask for is drawn.
        if self.scripts {
            self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
        }
        let of = |method: &str| {
            let method = method.to_owned();
            self.events.iter().filter(move |event| event["method"] == method.as_str()).map(|event| &event["params"])
        };
        let complaints = ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"];
        Opened {
            complaints: complaints.iter().flat_map(|method| of(method)).map(Value::to_string).collect(),
            requests: of("Network.requestWillBeSent")
                .map(|event| event["request"]["url"].as_str().unwrap_or_default().to_owned())
                .collect(),
        }
    }

    /// Whether pages that are opened from now on run their scripts.
    pub fn allow_scripts(&mut self, scripts: bool) {
        self.scripts = scripts;
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": !scripts }));
    }

    /// Lays the page out as for paper.
    pub fn print(&mut self) {
        self.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    }

    /// The value of an expression in the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let arguments = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", arguments);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Moves the pointer to a place in the window.
    pub fn point_at(&mut self, x: f64, y: f64) {
        self.call("Input.dispatchMouseEvent", json!({ "type": "mouseMoved", "x": x, "y": y }));
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))");
    }

    /// The whole page as PNG, beside the test's other output.
    pub fn photograph(&mut self, name: &str) {
        let answer = self.call("Page.captureScreenshot", json!({ "captureBeyondViewport": true }));
        let text = answer["data"].as_str().expect("a picture");
        use base64::Engine;
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).expect("base64");
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        fs::write(dir.join(name), bytes).expect("a picture can be written");
    }

    fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string())).expect("Chromium hears");
        loop {
            if let Some(answer) = self.receive()
                && answer["id"] == id
            {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The next message: an answer, or an event, which is kept.
    fn receive(&mut self) -> Option<Value> {
        let message = self.socket.read().expect("Chromium answers");
        let message: Value = serde_json::from_str(message.to_text().expect("text")).expect("JSON");
        if message.get("id").is_some() {
            return Some(message);
        }
        self.events.push(message);
        None
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that has ended already is no failure of the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Port and path at which Chromium listens, as it writes them when it is ready.
fn address(file: &Path) -> (u16, String) {
    for _ in 0..600 {
        let text = fs::read_to_string(file).unwrap_or_default();
        if let [port, path] = text.lines().collect::<Vec<_>>()[..] {
            return (port.parse().expect("a port"), path.to_owned());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("Chromium did not say where it listens");
}
