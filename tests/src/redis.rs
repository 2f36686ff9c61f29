//! Servers of Redis in processes of their own, on loopback, stopped when dropped.

use std::{
    collections::HashMap,
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
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

/// How long a server may take to start, or a group of them to agree.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that is gone when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "countersign-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

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

/// A server.
#[derive(Debug)]
pub struct RedisServer {
    command: Vec<String>,
    port: u16,
    folder: Folder,
    child: Option<Child>,
}

impl RedisServer {
    /// A server that keeps nothing on disk, with these settings besides. `PORT` among them stands for its port.
    pub fn start(settings: &[&str]) -> Self {
        let port = free_port();
        let folder = Folder::new();
        let port_text = port.to_string();
        let folder_text = folder.path().to_str().unwrap().to_owned();
        let mut command = vec![
            "redis-server",
            "--bind",
            "127.0.0.1",
            "--dir",
            &folder_text,
            "--save",
            "",
        ];
        if !settings.contains(&"--tls-port") {
            command.extend(["--port", &port_text]);
        }
        command.extend(settings.iter().map(|setting| match *setting {
            "PORT" => &*port_text,
            setting => setting,
        }));
        Self::run(
            command.into_iter().map(str::to_owned).collect(),
            port,
            folder,
        )
    }

    /// A sentinel that watches the master on this port under the name `main`.
    pub fn sentinel(master: u16) -> Self {
        let port = free_port();
        let folder = Folder::new();
        let file = folder.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {master} 1\nsentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n"
        );
        fs::write(&file, text).unwrap();
        let command = ["redis-server", file.to_str().unwrap(), "--sentinel"];
        Self::run(command.map(str::to_owned).to_vec(), port, folder)
    }

    fn run(command: Vec<String>, port: u16, folder: Folder) -> Self {
        let mut server = Self {
            command,
            port,
            folder,
            child: None,
        };
        server.restart();
        server
    }

    /// Starts it again, on the same port and with the same folder, and waits until it listens.
    pub fn restart(&mut self) {
        self.kill();
        let (program, arguments) = self.command.split_first().unwrap();
        let child = Command::new(program)
            .args(arguments)
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
        cli(self.port, arguments)
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

/// A cluster of so many masters and no replicas.
pub fn cluster(masters: usize, settings: &[&str]) -> Vec<RedisServer> {
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
            RedisServer::start(&all)
        })
        .collect();
    let nodes: Vec<_> = servers
        .iter()
        .map(|server| format!("127.0.0.1:{}", server.port()))
        .collect();
    let mut arguments = vec!["--cluster", "create"];
    arguments.extend(nodes.iter().map(String::as_str));
    arguments.push("--cluster-yes");
    let created = cli(servers.first().unwrap().port(), &arguments);
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
