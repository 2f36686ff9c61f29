//! The peers, as processes.

use std::{
    env,
    process::{Command, Stdio},
};

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tests::peer;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin},
};

/// A program below `peers`, and what runs it.
#[derive(Clone, Copy, Debug)]
pub enum Peer {
    Node(&'static str),
    Python(&'static str),
}

impl Peer {
    pub fn file(self) -> String {
        match self {
            Self::Node(name) => format!("node/{name}.mjs"),
            Self::Python(name) => format!("python/{name}.py"),
        }
    }

    fn command(self) -> Command {
        let mut command = match self {
            Self::Node(_) => Command::new("node"),
            Self::Python(_) => {
                let python = env::var_os("COUNTERSIGN_PYTHON");
                Command::new(python.unwrap_or_else(|| "python3".into()))
            }
        };
        command
            .arg(peer::path(&self.file()))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stderr(Stdio::inherit());
        command
    }

    /// Has a client send requests, and returns its line about each.
    pub async fn send(self, config: Value, requests: &[Value]) -> Vec<Value> {
        let mut input = config;
        input["requests"] = Value::Array(requests.to_vec());
        let mut command = self.command();
        let answers = tokio::task::spawn_blocking(move || peer::json(&mut command, &input))
            .await
            .unwrap();
        answers.as_array().unwrap().clone()
    }

    /// Starts a verifier.
    pub async fn receive(self, config: &Value) -> Receiver {
        let mut child = tokio::process::Command::from(self.command())
            .arg(config.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the peer's interpreter is installed");
        let stdin = child.stdin.take();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).await.unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the peer says where it listens");
        // Nothing reads what else it prints, but it must be able to print it.
        tokio::spawn(async move {
            let mut rest = Vec::new();
            let _: Result<usize, _> = stdout.read_to_end(&mut rest).await;
        });
        Receiver {
            authority: format!("127.0.0.1:{}", ready["port"]),
            child,
            stdin,
        }
    }
}

/// A verifier that is running.
#[derive(Debug)]
pub struct Receiver {
    pub authority: String,
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Receiver {
    /// Ends it, and waits until it has.
    pub async fn stop(mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            stdin.shutdown().await.unwrap();
        }
        self.child.wait().await.unwrap();
    }
}

/// A request for a client to make.
pub fn request(name: &str, method: &str, target: &str, body: Option<(&str, &[u8])>) -> Value {
    let mut headers = json!({});
    if let Some((content_type, _)) = body {
        headers["content-type"] = content_type.into();
    }
    json!({
        "name": name,
        "method": method,
        "target": target,
        "headers": headers,
        "body": body.map(|(_, body)| Base64::encode_string(body)),
    })
}

/// Every byte value there is.
pub fn binary() -> Vec<u8> {
    (0..=u8::MAX).collect()
}
