//! The options of `mirrorguard serve` for certificates that it manages.

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use rustls::pki_types::ServerName;

use crate::{
    certificates::{Called, Lifetimes},
    server::{
        certificate_files::ClientCa,
        managed::{ManagedOptions, SecretName},
    },
};

#[derive(Debug, Args)]
pub(super) struct ManagedArgs {
    /// Store a CA and a serving certificate in this Secret
    ///
    /// mirrorguard creates and renews both, and writes the CA to the webhook configurations. The Secret must exist
    /// and may be empty.
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        requires_all = ["tls_name", "webhook_configuration"],
        conflicts_with_all = ["tls_cert", "tls_key", "tls_self_signed"]
    )]
    pub(super) tls_managed_secret: Option<SecretName>,
    /// DNS name or IP address of the serving certificate; can be repeated
    ///
    /// The first one is the name that the API server calls. A managed certificate is issued for all of them. If the
    /// certificate of --tls-cert is not valid for the first one, this is logged, and /readyz returns 503.
    #[arg(long, value_name = "NAME", value_parser = server_name, conflicts_with = "tls_self_signed")]
    pub(super) tls_name: Vec<String>,
    /// Name of the validating and mutating webhook configurations that get the CA
    #[arg(long, value_name = "NAME", requires = "tls_managed_secret")]
    pub(super) webhook_configuration: Option<String>,
    /// Validity of the managed serving certificate; renewed when a third is left
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = duration, requires = "tls_managed_secret", hide_short_help = true)]
    pub(super) tls_duration: SignedDuration,
    /// Validity of the managed CA; renewed when a third is left
    #[arg(long, value_name = "DURATION", default_value = "1095d", value_parser = duration, requires = "tls_managed_secret", hide_short_help = true)]
    pub(super) tls_ca_duration: SignedDuration,
    /// Time between writing a new CA to the webhook configurations and serving its first certificate
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration, requires = "tls_managed_secret", hide_short_help = true)]
    pub(super) tls_overlap: SignedDuration,
}

impl ManagedArgs {
    /// The name that API servers call: the first of `--tls-name`, or else that of a Service in a pod.
    pub(super) fn called(&self, is_in_pod: bool) -> Called {
        match self.tls_name.first() {
            Some(name) => Called::Name(name.clone()),
            None if is_in_pod => Called::Service,
            None => Called::Unknown,
        }
    }

    /// What to manage, with `--tls-managed-secret`.
    pub(super) fn options(&self, client_ca: Option<ClientCa>) -> Result<Option<ManagedOptions>> {
        let Some(secret) = self.tls_managed_secret.clone() else { return Ok(None) };
        let lifetimes = Lifetimes {
            serving: self.tls_duration,
            authority: self.tls_ca_duration,
            overlap: self.tls_overlap,
        };
        Ok(Some(ManagedOptions {
            secret,
            configuration: self
                .webhook_configuration
                .clone()
                .context("--webhook-configuration is required")?,
            names: self.tls_name.clone(),
            lifetimes: lifetimes.check()?,
            client_ca,
        }))
    }
}

/// A name that a client can connect to; a wildcard is not one.
fn server_name(text: &str) -> Result<String> {
    // Certificates have no absolute names.
    let is_name = ServerName::try_from(text).is_ok() && !text.ends_with('.');
    let expected = "expected a DNS name or an IP address, such as mirrorguard.mirrorguard.svc";
    if is_name { Ok(text.to_owned()) } else { Err(anyhow!(expected)) }
}

/// A duration such as `90d` or `1h30m`; a day has 24 hours.
pub(super) fn duration(text: &str) -> Result<SignedDuration> {
    let wrong = || anyhow!("expected a duration such as 90d, 12h, 5m or 10s");
    let span: Span = text.parse().map_err(|_| wrong())?;
    // Months and years have no fixed length.
    span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::certificates::{Change, Contents, Reading, Situation, plan};

    #[test]
    fn a_duration_has_units_of_a_fixed_length() {
        let table = [
            ("90d", Some(90 * 24), "days"),
            ("1d12h", Some(36), "two units"),
            ("1mo", None, "a month may have 28 days or 31"),
            ("1y", None, "a year may have 366 days"),
            ("soon", None, "no duration"),
        ];
        for (text, hours, reason) in table {
            let read = duration(text);
            assert_eq!(read.as_ref().ok().map(SignedDuration::as_hours), hours, "{reason}");
            assert!(read.err().is_none_or(|error| error.to_string().starts_with("expected ")), "{reason}");
        }
    }

    #[test]
    fn a_name_is_accepted_where_clients_accept_its_certificate() {
        let table = [
            ("mirrorguard.mirrorguard.svc", true, "a Service"),
            ("localhost", true, "one label"),
            ("under_score.lab.example", true, "not a host name, but accepted"),
            ("192.0.2.1", true, "an address"),
            ("2001:db8::1", true, "a longer one"),
            ("*.lab.example", false, "no client connects to a wildcard"),
            ("", false, "a variable that was empty"),
            (" mirrorguard", false, "a space"),
            ("mirrorguard.mirrorguard.svc.", false, "an absolute name is not in certificates"),
            ("https://mirrorguard.mirrorguard.svc", false, "a URL"),
            ("mirrorguard.mirrorguard.svc:443", false, "a port"),
            ("[2001:db8::1]", false, "the brackets of a URL"),
            ("192.0.2.1/24", false, "a network"),
        ];
        for (name, expected, reason) in table {
            let parsed = server_name(name);
            assert_eq!(parsed.is_ok(), expected, "{reason}: {parsed:?}");
            if expected {
                assert!(is_issued_once(name), "{reason}: {name} is issued again and again");
            }
        }
    }

    /// A Secret that was just read, without webhook configurations.
    fn situation<'a>(secret: &'a Reading, names: &'a [String]) -> Situation<'a> {
        let day = SignedDuration::from_hours(24);
        Situation {
            secret,
            configurations: &[],
            names,
            lifetimes: Lifetimes { serving: day * 90, authority: day * 1095, overlap: day / 288 },
            secret_unchanged: SignedDuration::ZERO,
            bundles_unchanged: SignedDuration::ZERO,
            now: Timestamp::UNIX_EPOCH + day * 20_000,
        }
    }

    /// Whether nothing is left to do after a certificate was issued for this name. If clients do not accept it for the
    /// name, the next round issues another one, and so on.
    fn is_issued_once(name: &str) -> bool {
        let names = [name.to_owned()];
        let empty = Reading::Ours(Contents::default());
        let authority = Reading::Ours(situation(&empty, &names).changed(Change::NewAuthority).unwrap());
        let issued = Reading::Ours(situation(&authority, &names).changed(Change::NewCertificate).unwrap());
        plan(&situation(&issued, &names)).is_empty()
    }
}
