//! Servers in separate processes, under the load of keep-alive connections over loopback.
//!
//! The servers take turns of a few seconds. Requests per second and server CPU per request are
//! compared with the first server of the same round. Every request is signed before its turn.
//! Reads CPU times from `/proc`, and pins servers and load to one core each if `taskset` is there.

use std::{
    cell::Cell,
    env, fs,
    io::{self, BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr},
    process::{self, Child, Command, Stdio},
    rc::Rc,
    time::{Duration, Instant, SystemTime},
};

use axum::Router;
use countersign::{PayloadDigest, Timestamp};
use http::request::Parts;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

use crate::{
    lower_bound::message_signatures,
    ours,
    request::{self, CALLER, Layout},
    schemes::{self, Scheme},
};

const SERVE: &str = "--serve=";
const CONNECTIONS: usize = 32;
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_millis(2500);
/// The first turn of each server, which is not counted.
const WARM_UP: Duration = Duration::from_millis(500);
const BODY: usize = 1024;

/// More requests than a server answers in a turn. A turn without further requests ends early.
const SIGNED_AHEAD: usize = 250_000;

/// A server, and the requests that it gets.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    name: &'static str,
    requests: Requests,
    router: fn() -> Router,
}

impl Contender {
    /// A server of this name, for requests that are signed like this.
    pub const fn new(name: &'static str, requests: Requests, router: fn() -> Router) -> Self {
        Self {
            name,
            requests,
            router,
        }
    }
}

/// How requests are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requests {
    /// Over three headers, without a nonce.
    Three,
    /// In the default layout, each with another nonce.
    Default,
    /// In SigV4, without a nonce.
    SigV4,
    /// In RFC 9421 with hmac-sha256, each with another nonce.
    Messages,
}

/// What one server did in one turn.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Turn {
    /// Requests per second.
    pub rate: f64,
    /// CPU time of the server per request, in microseconds.
    pub cpu_micros: f64,
    /// The share of the turn for which the server was on a CPU.
    pub busy: f64,
}

/// The turns of every server, in the order of the contenders.
#[derive(Clone, Debug)]
pub struct Results(Vec<(&'static str, Vec<Turn>)>);

/// Measures the contenders. `None` in a process that was started to serve one of them.
///
/// `cargo test --benches` runs without `--bench`. Then every server has one short turn, and the
/// second value is `false`: nothing is to be judged.
pub fn run(contenders: &[Contender]) -> Option<(Results, bool)> {
    let served = env::args().find_map(|argument| {
        let name = argument.strip_prefix(SERVE)?;
        contenders.iter().find(|contender| contender.name == name)
    });
    if let Some(contender) = served {
        serve(contender.router);
        return None;
    }
    let judged = env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if judged {
        (ROUNDS, TURN)
    } else {
        (1, Duration::from_millis(200))
    };
    println!("{} servers, {rounds} rounds", contenders.len());
    pin(process::id(), "1");
    let mut servers: Vec<Server> = contenders.iter().map(Server::start).collect();
    Some((measure(&mut servers, rounds, turn), judged))
}

/// Tells the port on standard output, and serves until standard input is closed.
fn serve(router: fn() -> Router) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.spawn(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        axum::serve(listener, router()).await.unwrap();
    });
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

struct Server {
    name: &'static str,
    requests: Requests,
    process: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(contender: &Contender) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .arg(format!("{SERVE}{}", contender.name))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        pin(process.id(), "0");
        Self {
            name: contender.name,
            requests: contender.requests,
            process,
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, line.trim().parse().unwrap())),
        }
    }

    /// Returns the time that all threads of the process have been on a CPU.
    fn cpu(&self) -> Duration {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let nanoseconds = tasks.filter_map(|task| {
            let schedstat = fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
            schedstat.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(nanoseconds.sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Best effort: without it, the load and the servers move between the cores.
fn pin(process: u32, core: &str) {
    let _ = Command::new("taskset")
        .args(["-acp", core, &process.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

fn measure(servers: &mut [Server], rounds: usize, turn: Duration) -> Results {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut results: Vec<_> = servers.iter().map(|it| (it.name, Vec::new())).collect();
    for round in 0..=rounds {
        let turn = if round == 0 { WARM_UP.min(turn) } else { turn };
        // A server must see no nonce twice, and two servers may see one each.
        let mut batches: Vec<(Requests, Rc<Batch>)> = Vec::new();
        let count = servers.len();
        for at in (0..count).map(|place| (place + round) % count) {
            let (Some(server), Some((name, turns))) = (servers.get(at), results.get_mut(at)) else {
                continue;
            };
            let known = batches.iter().find(|(kind, _)| *kind == server.requests);
            let batch = if let Some((_, batch)) = known {
                Rc::clone(batch)
            } else {
                let count = if round == 0 {
                    SIGNED_AHEAD / 5
                } else {
                    SIGNED_AHEAD
                };
                let batch = Rc::new(Batch::sign(server.requests, count));
                batches.push((server.requests, Rc::clone(&batch)));
                batch
            };
            let measured =
                runtime.block_on(LocalSet::new().run_until(one_turn(server, &batch, turn)));
            if round == 0 {
                println!("warm-up: {name}");
            } else {
                println!(
                    "round {round} of {rounds}: {name}: {:.0} requests/s",
                    measured.rate
                );
                turns.push(measured);
            }
        }
    }
    Results(results)
}

async fn one_turn(server: &Server, batch: &Rc<Batch>, turn: Duration) -> Turn {
    let next = Rc::new(Cell::new(0));
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(Connection::open(server.addr, batch).await);
    }
    let (start, cpu) = (Instant::now(), server.cpu());
    let until = start + turn;
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|connection| {
            let (batch, next) = (Rc::clone(batch), Rc::clone(&next));
            tokio::task::spawn_local(connection.load(batch, next, until))
        })
        .collect();
    let mut requests = 0.0;
    for task in tasks {
        requests += f64::from(task.await.unwrap());
    }
    let (elapsed, cpu) = (start.elapsed(), server.cpu().saturating_sub(cpu));
    Turn {
        rate: requests / elapsed.as_secs_f64(),
        cpu_micros: cpu.as_secs_f64() * 1e6 / requests,
        busy: cpu.as_secs_f64() / elapsed.as_secs_f64(),
    }
}

/// Requests that differ in a few values of equal length: the first request, where these values
/// stand in it, and the values of each request.
struct Batch {
    request: Vec<u8>,
    places: Vec<usize>,
    values: Vec<Vec<Vec<u8>>>,
}

impl Batch {
    /// Signs all requests for one time, so that the date is the same text in each.
    fn sign(requests: Requests, count: usize) -> Self {
        let body = request::body(BODY);
        let digest = PayloadDigest::of(&body);
        let now = Timestamp::from(SystemTime::now());
        // A round takes seconds, so that no two have the same nonces.
        let seconds = u64::try_from(now.as_unix_seconds()).unwrap();
        let signer = match requests {
            Requests::Three => Layout::Three.signer(),
            Requests::Default | Requests::Messages => Layout::Default.signer(),
            Requests::SigV4 => ours::schemes::signer(Scheme::SigV4).unwrap(),
        };
        let key = schemes::message_key(Scheme::HmacMessages);
        let sign = |number: usize| {
            let mut parts = request::unsigned(BODY);
            if requests == Requests::Messages {
                // A peer verifies parameters in this order alone.
                let nonce = format!("{seconds:016x}{number:016x}");
                message_signatures::sign_at(&key, CALLER, &nonce, seconds, &mut parts, &body)
                    .unwrap();
            } else {
                signer.sign(&parts, digest, now).unwrap().apply(&mut parts);
            }
            parts
        };
        let first = sign(0);
        let request = on_the_wire(&first, &body);
        let values = varying(requests, &first);
        let place = |part: &Vec<u8>| {
            let mut windows = request.windows(part.len());
            windows.position(|window| window == part).unwrap()
        };
        let places = values.iter().map(place).collect();
        let further = if values.is_empty() { 0 } else { count };
        let further = (1..=further).map(|number| varying(requests, &sign(number)));
        let values = [values].into_iter().chain(further).collect();
        Self {
            request,
            places,
            values,
        }
    }

    /// Returns the values of a request, if there are any left. A request without a nonce may be
    /// sent any number of times.
    fn at(&self, number: usize) -> Option<&[Vec<u8>]> {
        let number = if self.places.is_empty() { 0 } else { number };
        self.values.get(number).map(Vec::as_slice)
    }
}

/// Returns the parts of a head that differ between requests: a nonce and its signature.
fn varying(requests: Requests, parts: &Parts) -> Vec<Vec<u8>> {
    let value = |name| parts.headers.get(name).unwrap().to_str().unwrap();
    match requests {
        Requests::Three | Requests::SigV4 => Vec::new(),
        Requests::Default => {
            let (_, signature) = value("authorization").rsplit_once('=').unwrap();
            vec![value("x-nonce").into(), signature.into()]
        }
        Requests::Messages => {
            let (_, nonce) = value("signature-input").split_once("nonce=\"").unwrap();
            let (nonce, _) = nonce.split_once('"').unwrap();
            vec![nonce.into(), value("signature").into()]
        }
    }
}

fn on_the_wire(parts: &Parts, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", parts.method, parts.uri).into_bytes();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// A client that does little work, so that the server is the slower side.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl Connection {
    async fn open(addr: SocketAddr, batch: &Batch) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            request: batch.request.clone(),
            response: vec![0; 4096],
        }
    }

    /// Sends one request after the other until then. Returns how many were answered.
    async fn load(mut self, batch: Rc<Batch>, next: Rc<Cell<usize>>, until: Instant) -> u32 {
        let mut answered = 0;
        while Instant::now() < until {
            let Some(values) = batch.at(next.replace(next.get() + 1)) else {
                break;
            };
            for (at, value) in batch.places.iter().zip(values) {
                let place = self.request.get_mut(*at..at + value.len()).unwrap();
                place.copy_from_slice(value);
            }
            self.stream.write_all(&self.request).await.unwrap();
            self.answer().await;
            answered += 1;
        }
        answered
    }

    /// Every answer is a short 200 that ends in the length of the body that the handler got.
    async fn answer(&mut self) {
        let mut len = 0;
        loop {
            let read = self.stream.read(self.response.get_mut(len..).unwrap());
            let read = read.await.unwrap();
            assert!(read > 0, "the server closed the connection");
            len += read;
            let received = self.response.get(..len).unwrap();
            if received.ends_with(b"\r\n\r\n1024") {
                assert!(received.starts_with(b"HTTP/1.1 200 "));
                return;
            }
            assert!(
                !received.starts_with(b"HTTP/1.1 4") && !received.starts_with(b"HTTP/1.1 5"),
                "refused: {}",
                String::from_utf8_lossy(received)
            );
        }
    }
}

impl Results {
    /// Prints a row per server: medians of its turns, and medians of the ratios to the first server
    /// of the same round.
    pub fn print(&self) {
        println!(
            "{CONNECTIONS} connections, body of {BODY} B, 1 worker; medians of turns, ratios of \
             the same round"
        );
        println!(
            "  {:<28} {:>10} {:>7} {:>12} {:>7} {:>6}",
            "", "requests/s", "ratio", "CPU us/req", "ratio", "busy"
        );
        for (name, turns) in &self.0 {
            let of = |figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
            println!(
                "  {name:<28} {:>10.0} {:>7.2} {:>12.2} {:>7.2} {:>6.2}",
                of(|turn| turn.rate),
                self.ratio(name, self.first(), |turn| turn.rate),
                of(|turn| turn.cpu_micros),
                self.ratio(name, self.first(), |turn| turn.cpu_micros),
                of(|turn| turn.busy),
            );
        }
    }

    /// Returns the median of the ratios of two servers in the same round.
    pub fn ratio(&self, name: &str, other: &str, figure: fn(&Turn) -> f64) -> f64 {
        let pairs = self.of(name).iter().zip(self.of(other));
        median(pairs.map(|(a, b)| figure(a) / figure(b)).collect())
    }

    /// Returns the median of the ratios of what two servers add to the CPU of a third one.
    pub fn overhead_ratio(&self, name: &str, other: &str, bare: &str) -> f64 {
        let rounds = self.of(name).iter().zip(self.of(other));
        let bare = self.of(bare);
        let ratio = |((a, b), bare): ((&Turn, &Turn), &Turn)| {
            (a.cpu_micros - bare.cpu_micros) / (b.cpu_micros - bare.cpu_micros)
        };
        median(rounds.zip(bare).map(ratio).collect())
    }

    fn first(&self) -> &'static str {
        self.0.first().map_or("", |(name, _)| *name)
    }

    fn of(&self, name: &str) -> &[Turn] {
        let mut all = self.0.iter();
        let found = all.find(|(known, _)| *known == name);
        found.map_or(&[], |(_, turns)| turns)
    }
}

/// Prints whether a claim holds, and returns it.
pub fn judge(claim: &str, found: f64, most: f64) -> bool {
    let holds = found <= most;
    let verdict = if holds { "holds" } else { "DOES NOT HOLD" };
    println!("  {claim}: {found:.2}, at most {most:.2}: {verdict}");
    holds
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
