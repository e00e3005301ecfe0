//! What a node tries when it pulls an image.

use super::{Mirror, PullFromMirror, RegistriesConf, Registry};
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
    /// The mirrors that serve this kind of pull; they are the first of [`Pull::tries`].
    pub mirrors: Vec<&'c Mirror<'a>>,
    /// The chain ends before the source itself.
    pub blocked: bool,
}

/// The registry of the file whose scope is the longest prefix of the image, and where that prefix ends.
///
/// Follows `containers/image pkg/sysregistriesv2` `FindRegistry`.
pub fn registry_of<'c, 'a>(conf: &'c RegistriesConf<'a>, image: &Image) -> Option<(&'c Registry<'a>, usize)> {
    let matching =
        conf.registries.iter().filter_map(|r| Some((r, matching_prefix(image.as_str(), r.scope)?)));
    // The first of equally long prefixes in sorted order wins.
    matching.min_by_key(|(r, _)| (std::cmp::Reverse(r.scope.len()), r.scope))
}

/// The registry whose scope is the longest prefix of the image decides; its mirrors that serve this kind
/// of pull are tried in order, then the source unless it is blocked.
///
/// Follows `containers/image pkg/sysregistriesv2` `PullSourcesFromReference`.
pub fn pull<'c, 'a>(conf: &'c RegistriesConf<'a>, image: &Image) -> Pull<'c, 'a> {
    let Some((registry, prefix)) = registry_of(conf, image) else {
        let tries = Ok(vec![image.as_str().to_owned()]);
        return Pull { registry: None, tries, mirrors: Vec::new(), blocked: false };
    };
    let wanted = PullFromMirror::of(image);
    let mirrors: Vec<_> = registry.mirrors.iter().filter(|mirror| mirror.pull == wanted).collect();
    let rewritten: Result<Vec<_>, _> = mirrors
        .iter()
        .map(|mirror| {
            let text = format!("{}{}", mirror.location, &image.as_str()[prefix..]);
            Image::parse_canonical(&text).map(|_| text)
        })
        .collect();
    let source = (!registry.blocked).then(|| image.as_str().to_owned());
    let tries = rewritten.map(|mirrors| mirrors.into_iter().chain(source).collect());
    Pull { registry: Some(registry), tries, mirrors, blocked: registry.blocked }
}
