//! What a node tries when it pulls an image.

use std::cmp::Reverse;

use super::{Mirror, RegistriesConf, Registry};
use crate::objects::{
    Pull,
    reference::{Image, ReferenceError},
    scope::matching_prefix,
};

/// Where a pull goes.
#[derive(Debug)]
pub struct PullRoute<'c, 'a> {
    /// The registry of the file that decides; `None`: nothing matches, the image is pulled as it is.
    pub registry: Option<&'c Registry<'a>>,
    /// Each reference that is tried, in order. An error means that nothing at all is tried: one mirror
    /// makes a reference that cannot be read.
    pub tries: Result<Vec<String>, ReferenceError>,
    /// The mirrors that serve this kind of pull; they are the first of [`PullRoute::tries`].
    pub mirrors: Vec<&'c Mirror<'a>>,
    /// The source itself is never tried.
    pub blocked: bool,
}

/// The registry of the file whose scope is the longest prefix of the image, and where that prefix ends.
///
/// Follows `containers/image pkg/sysregistriesv2` `FindRegistry`.
pub fn registry_of<'c, 'a>(conf: &'c RegistriesConf<'a>, image: &Image) -> Option<(&'c Registry<'a>, usize)> {
    // The name alone is compared: a scope with a tag or a digest matches nothing.
    let matching = conf.registries.iter().filter_map(|registry| {
        let scope = registry.scope.trim_end_matches('/');
        Some((registry, scope, matching_prefix(image.name(), scope)?))
    });
    // The first of equally long prefixes in sorted order wins, and of equal ones the first in the file.
    let decides = matching.min_by_key(|(_, scope, _)| (Reverse(scope.len()), *scope));
    decides.map(|(registry, _, end)| (registry, end))
}

/// The registry whose scope is the longest prefix of the image decides; its mirrors that serve this kind
/// of pull are tried in order, then the source unless it is blocked.
///
/// Follows `containers/image pkg/sysregistriesv2` `PullSourcesFromReference`.
pub fn route_pull<'c, 'a>(conf: &'c RegistriesConf<'a>, image: &Image) -> PullRoute<'c, 'a> {
    let Some((registry, prefix_end)) = registry_of(conf, image) else {
        let tries = Ok(vec![image.as_str().to_owned()]);
        return PullRoute { registry: None, tries, mirrors: Vec::new(), blocked: false };
    };
    let wanted = Pull::of(image);
    let mirrors: Vec<_> = registry.mirrors.iter().filter(|mirror| mirror.pull == wanted).collect();
    let tries = references(registry, &mirrors, image, prefix_end);
    PullRoute { registry: Some(registry), tries, mirrors, blocked: registry.blocked }
}

/// The image at each of the mirrors, then at the source unless it is blocked.
fn references(
    registry: &Registry<'_>,
    mirrors: &[&Mirror<'_>],
    image: &Image,
    prefix_end: usize,
) -> Result<Vec<String>, ReferenceError> {
    let mut references = Vec::new();
    for mirror in mirrors {
        let location = mirror.location.trim_end_matches('/');
        let reference = format!("{location}{}", &image.as_str()[prefix_end..]);
        // One mirror that makes no reference fails the whole pull, before anything is tried.
        Image::parse_canonical(&reference)?;
        references.push(reference);
    }
    if !registry.blocked {
        references.push(image.as_str().to_owned());
    }
    Ok(references)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        context::Context,
        node::render,
        objects::{ImageConfig, Object},
    };

    #[test]
    fn a_blocked_scope_is_compared_with_the_name_alone() {
        let table = [
            ("quay.io/a/b", true, "the repository"),
            ("quay.io/a/b:v1", false, "a scope with a tag matches no name"),
            ("quay.io/a/", true, "a slash at the end is cut"),
            ("quay.io/a/b/c", false, "a repository below"),
        ];
        let image = Image::parse("quay.io/a/b:v1").unwrap();
        for (scope, is_blocked, reason) in table {
            let config = ImageConfig { blocked_registries: vec![scope.to_owned()], ..ImageConfig::default() };
            let context = Context::from_iter([Object::from(config)]);
            let conf = render(context.view()).unwrap();
            let route = route_pull(&conf, &image);
            let tries = if is_blocked { Vec::new() } else { vec![image.as_str().to_owned()] };
            assert_eq!((route.blocked, route.tries), (is_blocked, Ok(tries)), "{scope}: {reason}");
        }
    }
}
