//! Servers behind different layers, each a process of its own with one worker, under the load of keep-alive connections
//! over loopback. They take turns of a few seconds; requests a second and server CPU a request are compared with the
//! server without a layer.
//!
//! Every request is signed ahead, with a nonce of its own. All servers get the same bytes, so that what differs is the
//! layer alone. Needs Linux for the CPU times; pins servers and load to a core each where `taskset` is there.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run fails by panicking; the table is what it is for"
)]

use std::{
    cell::Cell,
    env, fs,
    io::{self, BufRead, BufReader, Read},
    net::{Ipv4Addr, SocketAddr},
    process::{self, Child, Command, ExitCode, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use benches::{
    groups::signed,
    layers::{self, Guard},
    request::{self, Layout},
};
use http::request::Parts;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

const SERVE: &str = "--serve=";
const CONNECTIONS: usize = 32;
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_secs(3);
const BODY: usize = 1024;

/// More than any server answers in a turn on the machines this was written on; a turn ends early without more.
const SIGNED_AHEAD: usize = 300_000;

/// The server that the others are compared with, and itself again: the difference is the noise.
const BARE: usize = 0;
const COMPARED: [(&str, &str); 9] = [
    ("no layer", "no layer"),
    ("no layer, again", "no layer"),
    ("identity layer", "identity layer"),
    ("lower bound, three headers", "lower bound, three headers"),
    ("lower bound, default layout", "lower bound, default layout"),
    ("countersign, three headers", "countersign, three headers"),
    ("countersign, default layout", "countersign, default layout"),
    ("countersign, everything on", "countersign, everything on"),
    ("naive", "naive"),
];
const CLAIMED: &str = "countersign, default layout";
const LEAST_RATE: f64 = 0.80;
const MOST_CPU: f64 = 1.27;
/// What a policy, watched keys and metrics may add to the layer.
const EVERYTHING: &str = "countersign, everything on";
const MOST_CPU_TO_THE_LAYER: f64 = 1.15;

fn main() -> ExitCode {
    if let Some(name) = env::args().find_map(|argument| {
        let name = argument.strip_prefix(SERVE)?;
        Some(name.to_owned())
    }) {
        serve(Guard::named(&name).unwrap());
        return ExitCode::SUCCESS;
    }
    // `cargo test --benches` runs this without the flag: then every server has a short turn and nothing is judged.
    let judged = env::args().any(|argument| argument == "--bench");
    let (rounds, turn) = if judged {
        (ROUNDS, TURN)
    } else {
        (1, Duration::from_millis(200))
    };
    pin(process::id(), "1");
    let mut servers: Vec<Server> = COMPARED
        .iter()
        .map(|(name, guard)| Server::start(name, guard))
        .collect();
    let results = measure(&mut servers, rounds, turn);
    if report(&servers, &results) || !judged {
        ExitCode::SUCCESS
    } else {
        println!("A claim does not hold.");
        ExitCode::FAILURE
    }
}

/// The server process: it tells its port and serves until its standard input is closed.
fn serve(guard: Guard) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.spawn(async move {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        axum::serve(listener, layers::router(guard)).await.unwrap();
    });
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

struct Server {
    name: &'static str,
    layout: Layout,
    process: Child,
    addr: SocketAddr,
}

impl Server {
    fn start(name: &'static str, guard: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .arg(format!("{SERVE}{guard}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        pin(process.id(), "0");
        let layout = match Guard::named(guard).unwrap() {
            Guard::LowerBound(layout) | Guard::Countersign(layout) | Guard::Everything(layout) => {
                layout
            }
            _ => Layout::Default,
        };
        Self {
            name,
            layout,
            process,
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, line.trim().parse().unwrap())),
        }
    }

    /// The time that all threads of the process have been on a CPU.
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

/// Best effort: without it the load and the servers move between the cores.
fn pin(process: u32, core: &str) {
    let _ = Command::new("taskset")
        .args(["-acp", core, &process.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// What one server did in one turn.
#[derive(Clone, Copy)]
struct Turn {
    rate: f64,
    cpu_micros: f64,
    busy: f64,
}

fn measure(servers: &mut [Server], rounds: usize, turn: Duration) -> Vec<Vec<Turn>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut results: Vec<Vec<Turn>> = servers.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        let default = Rc::new(Batch::sign(Layout::Default, SIGNED_AHEAD));
        // Nothing tells two requests of one second apart, and nothing has to.
        let three = Rc::new(Batch::sign(Layout::Three, 1));
        let count = servers.len();
        for at in (0..count).map(|place| (place + round) % count) {
            let (Some(server), Some(turns)) = (servers.get(at), results.get_mut(at)) else {
                continue;
            };
            let batch = match server.layout {
                Layout::Three => &three,
                _ => &default,
            };
            let measured =
                runtime.block_on(LocalSet::new().run_until(one_turn(server, batch, turn)));
            // The first round warms up.
            if round > 0 {
                turns.push(measured);
            }
        }
    }
    results
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

/// Requests that differ in nonce and signature alone: one whole, and what to put in its place.
struct Batch {
    request: Vec<u8>,
    signed: Vec<Signed>,
    nonce_at: Option<usize>,
    signature_at: usize,
    /// Whether the requests may be sent again and again.
    endless: bool,
}

struct Signed {
    nonce: Vec<u8>,
    signature: Vec<u8>,
}

impl Batch {
    fn sign(layout: Layout, count: usize) -> Self {
        let body = request::body(BODY);
        // All in one second: the date is the same text in each.
        let mut heads: Vec<Parts> = Vec::new();
        let mut whole = Vec::new();
        let mut all = Vec::with_capacity(count);
        while all.len() < count {
            let head = signed(layout, &body);
            if heads
                .first()
                .is_none_or(|first| value(first, "x-date") != value(&head, "x-date"))
            {
                all.clear();
                whole = on_the_wire(&head, &body);
                heads = vec![head.clone()];
            }
            all.push(Signed {
                nonce: value(&head, "x-nonce").to_vec(),
                signature: signature(&head).to_vec(),
            });
        }
        let first = heads.first().unwrap();
        let position = |part: &[u8]| whole.windows(part.len()).position(|window| window == part);
        let nonce = value(first, "x-nonce");
        Self {
            nonce_at: (!nonce.is_empty()).then(|| position(nonce).unwrap()),
            signature_at: position(signature(first)).unwrap(),
            request: whole,
            signed: all,
            endless: layout == Layout::Three,
        }
    }

    fn at(&self, number: usize) -> Option<&Signed> {
        if self.endless {
            self.signed.first()
        } else {
            self.signed.get(number)
        }
    }
}

fn value<'r>(parts: &'r Parts, name: &str) -> &'r [u8] {
    let value = parts.headers.get(name);
    value.map(http::HeaderValue::as_bytes).unwrap_or_default()
}

fn signature(parts: &Parts) -> &[u8] {
    let (_, signature) = value(parts, "authorization")
        .split_last_chunk::<64>()
        .unwrap();
    signature
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

/// A client that does as little as it can, so that the server is what is slow.
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

    /// Sends requests one after the other until then. Returns how many were answered.
    async fn load(mut self, batch: Rc<Batch>, next: Rc<Cell<usize>>, until: Instant) -> u32 {
        let mut answered = 0;
        while Instant::now() < until {
            let Some(signed) = batch.at(next.replace(next.get() + 1)) else {
                break;
            };
            if let Some(at) = batch.nonce_at {
                self.put(at, &signed.nonce);
            }
            self.put(batch.signature_at, &signed.signature);
            self.stream.write_all(&self.request).await.unwrap();
            self.answer().await;
            answered += 1;
        }
        answered
    }

    fn put(&mut self, at: usize, part: &[u8]) {
        let place = self.request.get_mut(at..at + part.len()).unwrap();
        place.copy_from_slice(part);
    }

    /// Every answer is a short 200 that ends in the length of the body, which the handler was given.
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

/// Prints the table. Returns whether the claim holds.
fn report(servers: &[Server], results: &[Vec<Turn>]) -> bool {
    let bare = results.get(BARE).unwrap();
    let named = |name| {
        let place = servers.iter().position(|server| server.name == name);
        place.and_then(|place| results.get(place)).unwrap()
    };
    let mut holds = true;
    println!(
        "{CONNECTIONS} connections, body of {BODY} B, 1 worker; medians of turns, ratios of the same round"
    );
    println!(
        "  {:<28} {:>10} {:>7} {:>12} {:>7} {:>6}",
        "", "requests/s", "ratio", "CPU us/req", "ratio", "busy"
    );
    for (server, turns) in servers.iter().zip(results) {
        let of = |figure: fn(&Turn) -> f64| median(turns.iter().map(figure).collect());
        let ratio = |figure: fn(&Turn) -> f64| {
            let pairs = turns.iter().zip(bare);
            median(
                pairs
                    .map(|(turn, bare)| figure(turn) / figure(bare))
                    .collect(),
            )
        };
        let (rate, cpu) = (ratio(|turn| turn.rate), ratio(|turn| turn.cpu_micros));
        println!(
            "  {:<28} {:>10.0} {rate:>7.2} {:>12.2} {cpu:>7.2} {:>6.2}",
            server.name,
            of(|turn| turn.rate),
            of(|turn| turn.cpu_micros),
            of(|turn| turn.busy),
        );
        if server.name == CLAIMED {
            holds = rate >= LEAST_RATE && cpu <= MOST_CPU;
        }
    }
    println!(
        "  {CLAIMED}: at least {LEAST_RATE:.2} of the requests and at most {MOST_CPU:.2} of the CPU: {}",
        if holds { "holds" } else { "DOES NOT HOLD" }
    );
    let pairs = named(EVERYTHING).iter().zip(named(CLAIMED));
    let more = median(
        pairs
            .map(|(all, layer)| all.cpu_micros / layer.cpu_micros)
            .collect(),
    );
    let everything_holds = more <= MOST_CPU_TO_THE_LAYER;
    println!(
        "  {EVERYTHING}: {more:.2} of the CPU of {CLAIMED}, at most {MOST_CPU_TO_THE_LAYER:.2}: {}",
        if everything_holds {
            "holds"
        } else {
            "DOES NOT HOLD"
        }
    );
    holds && everything_holds
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
