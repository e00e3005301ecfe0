//! What the lists of the image configuration become: which registries are blocked, rejected and allowed on nodes.

use std::fmt;

use thiserror::Error;

use super::{FileRefusal, Refusal, RenderError, Rendering, check_file, deciding::deciding_scope};
use crate::{
    context::View,
    objects::{
        reference::{Image, ReferenceError},
        scope::is_nested,
    },
};

/// The lists as they reach the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lists<'a> {
    /// Blocked in registries.conf.
    pub blocked: Vec<&'a str>,
    /// Rejected by policy.json.
    pub rejected: Vec<&'a str>,
    /// Accepted by policy.json. The repository of the payload is here once for each blocked registry that covers it.
    pub allowed: Vec<&'a str>,
    /// What the machine-config operator dropped.
    pub loss: Option<Loss<'a>>,
}

/// Registries of the image configuration that do not reach the nodes. The texts are those in the operator's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss<'a> {
    /// These blocked registries cover the payload, which no usable mirror has.
    Covering(Vec<&'a str>),
    /// All of them, blocked and allowed: whether a mirror has the payload could not be found out.
    Everything(LookupError),
}

impl fmt::Display for Loss<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Covering(scopes) => {
                let scopes: Vec<_> = scopes.iter().map(|scope| format!("{scope:?}")).collect();
                let scopes = scopes.join(" ");
                write!(
                    f,
                    "error adding [{scopes}] to blocked registries, cannot block the repository being used by the payload"
                )
            }
            Self::Everything(error) => error.fmt(f),
        }
    }
}

/// Why the mirrors of the payload cannot be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LookupError {
    /// The temporary file cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// containers/image rejects the temporary file.
    #[error(transparent)]
    File(#[from] FileRefusal),
    /// The payload at this mirror is no reference.
    #[error("rewriting reference: {error}")]
    Reference {
        /// The mirror.
        mirror: String,
        /// What is wrong.
        error: ReferenceError,
    },
}

impl<'a> Lists<'a> {
    /// The lists as the image configuration has them, before the payload is looked at.
    fn as_written(view: View<'a>) -> Self {
        let config = view.image_config();
        let blocked: Vec<_> = config.blocked_registries.iter().map(String::as_str).collect();
        let allowed = config.allowed_registries.iter().map(String::as_str).collect();
        Self { rejected: blocked.clone(), blocked, allowed, loss: None }
    }

    /// The lists that reach the nodes. A payload that is not known changes nothing.
    ///
    /// Follows `machine-config-operator pkg/controller/container-runtime-config/helpers.go`
    /// `getValidBlockedAndAllowedRegistries`: a blocked registry that covers the payload is kept where the digest sets
    /// give the payload a mirror that is not blocked itself, and dropped otherwise. If that cannot be found out, the
    /// operator goes on without any list.
    pub fn of(view: View<'a>) -> Result<Self, Refusal> {
        let written = Self::as_written(view);
        let Some(reference) = view.payload() else { return Ok(written) };
        let payload =
            Image::parse_canonical(reference).map_err(|_| Refusal::Payload(reference.to_owned()))?;
        // A canonical reference begins with its name. It is cut from the view's own text, to live as long.
        let repository = &reference[..payload.name().len()];
        let (covering, others): (Vec<_>, Vec<_>) =
            written.blocked.iter().copied().partition(|scope| is_nested(repository, scope));
        if covering.is_empty() {
            return Ok(written);
        }
        match has_usable_mirror(view, &payload) {
            Ok(None) => Err(Refusal::Crash(reference.to_owned())),
            Ok(Some(false)) => {
                let loss = Some(Loss::Covering(covering));
                Ok(Self { blocked: others.clone(), rejected: others, loss, ..written })
            }
            Ok(Some(true)) => Ok(written.accepting(repository, covering.len())),
            Err(error) => Ok(Self { loss: Some(Loss::Everything(error)), ..Self::default() }),
        }
    }

    /// With the repository of the payload accepted by policy.json, once for each blocked registry that covers it. A
    /// wider one stays rejected: policy.json lets the most specific scope decide. In registries.conf the repository
    /// stays blocked, so that only its mirrors are tried.
    fn accepting(mut self, repository: &'a str, times: usize) -> Self {
        self.rejected.retain(|scope| *scope != repository);
        let accepted = std::iter::repeat_n(repository, times);
        self.allowed = accepted.chain(self.allowed).collect();
        self
    }

    /// The blocked registries of registries.conf. Where the payload keeps the operator from rendering, those of the
    /// image configuration.
    pub(super) fn blocked_of(view: View<'a>) -> Vec<&'a str> {
        Self::of(view).unwrap_or_else(|_| Self::as_written(view)).blocked
    }
}

/// Repository of the release payload; `None` where the payload is not known, or is no canonical reference.
pub fn payload_repository(view: View<'_>) -> Option<&str> {
    let reference = view.payload()?;
    let payload = Image::parse_canonical(reference).ok()?;
    Some(&reference[..payload.name().len()])
}

/// Whether the digest sets give the payload a mirror that is not blocked; `None` where no part of the temporary file
/// matches the payload, which the operator does not expect.
///
/// Follows `payloadRepoHasUnblockedMirror`. All mirrors of the temporary file are for digest pulls, so a payload by tag
/// has none.
fn has_usable_mirror(view: View<'_>, payload: &Image) -> Result<Option<bool>, LookupError> {
    let rendering = Rendering::of_digest_sets(view);
    rendering.check()?;
    check_file(&rendering)?;
    let Some((scope, end)) = deciding_scope(view, &rendering, payload.name()) else { return Ok(None) };
    let Some(placed) = rendering.registry_at(scope)? else { return Ok(None) };
    if !payload.is_digested() {
        return Ok(Some(false));
    }
    let blocked = rendering.blocked();
    let mut is_usable = false;
    // To the last mirror: one that makes no reference is an error even after a usable one.
    for mirror in &placed.registry.mirrors {
        let location = &*mirror.location;
        let moved = Image::parse_canonical(&format!("{location}{}", &payload.as_str()[end..]))
            .map_err(|error| LookupError::Reference { mirror: mirror.location.to_string(), error })?;
        is_usable |= !blocked.iter().any(|scope| is_nested(moved.name(), scope));
    }
    Ok(Some(is_usable))
}
