//! The servers, as processes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, ChildStderr, Command, Stdio},
    thread,
};

use crate::{folder::Folder, program::program, receiver::json};

const SECRET: &str = "9b346041bc9a49574eb2665b2ad2a0a3f9f9cce4e42f5d1f26deb8a256b5966a";

/// A process that is ended with its value.
struct Server {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(arguments)
            .env("SERVICE_SECRETS", format!("{{\"billing\":\"{SECRET}\"}}"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        Self { child, log }
    }

    /// The address of the first listener, from the log.
    fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "it ended");
            let event = json(&line);
            if event["outcome"] == "listening" {
                return event["address"].as_str().unwrap().parse().unwrap();
            }
        }
    }

    /// Sends SIGTERM and returns the exit code.
    fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {id}")])
            .status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _: Result<(), _> = self.child.kill();
        let _: Result<_, _> = self.child.wait();
    }
}

/// An upstream that answers one request with its own head.
fn echo() -> (SocketAddr, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let length = head.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n"
        )
        .unwrap();
        stream.write_all(&head).unwrap();
    });
    (address, answer)
}

fn get(address: SocketAddr, headers: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET /a HTTP/1.1\r\nconnection: close\r\n{headers}\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_service_is_protected_without_a_file() {
    let (upstream, answer) = echo();
    let upstream = format!("http://{upstream}");
    let mut server = Server::start(&[
        "proxy",
        "verify",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        &upstream,
        "--expected-host",
        "orders",
    ]);
    let address = server.address();
    assert!(get(address, "host: orders\r\n").starts_with("HTTP/1.1 401 "));
    let signed = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args("--json sign GET http://orders/a --as billing --key-env KEY".split(' '))
        .env("KEY", SECRET)
        .output();
    let signed = json(&String::from_utf8(signed.unwrap().stdout).unwrap());
    let mut headers = "host: orders\r\n".to_owned();
    for header in signed["headers"].as_array().unwrap() {
        let (name, value) = (
            header["name"].as_str().unwrap(),
            header["value"].as_str().unwrap(),
        );
        if name != "host" {
            headers.extend([name, ": ", value, "\r\n"]);
        }
    }
    let seen = get(address, &headers);
    assert!(seen.starts_with("HTTP/1.1 200 "), "{seen}");
    assert!(seen.contains("countersign-caller: billing\r\n"), "{seen}");
    answer.join().unwrap();
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_configuration_is_checked_and_its_sections_are_started() {
    let folder = Folder::new();
    let keys = format!(
        "[[callers]]\nname = \"billing\"\n[[callers.keys]]\nversion = \"1\"\n\
         secret_hex = \"{SECRET}\"\n"
    );
    folder.with("keys.toml", &keys);
    let section = "listen = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:1\"\n\
                   expected_hosts = [\"orders\"]\nallow_every_caller = true\n";
    let good = folder.with(
        "proxy.toml",
        &format!("version = 1\nkeys = {{ file = \"keys.toml\" }}\n[[verify]]\n{section}"),
    );
    let bad = folder.with("bad.toml", "version = 1\nverfiy = []\n");
    for (file, code, expected) in [(&good, 0, "good"), (&bad, 1, "line 2, column 1")] {
        let checked = program("config check").with(file).run();
        assert_eq!(checked.exit.code(), code, "{}", checked.stderr);
        assert!(checked.stdout.contains(expected), "{}", checked.stdout);
    }
    let missing = program("config check /nonexistent.toml").run();
    assert_eq!(missing.exit.code(), 3);
    let mut server = Server::start(&["run", "--config", good.to_str().unwrap()]);
    server.address();
    assert_eq!(server.terminate(), Some(0));

    let nothing = program("proxy sign --config").with(&good).run();
    assert_eq!(nothing.exit.code(), 2, "no section of this kind");
}
