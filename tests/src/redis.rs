//! Servers of Redis, or of Valkey, in separate processes, on loopback, stopped when dropped.

use std::{
    collections::HashMap,
    env,
    fmt::Write as _,
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use countersign::{
    KeyId, ReplayClaim, ReplayKey, ReplayStore, ReplayStoreId, Timestamp,
    replay_conformance::Subject,
};
use countersign_redis::RedisReplayStore;

use crate::{certificates::Certificates, directory::Directory};

/// How long a server may take to start, or a group of them to agree.
const PATIENCE: Duration = Duration::from_secs(120);

/// A port that nobody listens on at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits until it is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(
            start.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The program: `redis-server` in the path, or what `COUNTERSIGN_REDIS_SERVER` names, such as a
/// `valkey-server`.
fn program() -> String {
    env::var("COUNTERSIGN_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

/// How a server is talked to.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Transport<'c> {
    /// In the clear.
    Plain,
    /// Over TLS, where each side shows a certificate, and servers each other.
    Tls(&'c Certificates),
}

impl Transport<'_> {
    /// The settings of a server on a port.
    fn settings(self, port: u16) -> Vec<(&'static str, String)> {
        let Self::Tls(certificates) = self else {
            return vec![("port", port.to_string())];
        };
        vec![
            ("port", "0".to_owned()),
            ("tls-port", port.to_string()),
            ("tls-cert-file", certificates.path("server.pem")),
            ("tls-key-file", certificates.path("server.key")),
            ("tls-ca-cert-file", certificates.path("ca.pem")),
            ("tls-auth-clients", "yes".to_owned()),
            ("tls-replication", "yes".to_owned()),
            ("tls-cluster", "yes".to_owned()),
        ]
    }

    /// What `redis-cli` is started with.
    fn cli_options(self) -> Vec<String> {
        let Self::Tls(certificates) = self else {
            return Vec::new();
        };
        vec![
            "--tls".to_owned(),
            "--cacert".to_owned(),
            certificates.path("ca.pem"),
            "--cert".to_owned(),
            certificates.path("client.pem"),
            "--key".to_owned(),
            certificates.path("client.key"),
        ]
    }
}

/// A server.
#[derive(Debug)]
pub struct RedisServer {
    command: Vec<String>,
    environment: Vec<(&'static str, String)>,
    cli_options: Vec<String>,
    port: u16,
    folder: Directory,
    child: Option<Child>,
}

impl RedisServer {
    /// A server in the clear that keeps nothing on disk, with these settings besides.
    pub fn start(settings: &[&str]) -> Self {
        Self::start_over(Transport::Plain, settings)
    }

    /// The same, talked to in this way.
    pub fn start_over(transport: Transport<'_>, settings: &[&str]) -> Self {
        Self::start_program(program(), Vec::new(), transport, settings)
    }

    /// One whose clock is off, such as by `+600s`: the Valkey that `COUNTERSIGN_VALKEY_SERVER`
    /// names, with the library `libfaketime.so.1` that `COUNTERSIGN_LIBFAKETIME` names. Debian's
    /// Redis hangs in the allocator with it.
    pub fn start_with_clock_off(by: &str) -> Self {
        let named =
            |variable: &str| env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set"));
        let environment = vec![
            ("LD_PRELOAD", named("COUNTERSIGN_LIBFAKETIME")),
            ("FAKETIME", by.to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let program = named("COUNTERSIGN_VALKEY_SERVER");
        Self::start_program(program, environment, Transport::Plain, &[])
    }

    fn start_program(
        program: String,
        environment: Vec<(&'static str, String)>,
        transport: Transport<'_>,
        settings: &[&str],
    ) -> Self {
        let port = free_port();
        let folder = Directory::new();
        let folder_text = folder.path().to_str().unwrap();
        let mut command = vec![program];
        let always = ["--bind", "127.0.0.1", "--dir", folder_text, "--save", ""];
        command.extend(always.map(str::to_owned));
        for (name, value) in transport.settings(port) {
            command.extend([format!("--{name}"), value]);
        }
        command.extend(settings.iter().copied().map(str::to_owned));
        Self {
            command,
            environment,
            cli_options: transport.cli_options(),
            port,
            folder,
            child: None,
        }
        .running()
    }

    /// A sentinel that watches the master on this port under the name `main`.
    pub fn sentinel(master: u16) -> Self {
        Self::sentinel_over(Transport::Plain, master)
    }

    /// The same, talked to in this way, as is the master.
    pub fn sentinel_over(transport: Transport<'_>, master: u16) -> Self {
        let port = free_port();
        let folder = Directory::new();
        let file = folder.path().join("sentinel.conf");
        let mut text = format!(
            "bind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master} 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
        );
        for (name, value) in transport.settings(port) {
            writeln!(text, "{name} {value}").unwrap();
        }
        fs::write(&file, text).unwrap();
        let command = [&program(), file.to_str().unwrap(), "--sentinel"];
        Self {
            command: command.map(str::to_owned).to_vec(),
            environment: Vec::new(),
            cli_options: transport.cli_options(),
            port,
            folder,
            child: None,
        }
        .running()
    }

    fn running(mut self) -> Self {
        self.restart();
        self
    }

    /// Starts it again, on the same port and with the same folder, and waits until it listens.
    pub fn restart(&mut self) {
        self.kill();
        let (program, arguments) = self.command.split_first().unwrap();
        let child = Command::new(program)
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        self.child = Some(child);
        let port = self.port;
        until("redis-server listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    /// Ends it at once, as a crash of the process would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Sends a signal, such as `STOP` and `CONT`.
    pub fn signal(&self, signal: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &process])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// `redis://` and its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// What `redis-cli` says to this.
    pub fn cli(&self, arguments: &[&str]) -> String {
        let options = self.cli_options.iter().map(String::as_str);
        let all: Vec<_> = options.chain(arguments.iter().copied()).collect();
        cli(self.port, &all)
    }

    /// How often it was sent a command.
    pub fn calls(&self, command: &str) -> usize {
        let stats = self.cli(&["info", "commandstats"]);
        let of = format!("cmdstat_{command}:calls=");
        let calls = stats.lines().find_map(|line| line.strip_prefix(&of));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What `redis-cli` says to this on a port.
pub fn cli(port: u16, arguments: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["-p", &port.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("redis-cli runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A master, its replica that is in step, and a sentinel that knows both, talked to in this way.
pub fn replicated_over(transport: Transport<'_>) -> [RedisServer; 3] {
    let master = RedisServer::start_over(transport, &[]);
    let replica_of = format!("127.0.0.1 {}", master.port());
    let replica = RedisServer::start_over(transport, &["--replicaof", &replica_of]);
    let sentinel = RedisServer::sentinel_over(transport, master.port());
    let port = replica.port().to_string();
    until("the sentinel knows the replica", || {
        sentinel
            .cli(&["sentinel", "replicas", "main"])
            .contains(&port)
    });
    until("the replica is in step", || {
        replica
            .cli(&["info", "replication"])
            .contains("master_link_status:up")
    });
    [master, replica, sentinel]
}

/// A cluster of so many masters and no replicas.
pub fn cluster(masters: usize, settings: &[&str]) -> Vec<RedisServer> {
    cluster_over(Transport::Plain, masters, settings)
}

/// The same, talked to in this way, as its servers talk to each other.
pub fn cluster_over(
    transport: Transport<'_>,
    masters: usize,
    settings: &[&str],
) -> Vec<RedisServer> {
    let servers: Vec<_> = (0..masters)
        .map(|_| {
            let bus = free_port().to_string();
            let mut all = vec![
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "1000",
                "--cluster-require-full-coverage",
                "no",
                "--cluster-port",
                &bus,
            ];
            all.extend(settings);
            RedisServer::start_over(transport, &all)
        })
        .collect();
    let nodes: Vec<_> = servers
        .iter()
        .map(|server| format!("127.0.0.1:{}", server.port()))
        .collect();
    let mut arguments = vec!["--cluster", "create"];
    arguments.extend(nodes.iter().map(String::as_str));
    arguments.push("--cluster-yes");
    let created = servers.first().unwrap().cli(&arguments);
    assert!(created.contains("All 16384 slots covered"), "{created}");
    for server in &servers {
        until("the cluster agrees", || {
            server
                .cli(&["cluster", "info"])
                .contains("cluster_state:ok")
        });
    }
    servers
}

/// A claim of `nonce` that is dated now and ends in `life`.
pub fn claim(nonce: &str, life: Duration) -> ReplayClaim {
    let now = Timestamp::from(SystemTime::now());
    ReplayClaim::new(
        ReplayKey::new("", "billing", nonce),
        KeyId::new("billing").unwrap(),
        now,
        now.saturating_add(life),
        now,
    )
}

/// Stores at one URL, for the suite of all stores.
#[derive(Debug)]
pub struct RedisStores {
    url: String,
    namespaces: Mutex<HashMap<ReplayStoreId, String>>,
    next: AtomicUsize,
}

impl RedisStores {
    /// At this URL.
    pub fn at(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            namespaces: Mutex::default(),
            next: AtomicUsize::new(0),
        }
    }

    fn open(&self, namespace: String) -> RedisReplayStore {
        let builder = RedisReplayStore::builder(&self.url).unwrap();
        let store = builder.namespace(&namespace).build().unwrap();
        self.namespaces
            .lock()
            .unwrap()
            .insert(store.id(), namespace);
        store
    }
}

impl Subject for RedisStores {
    type Store = RedisReplayStore;

    async fn fresh(&self) -> RedisReplayStore {
        let next = self.next.fetch_add(1, Ordering::SeqCst);
        self.open(format!("suite-{next}"))
    }

    async fn replica(&self, store: &RedisReplayStore) -> RedisReplayStore {
        let namespace = self
            .namespaces
            .lock()
            .unwrap()
            .get(&store.id())
            .unwrap()
            .clone();
        self.open(namespace)
    }

    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    async fn cut_off(&self) -> Option<RedisReplayStore> {
        let url = format!("redis://127.0.0.1:{}", free_port());
        Some(RedisReplayStore::from_url(&url).unwrap())
    }

    fn forgotten_after(&self) -> Duration {
        Duration::from_secs(6)
    }
}
