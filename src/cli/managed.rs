//! The flags of `mirrorguard serve` for certificates that it manages itself.

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use jiff::{SignedDuration, Span, SpanRelativeTo};

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
    #[arg(long, value_name = "NAME", requires = "tls_managed_secret")]
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

/// A time such as `90d` or `1h30m`; a day has 24 hours.
pub(super) fn time(text: &str) -> Result<SignedDuration> {
    let span: Span = text.parse().map_err(|_| anyhow!("expected a time such as 90d, 12h, 5m or 10s"))?;
    Ok(span.to_duration(SpanRelativeTo::days_are_24_hours())?)
}
