//! What a node tries when it pulls an image.

use super::{PullFromMirror, RegistriesConf, Registry};
use crate::objects::{
    reference::{Image, ReferenceError},
    scope::matching_prefix,
};

/// Where a pull goes.
#[derive(Debug)]
pub struct Pull<'c, 'a> {
    /// The registry of the file that decides; `None`: nothing matches, the image is pulled as it is.
    pub registry: Option<&'c Registry<'a>>,
    /// Each reference that is tried, in order. An error means that nothing at all is tried: one mirror
    /// makes a reference that cannot be read.
    pub tries: Result<Vec<String>, ReferenceError>,
    /// The chain ends before the source itself.
    pub blocked: bool,
}

/// The registry whose scope is the longest prefix of the image decides; its mirrors that serve this kind
/// of pull are tried in order, then the source unless it is blocked.
///
/// Follows `containers/image pkg/sysregistriesv2` `FindRegistry` and `PullSourcesFromReference`.
pub fn pull<'c, 'a>(conf: &'c RegistriesConf<'a>, image: &Image) -> Pull<'c, 'a> {
    let matching =
        conf.registries.iter().filter_map(|r| Some((r, matching_prefix(image.as_str(), r.scope)?)));
    // The first of equally long prefixes in sorted order wins.
    let best = matching.min_by_key(|(r, _)| (std::cmp::Reverse(r.scope.len()), r.scope));
    let Some((registry, prefix)) = best else {
        return Pull { registry: None, tries: Ok(vec![image.as_str().to_owned()]), blocked: false };
    };
    let wanted = if image.is_digested() { PullFromMirror::DigestOnly } else { PullFromMirror::TagOnly };
    let mirrors = registry.mirrors.iter().filter(|mirror| mirror.pull == wanted);
    let rewritten: Result<Vec<_>, _> = mirrors
        .map(|mirror| {
            let text = format!("{}{}", mirror.location, &image.as_str()[prefix..]);
            Image::parse_canonical(&text).map(|_| text)
        })
        .collect();
    let source = (!registry.blocked).then(|| image.as_str().to_owned());
    let tries = rewritten.map(|mirrors| mirrors.into_iter().chain(source).collect());
    Pull { registry: Some(registry), tries, blocked: registry.blocked }
}
