use super::*;

#[test]
fn no_more_is_read_than_the_limits_allow() {
    let table = [
        (LARGEST, ALL, true, "the largest file"),
        (LARGEST + 1, ALL, false, "a larger one"),
        (10, 10, true, "the last bytes of all"),
        (11, 10, false, "more than is left"),
    ];
    for (length, left, is_read, reason) in table {
        let mut budget = Budget(left);
        let read = read_within(io::repeat(b' ').take(length), "x", &mut budget);
        assert_eq!(read.is_ok(), is_read, "{reason}");
        assert_eq!(budget.0, if is_read { left - length } else { left }, "{reason}");
    }
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nmetadata: {name: a}\n";
    fs::write(path("a.yaml"), set).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path("b.yaml")).unwrap();
    std::os::unix::fs::symlink("missing", path("c.yaml")).unwrap();
    fs::write(path("d.yaml"), set).unwrap();
    let all = read_all(&[folder.path().to_owned()]);
    assert_eq!((all.reading.objects.len(), all.unopened.len()), (2, 2));
}

fn read_all(paths: &[PathBuf]) -> Manifests {
    let (mut once, mut all) = (Once::new(paths), Manifests::default());
    for path in paths {
        let Manifests { reading, unopened } =
            read_path(path, &Exclude::default(), &mut once, &mut Budget::default());
        all.reading.extend(reading);
        all.unopened.extend(unopened);
    }
    all
}

#[test]
fn a_file_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let set = |name: &str| {
        format!("apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nmetadata: {{name: {name}}}\n")
    };
    fs::create_dir(folder.path().join("sub")).unwrap();
    fs::write(folder.path().join("a.yaml"), set("a")).unwrap();
    fs::write(folder.path().join("sub/b.yaml"), set("b")).unwrap();
    std::os::unix::fs::symlink("sub/b.yaml", folder.path().join("c.yaml")).unwrap();
    let table: [(&[&str], &[&str], &str); 7] = [
        (&["a.yaml"], &["a"], "once"),
        (&["a.yaml", "sub/../a.yaml"], &["a"], "by two names"),
        (&["a.yaml", "sub/b.yaml"], &["a", "b"], "two files"),
        (&["", "a.yaml"], &["b", "a"], "in a folder that is named, too: where it is named itself"),
        (&["sub", ""], &["b", "a"], "in two folders"),
        (&["c.yaml", "sub/b.yaml"], &["b"], "through a link"),
        (&[""], &["a", "b"], "through a link in a folder"),
    ];
    for (names, expected, reason) in table {
        let paths: Vec<_> = names.iter().map(|name| folder.path().join(name)).collect();
        let reading = read_all(&paths).reading;
        let found: Vec<_> = reading.objects.iter().map(|located| located.object.name()).collect();
        assert_eq!((&*found, reading.files), (expected, expected.len()), "{reason}");
    }
}

#[test]
fn a_patch_that_is_named_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let set = "apiVersion: config.openshift.io/v1\nkind: ImageTagMirrorSet\nmetadata: {name: a}\n";
    let file = folder.path().join("a.yaml");
    fs::write(&file, set).unwrap();
    fs::write(folder.path().join("kustomization.yaml"), "patches:\n- path: a.yaml\n").unwrap();
    let folder = folder.path().to_owned();
    for (paths, expected) in [(vec![folder.clone()], 0), (vec![folder, file], 1)] {
        assert_eq!(read_all(&paths).reading.objects.len(), expected, "{paths:?}");
    }
}

#[test]
fn a_device_is_not_read() {
    for (path, is_read) in [("/dev/zero", false), ("/dev/null", true), ("/", false)] {
        let bytes = read_bytes(Path::new(path), Pipes::Allowed, &mut Budget::default());
        assert_eq!(bytes.is_ok(), is_read, "{path}");
    }
}
