//! The files of a folder that Kustomize takes for patches.

use std::{
    collections::HashSet,
    path::{Component, Path, PathBuf},
};

use mirrorguard_core::objects::manifest;

/// The files that a `kustomization.yaml` among these lists as patches: they hold only parts of objects. The paths are
/// [`normal`].
pub(super) fn patches_in<'a>(files: impl Iterator<Item = (&'a Path, &'a [u8])>) -> HashSet<PathBuf> {
    let mut patches = HashSet::new();
    for (file, content) in files {
        let is_kustomization = file.file_stem().is_some_and(|name| name == "kustomization");
        if let Some(folder) = file.parent().filter(|_| is_kustomization) {
            let listed = manifest::patches_of(&String::from_utf8_lossy(content));
            patches.extend(listed.iter().map(|path| normal(&folder.join(path))));
        }
    }
    patches
}

/// A path without `.`, and without `..` where something is before it, so that two spellings of one path are equal.
/// Links are not resolved.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            part => normal.push(part),
        }
    }
    normal
}
