mod material;
mod snippets;

use std::{fmt::Write, fs, path::PathBuf};

use clap::{Args, ValueEnum};
use countersign::{KeyId, KeyVersion};
use serde::Serialize;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub(super) use self::{material::Material, snippets::new_key_of_caller};
use crate::{
    Exit, Terminal, calendar, ed25519_text,
    failure::Failure,
    input,
    key_kind::KeyKind,
    new_file,
    output::{Answer, Format, Paint, Tone},
};

/// Makes a key, and prints what its caller and its callee need of it.
///
/// Prints two snippets: one for the callee, which verifies, and one for the caller, which signs.
/// The output is the key. Send it to a file or a secret store, not to a log.
#[derive(Args, Debug)]
pub(crate) struct Keygen {
    /// The scheme that the key signs in.
    #[arg(long, value_enum, default_value_t = KeyKind::HmacSha256)]
    scheme: KeyKind,
    /// The name of the service that signs, as its callee knows it.
    #[arg(long, value_name = "NAME", default_value = "caller")]
    caller: String,
    /// The name of the service that verifies.
    #[arg(long, value_name = "NAME", default_value = "callee")]
    target: String,
    /// The host of the callee in URLs, with its port unless that is 80 or 443. Default: the target.
    #[arg(long, value_name = "HOST:PORT")]
    authority: Option<String>,
    /// The label of the key. Default: the year and the month.
    #[arg(long = "key-version", value_name = "LABEL")]
    version: Option<String>,
    /// The form of the snippets.
    #[arg(long, value_enum, default_value_t = Form::Toml)]
    format: Form,
    /// Write the callee's snippet to this new file, and print no key.
    #[arg(long, value_name = "FILE", requires = "caller_file")]
    callee_file: Option<PathBuf>,
    /// Write the caller's snippet to this new file, and print no key.
    #[arg(long, value_name = "FILE", requires = "callee_file")]
    caller_file: Option<PathBuf>,
}

/// The form of the snippets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// TOML files, as `Keyring::from_toml_file` and `TargetSigners::from_toml_file` read them.
    Toml,
    /// Environment variables, as `Keyring::from_env` and `Signer::from_env` read them.
    Env,
    /// Kubernetes Secrets that hold the same files or variables.
    Kubernetes,
}

/// The names of the two sides, of the key and of the host.
struct Names {
    caller: String,
    target: String,
    authority: String,
    version: String,
}

impl Keygen {
    pub(crate) fn run(self, terminal: &mut Terminal<'_>, format: Format) -> Result<Exit, Failure> {
        if self.format == Form::Env && self.scheme != KeyKind::HmacSha256 {
            return Err(Failure::usage(
                "--format env: expected --scheme hmac-sha256, the scheme of keys in variables",
            ));
        }
        let version = match self.version {
            Some(version) => version,
            None => calendar::year_and_month(terminal.now())?,
        };
        let names = Names {
            authority: self.authority.unwrap_or_else(|| self.target.clone()),
            caller: self.caller,
            target: self.target,
            version,
        };
        KeyId::new(&names.caller).map_err(|error| error.within("--caller"))?;
        KeyId::new(&names.target).map_err(|error| error.within("--target"))?;
        KeyVersion::new(&names.version).map_err(|error| error.within("--key-version"))?;
        let material = Material::generate(self.scheme)?;
        let callers = snippets::callers_toml(&names, &material);
        let targets = snippets::targets_toml(&names, &material);
        let targets = targets.as_ref().map(|text| text.as_str());
        // Nothing is printed that a service would refuse.
        snippets::ensure_loads(&names, &callers, targets)?;
        let printed = match self.format {
            Form::Toml => {
                let signing = match targets {
                    Some(targets) => Zeroizing::new(targets.to_owned()),
                    None => snippets::caller_variables(&names, &material),
                };
                [callers, signing]
            }
            Form::Env => snippets::service_secrets(&names, &material),
            Form::Kubernetes => snippets::kubernetes(&names, &material, &callers, targets),
        };
        let mut answer = Made::new(&names, &material, self.format);
        let [verifying, signing] = &printed;
        if let (Some(callee), Some(caller)) = (&self.callee_file, &self.caller_file) {
            new_file::write(callee, verifying)?;
            // One half of a key is of no use.
            new_file::write(caller, signing).inspect_err(|_| {
                let _ = fs::remove_file(callee);
            })?;
            answer.files = Some(Sides {
                callee: input::shown(callee),
                caller: input::shown(caller),
            });
        } else {
            answer.show(&material);
            answer.snippets = Some(Sides {
                callee: verifying.to_string(),
                caller: signing.to_string(),
            });
        }
        terminal.answer(format, &answer)?;
        Ok(Exit::Yes)
    }
}

/// The answer. JSON.md has its shape.
#[derive(Serialize)]
struct Made<'k> {
    scheme: &'static str,
    algorithm: &'static str,
    caller: &'k str,
    target: &'k str,
    version: &'k str,
    key_id: Option<&'k str>,
    secret: Option<&'k str>,
    private_key: Option<KeyForms>,
    public_key: Option<KeyForms>,
    snippets: Option<Sides>,
    files: Option<Sides>,
    #[serde(skip)]
    form: Form,
}

/// A text for each of the two sides.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
struct Sides {
    callee: String,
    caller: String,
}

/// The three forms of an Ed25519 key.
#[derive(Serialize)]
struct KeyForms {
    hex: Zeroizing<String>,
    pem: Zeroizing<String>,
    jwk: Zeroizing<String>,
}

impl<'k> Made<'k> {
    fn new(names: &'k Names, material: &'k Material, form: Form) -> Self {
        Self {
            scheme: material.kind().scheme().name(),
            algorithm: material.kind().algorithm().name(),
            caller: &names.caller,
            target: &names.target,
            version: &names.version,
            key_id: material.key_id(),
            secret: None,
            private_key: None,
            public_key: material.ed25519().map(|(_, point)| KeyForms {
                hex: Zeroizing::new(base16ct::lower::encode_string(point)),
                pem: ed25519_text::public_pem(point),
                jwk: ed25519_text::jwk(None, point),
            }),
            snippets: None,
            files: None,
            form,
        }
    }

    /// Shows the key that signs.
    fn show(&mut self, material: &'k Material) {
        let ed25519 = material.ed25519();
        self.secret = ed25519.is_none().then_some(material.caller_text());
        self.private_key = ed25519.map(|(seed, point)| KeyForms {
            hex: Zeroizing::new(base16ct::lower::encode_string(seed)),
            pem: ed25519_text::private_pem(seed),
            jwk: ed25519_text::jwk(Some(seed), point),
        });
    }
}

impl Answer for Made<'_> {
    fn to_text(&self, paint: Paint) -> String {
        let heading = |text: String| paint.paint(Tone::Strong, text);
        let mut text = String::new();
        if let Some(Sides { callee, caller }) = &self.files {
            let _ = writeln!(text, "wrote {callee}, for {}", self.target);
            let _ = writeln!(text, "wrote {caller}, for {}", self.caller);
        }
        if let Some(Sides { callee, caller }) = &self.snippets {
            let verifies = heading(format!("# {}, which verifies:", self.target));
            let signs = heading(format!("# {}, which signs:", self.caller));
            let divider = match self.form {
                Form::Kubernetes => "---\n",
                Form::Toml | Form::Env => "",
            };
            let _ = write!(text, "{verifies}\n{callee}\n{divider}{signs}\n{caller}");
        }
        for (who, forms) in [
            ("private key, for the caller alone", &self.private_key),
            ("public key", &self.public_key),
        ] {
            if let Some(forms) = forms.as_ref().filter(|_| self.form == Form::Toml) {
                let title = heading(format!("# The {who}, as PEM and as JWK:"));
                let lines = [forms.pem.trim_end(), forms.jwk.as_str()];
                let lines = lines.iter().flat_map(|form| form.lines());
                let lines: String = lines.flat_map(|line| ["# ", line, "\n"]).collect();
                let _ = write!(text, "\n{title}\n{lines}");
            }
        }
        text
    }
}
