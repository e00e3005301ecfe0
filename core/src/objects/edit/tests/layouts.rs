//! One object, written in many ways.

pub(super) const LAYOUTS: [(&str, &str); 14] = [
    (
        "block",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet # ours
metadata:
  name: a
spec:
  imageDigestMirrors:
  # the first
  - source: quay.io/a
    mirrors:
    - m.lab/a
    - n.lab/a # second
  - source: quay.io/b
    mirrors: [m.lab/b]
    mirrorSourcePolicy: NeverContactSource

# the end
",
    ),
    (
        "indented lists",
        "kind: ImageDigestMirrorSet
apiVersion: config.openshift.io/v1
spec:
    imageDigestMirrors:
        - mirrors:
            - m.lab/a
            - n.lab/a
          source: quay.io/a
        - mirrors:
            - m.lab/b
          source: quay.io/b
          mirrorSourcePolicy: NeverContactSource
metadata:
    name: a
",
    ),
    (
        "flow items",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata: {name: a}
spec:
  imageDigestMirrors:
  - {source: quay.io/a, mirrors: [m.lab/a, n.lab/a]}
  - {source: quay.io/b, mirrors: [m.lab/b], mirrorSourcePolicy: NeverContactSource}
",
    ),
    (
        "one line",
        "{apiVersion: config.openshift.io/v1, kind: ImageDigestMirrorSet, metadata: {name: a}, spec: {imageDigestMirrors: [{source: quay.io/a, mirrors: [m.lab/a, n.lab/a]}, {source: quay.io/b, mirrors: [m.lab/b], mirrorSourcePolicy: NeverContactSource}]}}",
    ),
    (
        "JSON",
        "{
  \"apiVersion\": \"config.openshift.io/v1\",
  \"kind\": \"ImageDigestMirrorSet\",
  \"metadata\": {\"name\": \"a\"},
  \"spec\": {
    \"imageDigestMirrors\": [
      {\"source\": \"quay.io/a\", \"mirrors\": [\"m.lab/a\", \"n.lab/a\"]},
      {
        \"source\": \"quay.io/b\",
        \"mirrors\": [
          \"m.lab/b\"
        ],
        \"mirrorSourcePolicy\": \"NeverContactSource\"
      }
    ]
  }
}
",
    ),
    (
        "compact JSON",
        r#"{"apiVersion":"config.openshift.io/v1","kind":"ImageDigestMirrorSet","metadata":{"name":"a"},"spec":{"imageDigestMirrors":[{"source":"quay.io/a","mirrors":["m.lab/a","n.lab/a"]},{"source":"quay.io/b","mirrors":["m.lab/b"],"mirrorSourcePolicy":"NeverContactSource"}]}}"#,
    ),
    (
        "quotes and other scripts",
        "# ü日𝄞
apiVersion: 'config.openshift.io/v1'
kind: \"ImageDigestMirrorSet\"
metadata: {name: 'a'}
spec:
  imageDigestMirrors:
  - source: \"quay.io/a\" # ü
    mirrors: ['m.lab/a', \"n.lab/a\"]
  - \"source\": 'quay.io/b'
    mirrors:
      - 'm.lab/b'
    mirrorSourcePolicy: NeverContactSource",
    ),
    (
        "dashes alone",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
spec:
  imageDigestMirrors:
  -
    source: quay.io/a
    mirrors:
    -
      m.lab/a
    -   n.lab/a
  -   source: quay.io/b
      mirrors:
      - m.lab/b
      mirrorSourcePolicy: NeverContactSource
",
    ),
    (
        "anchors",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
spec:
  imageDigestMirrors:
  - &first
    source: quay.io/a
    mirrors: &two
    - m.lab/a
    - n.lab/a
  - &second
    source: !!str quay.io/b
    mirrors: [m.lab/b]
    mirrorSourcePolicy: NeverContactSource
",
    ),
    (
        "long texts",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
  annotations:
    why: |
      one

      two
spec:
  imageDigestMirrors:
  - mirrors: [m.lab/a, n.lab/a]
    source: >-
      quay.io/a

  - source: quay.io/b
    mirrorSourcePolicy: NeverContactSource
    mirrors:
    - |-
      m.lab/b
",
    ),
    (
        "texts like aliases",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
spec:
  imageDigestMirrors:
  - mirrors: [m.lab/a, n.lab/a]
    source: >-
      *.quay.io
  - mirrorSourcePolicy: NeverContactSource
    mirrors:
    - >- # why
      *m.lab/b
    source: | # why
      *.quay.io
    # after it
",
    ),
    (
        "marks and tabs",
        "--- # a document
apiVersion: config.openshift.io/v1
kind: 'ImageDigestMirrorSet'\t# ours
metadata: !!map {name: a}
spec:
  imageDigestMirrors: !!seq
  - {source: &a quay.io/a, mirrors: !!seq [m.lab/a, &b n.lab/a], }
  - source: quay.io/b
    mirrors: &c # why
    - !!str m.lab/b
    mirrorSourcePolicy: &d
      NeverContactSource
...
",
    ),
    (
        "nulls",
        "apiVersion: config.openshift.io/v1
kind: ImageDigestMirrorSet
metadata:
  name: a
  annotations:
  labels: null
spec:
  imageDigestMirrors:
  - source: quay.io/a
    mirrors: [m.lab/a, n.lab/a]
  - source: quay.io/b
    mirrors: [m.lab/b]
    mirrorSourcePolicy: NeverContactSource
  imageTagMirrors: ~
status:
",
    ),
    (
        "a second document and a list",
        "---
a: 1
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
- apiVersion: config.openshift.io/v1
  kind: ImageDigestMirrorSet
  metadata: {name: a}
  spec:
    imageDigestMirrors:
    - source: quay.io/a
      mirrors: [m.lab/a, n.lab/a]
    - source: quay.io/b
      mirrors:
      - m.lab/b
      mirrorSourcePolicy: NeverContactSource
---
b: 2
",
    ),
];
