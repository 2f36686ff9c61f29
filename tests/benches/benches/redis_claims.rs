//! Claims on a redis-server over loopback, with one, 8 and 64 of them on their way at a time,
//! beside the same commands written to a socket by hand; and how much memory the server takes for
//! each entry.
//!
//! Needs redis-server. The server and the claims share the machine's processors.

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
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::PathBuf,
    process::{self, Child, Command, Stdio},
    rc::Rc,
    thread,
    time::{Duration, Instant, SystemTime},
};

use countersign::{ClaimOutcome, KeyId, ReplayClaim, ReplayKey, ReplayStore, Timestamp};
use countersign_redis::RedisReplayStore;
use tokio::{runtime::Runtime, task::LocalSet};

const IN_FLIGHT: [usize; 3] = [1, 8, 64];
const ROUNDS: usize = 5;
const TURN: Duration = Duration::from_secs(1);

/// The server's tables double at powers of two: these are just before, just after, and between.
const ENTRIES: [u64; 6] = [65_000, 66_000, 80_000, 100_000, 131_000, 132_000];

/// The life of an entry with nothing set: window, body deadline and clock difference.
const LIFE: Duration = Duration::from_secs(335);

fn main() {
    // `cargo test --benches` runs this without the flag, and where there may be no server.
    if !env::args().any(|argument| argument == "--bench") {
        println!("Nothing is measured but by `cargo bench`.");
        return;
    }
    let server = Server::start();
    println!("{}", server.info("redis_version"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = RedisReplayStore::from_url(&server.url()).unwrap();
    let mut numbers = 0..;
    let mut claims = IN_FLIGHT.map(|_| Turns::default());
    let mut bare = IN_FLIGHT.map(|_| Turns::default());
    for _ in 0..ROUNDS {
        for ((in_flight, claims), bare) in IN_FLIGHT.into_iter().zip(&mut claims).zip(&mut bare) {
            server.empty();
            claims.add(store_turn(&runtime, &store, in_flight, &mut numbers));
            server.empty();
            bare.add(bare_turn(&server, in_flight, &mut numbers));
        }
    }
    println!("in flight    claims/s        p50        p99    by hand/s   ratio");
    for ((in_flight, claims), bare) in IN_FLIGHT.into_iter().zip(&mut claims).zip(&mut bare) {
        println!(
            "{in_flight:>9} {:>11.0} {:>7.0} us {:>7.0} us {:>12.0} {:>7.2}",
            claims.rate(),
            claims.latency(0.50),
            claims.latency(0.99),
            bare.rate(),
            claims.rate() / bare.rate(),
        );
    }
    println!("entries, bytes of used_memory each");
    for entries in ENTRIES {
        println!(
            "{entries:>7} {:>6.1}",
            memory(&server, &runtime, &store, entries)
        );
    }
}

/// What was measured in turns.
#[derive(Default)]
struct Turns {
    rates: Vec<f64>,
    latencies: Vec<Duration>,
}

impl Turns {
    fn add(&mut self, (latencies, took): (Vec<Duration>, Duration)) {
        let claims = u32::try_from(latencies.len()).unwrap();
        self.rates.push(f64::from(claims) / took.as_secs_f64());
        self.latencies.extend(latencies);
    }

    /// The median of the turns.
    fn rate(&mut self) -> f64 {
        self.rates.sort_by(f64::total_cmp);
        *self.rates.get(self.rates.len() / 2).unwrap()
    }

    /// In microseconds, of all claims of all turns.
    #[allow(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "some thousands"
    )]
    fn latency(&mut self, quantile: f64) -> f64 {
        self.latencies.sort_unstable();
        let at = (self.latencies.len() as f64 * quantile) as usize;
        self.latencies.get(at).unwrap().as_secs_f64() * 1e6
    }
}

fn claim(number: u64) -> ReplayClaim {
    let now = Timestamp::from(SystemTime::now());
    ReplayClaim::new(
        ReplayKey::new("user-service", "billing", &number.to_string()),
        KeyId::new("billing").unwrap(),
        now,
        now.saturating_add(LIFE),
        now,
    )
}

async fn decide(store: &RedisReplayStore, number: u64) {
    assert!(matches!(
        store.claim(claim(number)).await,
        Ok(ClaimOutcome::Fresh)
    ));
}

/// So many tasks that each make one claim after the other, all on the store's one connection.
fn store_turn(
    runtime: &Runtime,
    store: &RedisReplayStore,
    in_flight: usize,
    numbers: &mut impl Iterator<Item = u64>,
) -> (Vec<Duration>, Duration) {
    // Opens the connection.
    runtime.block_on(decide(store, numbers.next().unwrap()));
    let next = Rc::new(Cell::new(numbers.next().unwrap()));
    let start = Instant::now();
    let tasks = LocalSet::new();
    let running: Vec<_> = (0..in_flight)
        .map(|_| {
            let (store, next) = (store.clone(), Rc::clone(&next));
            tasks.spawn_local(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < TURN {
                    let number = next.replace(next.get() + 1);
                    let sent = Instant::now();
                    decide(&store, number).await;
                    latencies.push(sent.elapsed());
                }
                latencies
            })
        })
        .collect();
    let latencies = runtime.block_on(tasks.run_until(async {
        let mut all = Vec::new();
        for task in running {
            all.extend(task.await.unwrap());
        }
        all
    }));
    let took = start.elapsed();
    // The numbers are used up.
    let used = next.get();
    numbers.find(|number| *number >= used);
    (latencies, took)
}

/// The same commands, written together and read together on one thread.
fn bare_turn(
    server: &Server,
    in_flight: usize,
    numbers: &mut impl Iterator<Item = u64>,
) -> (Vec<Duration>, Duration) {
    let mut stream = server.connect();
    let (mut latencies, mut commands, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    let start = Instant::now();
    while start.elapsed() < TURN {
        let sent = Instant::now();
        commands.clear();
        for number in numbers.take(in_flight) {
            let key = hex::encode(claim(number).key.as_bytes());
            write!(
                commands,
                "*7\r\n$3\r\nSET\r\n$51\r\ncountersign:replay:{key}\r\n$16\r\n0123456789abcdef\r\n$2\r\nNX\r\n$3\r\nGET\r\n$2\r\nPX\r\n$6\r\n340000\r\n"
            )
            .unwrap();
        }
        stream.write_all(&commands).unwrap();
        answers.resize(in_flight * 5, 0);
        stream.read_exact(&mut answers).unwrap();
        assert!(answers.chunks(5).all(|answer| answer == b"$-1\r\n"));
        let took = sent.elapsed();
        latencies.extend((0..in_flight).map(|_| took));
    }
    (latencies, start.elapsed())
}

/// Bytes of the server's memory for each of so many entries.
fn memory(server: &Server, runtime: &Runtime, store: &RedisReplayStore, entries: u64) -> f64 {
    server.empty();
    let used = || {
        let used = server.info("used_memory");
        used.split_once(':').unwrap().1.parse::<f64>().unwrap()
    };
    let before = used();
    runtime.block_on(async {
        for number in 0..entries {
            decide(store, number).await;
        }
    });
    (used() - before) / f64::from(u32::try_from(entries).unwrap())
}

/// A server that keeps nothing on disk. Dropping it ends it.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    fn start() -> Self {
        let folder = env::temp_dir().join(format!("countersign-redis-claims-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--dir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self {
            child,
            port,
            folder,
        };
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(10),
                "redis-server listens"
            );
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn empty(&self) {
        let mut stream = self.connect();
        stream.write_all(b"FLUSHALL SYNC\r\n").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    /// One line of the server's `INFO`.
    fn info(&self, name: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(b"INFO everything\r\nQUIT\r\n").unwrap();
        BufReader::new(stream)
            .lines()
            .map(Result::unwrap)
            .find(|line| line.split(':').next() == Some(name))
            .expect("the server says so")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
