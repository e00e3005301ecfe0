//! The flags of `mirrorguard serve` for certificates that it manages itself.

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};
use rustls::pki_types::ServerName;

use crate::{
    certificates::Lifetimes,
    server::{
        managed::{ManagedOptions, SecretName},
        tls::ClientCa,
    },
};

#[derive(Debug, Args)]
pub(super) struct ManagedArgs {
    /// Keep a CA and a serving certificate in this Secret
    ///
    /// Both are renewed in time, and the CA is put into the webhook configurations. The Secret must exist and may be
    /// empty.
    #[arg(
        long,
        value_name = "NAMESPACE/NAME",
        requires_all = ["tls_name", "webhook_configuration"],
        conflicts_with_all = ["tls_cert", "tls_key", "tls_self_signed"]
    )]
    pub(super) tls_managed_secret: Option<SecretName>,
    /// Name or address that the managed certificate is for
    ///
    /// The first is the one that the apiserver calls.
    #[arg(long, value_name = "NAME", value_parser = server_name, requires = "tls_managed_secret")]
    pub(super) tls_name: Vec<String>,
    /// Name of the webhook configurations to put the CA into, of both kinds
    #[arg(long, value_name = "NAME", requires = "tls_managed_secret")]
    pub(super) webhook_configuration: Option<String>,
    /// How long a managed serving certificate is valid; it is renewed when a third is left
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = time, requires = "tls_managed_secret", hide_short_help = true)]
    pub(super) tls_duration: SignedDuration,
    /// How long a managed CA is valid; the next one follows when a third is left
    #[arg(long, value_name = "TIME", default_value = "1095d", value_parser = time, requires = "tls_managed_secret", hide_short_help = true)]
    pub(super) tls_ca_duration: SignedDuration,
    /// How long a managed CA is trusted before its first certificate is served
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time, requires = "tls_managed_secret", hide_short_help = true)]
    pub(super) tls_overlap: SignedDuration,
}

impl ManagedArgs {
    /// What to manage, where that is asked for.
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
                .context("--webhook-configuration is missing")?,
            names: self.tls_name.clone(),
            lifetimes: lifetimes.check()?,
            client_ca,
        }))
    }
}

/// A name that a client can ask for, so that a certificate for it can be accepted; a wildcard is none.
fn server_name(text: &str) -> Result<String> {
    // The dot of an absolute name is for the look-up alone: no certificate has it.
    let is_name = ServerName::try_from(text).is_ok() && !text.ends_with('.');
    let expected =
        "expected the DNS name or the IP address that is called, such as mirrorguard.mirrorguard.svc";
    if is_name { Ok(text.to_owned()) } else { Err(anyhow!("{text:?} is neither: {expected}")) }
}

/// A time such as `90d` or `1h30m`; a day has 24 hours.
pub(super) fn time(text: &str) -> Result<SignedDuration> {
    let span: Span = text.parse().map_err(|_| anyhow!("expected a time such as 90d, 12h, 5m or 10s"))?;
    Ok(span.to_duration(SpanRelativeTo::days_are_24_hours())?)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::certificates::{Change, Contents, Reading, Situation, plan};

    #[test]
    fn a_name_is_taken_where_a_certificate_for_it_is_accepted() {
        let table = [
            ("mirrorguard.mirrorguard.svc", true, "a Service"),
            ("localhost", true, "one label"),
            ("under_score.lab.example", true, "no host name, and yet accepted"),
            ("192.0.2.1", true, "an address"),
            ("2001:db8::1", true, "a longer one"),
            ("*.lab.example", false, "nobody calls a wildcard"),
            ("", false, "a variable that was empty"),
            (" mirrorguard", false, "a space too much"),
            ("mirrorguard.mirrorguard.svc.", false, "an absolute name is not in certificates"),
            ("https://mirrorguard.mirrorguard.svc", false, "a URL"),
            ("mirrorguard.mirrorguard.svc:443", false, "a port"),
            ("[2001:db8::1]", false, "the brackets of a URL"),
            ("192.0.2.1/24", false, "a network"),
        ];
        for (name, expected, reason) in table {
            let taken = server_name(name);
            assert_eq!(taken.is_ok(), expected, "{reason}: {taken:?}");
            if expected {
                assert!(settles(name), "{reason}: {name} is issued again and again");
            }
        }
    }

    /// Whether the certificate that is issued for a name is not issued anew.
    fn settles(name: &str) -> bool {
        let day = SignedDuration::from_hours(24);
        let lifetimes = Lifetimes { serving: day * 90, authority: day * 1095, overlap: day / 288 };
        let names = [name.to_owned()];
        let situation = |secret| Situation {
            secret,
            configurations: &[],
            names: &names,
            lifetimes,
            secret_unchanged: SignedDuration::ZERO,
            bundles_unchanged: SignedDuration::ZERO,
            now: Timestamp::UNIX_EPOCH + day * 20_000,
        };
        let empty = Reading::Ours(Contents::default());
        let authority = Reading::Ours(situation(&empty).changed(Change::NewAuthority).unwrap());
        let issued = Reading::Ours(situation(&authority).changed(Change::NewCertificate).unwrap());
        plan(&situation(&issued)).is_empty()
    }
}
