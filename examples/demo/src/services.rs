//! Both services, each on a free port.

use std::{io, net::SocketAddr};

use axum::Router;
use billing_service::{BaseUrl, UserService};
use countersign::{ConfigError, Keyring, Policy, Signer};
use demo::key::SharedKey;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tower_countersign::{AuthorizeLayer, BoxError, VerifyLayer};

/// The name with which billing signs.
pub(crate) const CALLER: &str = "billing";

/// A caller that may only read.
pub(crate) const READER: &str = "reporting";

pub(crate) struct Services {
    pub(crate) users: Server,
    pub(crate) billing: Server,
    /// The keys with which the user service verifies. Replacing them here also replaces them in the
    /// service.
    pub(crate) keys: Keyring,
    /// The key with which billing signs.
    pub(crate) key: SharedKey,
    /// The key with which reporting signs.
    pub(crate) reader_key: SharedKey,
}

/// The policy of the user service.
const POLICY: &str = r#"
[[statements]]
id = "billing reads and changes accounts"
effect = "allow"
callers = ["billing"]
methods = ["GET", "POST"]
paths = ["/api/**"]

[[statements]]
id = "reporting reads accounts"
effect = "allow"
callers = ["reporting"]
methods = ["GET"]
paths = ["/api/account/*"]
"#;

impl Services {
    pub(crate) async fn start() -> Result<Self, BoxError> {
        let key = SharedKey::generate("old")?;
        let reader_key = SharedKey::generate("reader")?;
        let keys = keyring(&[&key], &reader_key)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let hosts = [addr.to_string(), format!("localhost:{}", addr.port())];
        let verify = VerifyLayer::new(keys.clone()).with_expected_hosts(hosts)?;
        let authorize = AuthorizeLayer::new(Policy::from_toml(POLICY)?);
        let users = Server::start(listener, user_service::app(verify, Some(authorize)))?;
        let billing = start_billing(&users, &key).await?;
        Ok(Self {
            users,
            billing,
            keys,
            key,
            reader_key,
        })
    }

    /// Returns a signer in billing's name for calls to the user service, with any key.
    pub(crate) fn signer(&self, key: &SharedKey) -> Result<Signer, BoxError> {
        let authority = self.users.authority();
        Ok(Signer::new(CALLER, key.signing_key()?, [authority])?)
    }
}

/// Starts a billing service that signs with this key.
pub(crate) async fn start_billing(users: &Server, key: &SharedKey) -> Result<Server, BoxError> {
    let base: BaseUrl = format!("http://{}", users.authority()).parse()?;
    let signer = Signer::new(CALLER, key.signing_key()?, [base.authority()])?;
    let app = billing_service::app(UserService::new(base, signer));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(Server::start(listener, app)?)
}

/// A running server.
pub(crate) struct Server {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    fn start(listener: TcpListener, app: Router) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            // A dropped sender means that the process ends.
            let _: Result<(), _> = stopped.await;
        };
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async {
            axum::serve(listener, app)
                .with_graceful_shutdown(stopped)
                .await
        });
        Ok(Self { addr, stop, task })
    }

    /// Returns the address and the port.
    pub(crate) fn authority(&self) -> String {
        self.addr.to_string()
    }

    /// Accepts no more requests, and ends once the running requests are answered.
    pub(crate) async fn stop(self) -> Result<(), BoxError> {
        // An error means that the server has already ended. The task returns the reason.
        let _: Result<(), ()> = self.stop.send(());
        Ok(self.task.await??)
    }
}

/// Returns the receiver's side: billing with these keys, and reporting with its key.
pub(crate) fn keyring(billing: &[&SharedKey], reader: &SharedKey) -> Result<Keyring, ConfigError> {
    let mut builder = Keyring::builder().caller(READER, reader.caller_key()?);
    for key in billing {
        builder = builder.caller(CALLER, key.caller_key()?);
    }
    builder.build()
}
