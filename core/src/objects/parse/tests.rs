//! What is read of objects, and where errors are.

use super::*;

#[test]
fn an_error_has_the_path_of_the_field() {
    let json = r#"{"metadata":{"name":"a"},"spec":{"imageDigestMirrors":[{"source":7}]}}"#;
    let error = Object::from_json(Kind::Set(SetKind::Idms), json).unwrap_err();
    assert_eq!(error.path, "spec.imageDigestMirrors[0].source");
    assert_eq!(error.message, "invalid type: integer `7`, expected a string");
}

#[test]
fn the_policy_of_an_icsp_is_ignored() {
    let json = r#"{"metadata":{"name":"a"},"spec":{"repositoryDigestMirrors":
        [{"source":"q","mirrors":["m"],"mirrorSourcePolicy":"NeverContactSource"}]}}"#;
    let Object::MirrorSet(set) = Object::from_json(Kind::Set(SetKind::Icsp), json).unwrap() else {
        panic!("a mirror set")
    };
    assert_eq!(set.entries[0].mirror_source_policy, None);
}

#[test]
fn fields_of_unexpected_types_in_a_hosted_cluster_are_ignored() {
    let json = r#"{"metadata":{"name":"h","annotations":null},"spec":{"release":"x","new":{},"olmCatalogPlacement":"guest"}}"#;
    let Object::HostedCluster(hosted) = Object::from_json(Kind::HostedCluster, json).unwrap() else {
        panic!("a hosted cluster")
    };
    assert!(hosted.catalogs_run_in_guest());
    assert_eq!(hosted.spec.release.image, "");
}
