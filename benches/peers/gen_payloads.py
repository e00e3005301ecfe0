#!/usr/bin/env python3
"""Generates the AdmissionReviews and cluster states of the benchmark. The output is always the same.

Writes to the folder argv[1] (default: payloads, next to this script):
  state-<N>.json             a v1 List of N mirror sets (even index: IDMS, odd index: ITMS) with 20 entries each
  review-idms-20.json        creation of an IDMS with 20 entries (allowed with both states)
  review-idms-2000.json      creation of an IDMS with 2000 entries (allowed)
  review-idms-conflict.json  creation of an IDMS with 20 entries, one of which conflicts with the
                             mirrorSourcePolicy of an existing mirror set (denied)
  review-hc.json             creation of a typical HostedCluster (allowed, with a patch)
"""
import json
import os
import sys

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "payloads")
ENTRIES = 20
CATALOGS = ["redhat-operator-index", "certified-operator-index", "community-operator-index", "redhat-marketplace-index"]


def entry(setno, j):
    """Entry j of the existing mirror set number setno."""
    if setno < 10 and j < 2:
        # The annotation is derived from the sources under registry.redhat.io/redhat. There are 20 of them for every
        # N, and the first four are the default catalogs.
        number = setno * 2 + j
        src = "registry.redhat.io/redhat/%s" % CATALOGS[number % 4] + ("" if number < 4 else "-v4-%d" % number)
    else:
        src = "registry-%02d.upstream.example.com/team-%04d/service-%03d" % (setno % 50, setno, j)
    e = {
        "source": src,
        "mirrors": [
            "mirror-a.corp.example.com:5000/%s" % src.split("/", 1)[1],
            "mirror-b.corp.example.com:5000/%s" % src.split("/", 1)[1],
        ],
    }
    if j % 4 == 3:
        e["mirrorSourcePolicy"] = "NeverContactSource"
    return e


def meta(name, n):
    return {
        "name": name,
        "uid": "00000000-0000-4000-8000-%012d" % n,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "generation": 1,
        "resourceVersion": str(1000 + n),
    }


def mirrorset(n):
    digest = n % 2 == 0
    kind = "ImageDigestMirrorSet" if digest else "ImageTagMirrorSet"
    field = "imageDigestMirrors" if digest else "imageTagMirrors"
    return {
        "apiVersion": "config.openshift.io/v1",
        "kind": kind,
        "metadata": meta("%s-%04d" % ("idms" if digest else "itms", n), n),
        "spec": {field: [entry(n, j) for j in range(ENTRIES)]},
    }


def review(group, version, kind, resource, obj, name, namespace=""):
    req = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": resource},
        "requestKind": {"group": group, "version": version, "kind": kind},
        "requestResource": {"group": group, "version": version, "resource": resource},
        "name": name,
        "operation": "CREATE",
        "userInfo": {
            "username": "system:admin",
            "groups": ["system:masters", "system:authenticated"],
        },
        "object": obj,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1", "fieldManager": "kubectl-create"},
    }
    if namespace:
        req["namespace"] = namespace
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": req}


def new_idms(count, conflict=False):
    entries = []
    for j in range(count):
        if j < 2:
            # A source of an existing mirror set, with the same policy.
            e = entry(2 * j + 2, 5)
        else:
            src = "quay.io/new-project-%02d/component-%04d" % (j % 20, j)
            e = {
                "source": src,
                "mirrors": [
                    "mirror-a.corp.example.com:5000/%s" % src.split("/", 1)[1],
                    "mirror-b.corp.example.com:5000/%s" % src.split("/", 1)[1],
                ],
            }
            if j % 4 == 3:
                e["mirrorSourcePolicy"] = "NeverContactSource"
        entries.append(e)
    if conflict:
        e = entry(9, 5)
        e["mirrorSourcePolicy"] = "NeverContactSource"  # unset in the existing mirror set, so AllowContactingSource
        entries[-1] = e
    m = meta("new-mirrors", 999999)
    del m["resourceVersion"]
    m["managedFields"] = [{
        "manager": "kubectl-create", "operation": "Update", "apiVersion": "config.openshift.io/v1",
        "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {".": {}, "f:imageDigestMirrors": {}}},
    }]
    return {"apiVersion": "config.openshift.io/v1", "kind": "ImageDigestMirrorSet", "metadata": m,
            "spec": {"imageDigestMirrors": entries}}


def hosted_cluster():
    arn = "arn:aws:iam::123456789012:role/hc-prod-eu-1-%s"
    spec = {
        "release": {"image": "quay.io/openshift-release-dev/ocp-release@sha256:" + "a1" * 32},
        "controlPlaneRelease": {"image": "quay.io/openshift-release-dev/ocp-release@sha256:" + "b2" * 32},
        "clusterID": "5c1d3c0e-8d3a-4f6e-9a57-0d5b8b1c9f11",
        "infraID": "hc-prod-eu-1-x7k2p",
        "channel": "stable-4.19",
        "platform": {"type": "AWS", "aws": {
            "region": "eu-central-1",
            "cloudProviderConfig": {"subnet": {"id": "subnet-0f1e2d3c4b5a69788"}, "vpc": "vpc-0a1b2c3d4e5f60718", "zone": "eu-central-1a"},
            "endpointAccess": "PublicAndPrivate", "multiArch": False,
            "resourceTags": [{"key": "tag-%02d" % i, "value": "value-of-the-tag-number-%02d" % i} for i in range(20)],
            "rolesRef": {k + "ARN": arn % k for k in (
                "controlPlaneOperator", "imageRegistry", "ingress", "kubeCloudController", "network", "nodePoolManagement", "storage")},
            "additionalAllowedPrincipals": ["arn:aws:iam::123456789012:role/principal-%d" % i for i in range(3)],
        }},
        "controllerAvailabilityPolicy": "HighlyAvailable",
        "infrastructureAvailabilityPolicy": "HighlyAvailable",
        "dns": {"baseDomain": "clusters.example.com", "privateZoneID": "Z0123456789ABCDEFGHIJ", "publicZoneID": "Z9876543210ABCDEFGHIJ"},
        "networking": {"clusterNetwork": [{"cidr": "10.132.0.0/14", "hostPrefix": 23}], "machineNetwork": [{"cidr": "10.0.0.0/16"}],
                       "serviceNetwork": [{"cidr": "172.31.0.0/16"}], "networkType": "OVNKubernetes"},
        "autoscaling": {"maxNodesTotal": 120, "maxPodGracePeriod": 600, "maxNodeProvisionTime": "15m"},
        "etcd": {"managementType": "Managed", "managed": {"storage": {"type": "PersistentVolume", "persistentVolume": {"size": "8Gi", "storageClassName": "gp3-csi"}}}},
        "services": [{"service": s, "servicePublishingStrategy": {"type": "Route", "route": {"hostname": "%s-hc-prod-eu-1.clusters.example.com" % s.lower()}}}
                     for s in ("APIServer", "OAuthServer", "Konnectivity", "Ignition", "OVNSbDb")],
        "pullSecret": {"name": "hc-prod-eu-1-pull-secret"}, "sshKey": {"name": "hc-prod-eu-1-ssh-key"},
        "issuerURL": "https://hc-oidc.s3.eu-central-1.amazonaws.com/hc-prod-eu-1-x7k2p",
        "configuration": {"oauth": {"identityProviders": [
            {"name": "corp-%d" % i, "mappingMethod": "claim", "type": "OpenID",
             "openID": {"clientID": "openshift-%d" % i, "clientSecret": {"name": "openid-secret-%d" % i},
                        "issuer": "https://sso-%d.corp.example.com/realms/openshift" % i,
                        "claims": {"email": ["email"], "name": ["name"], "preferredUsername": ["preferred_username"], "groups": ["groups"]}}}
            for i in range(3)]},
            "proxy": {"httpProxy": "http://proxy.corp.example.com:3128", "httpsProxy": "http://proxy.corp.example.com:3128",
                      "noProxy": ".cluster.local,.svc,10.0.0.0/16,10.132.0.0/14,172.31.0.0/16,.corp.example.com"}},
        "secretEncryption": {"type": "aescbc", "aescbc": {"activeKey": {"name": "hc-prod-eu-1-etcd-encryption-key"}}},
        "additionalTrustBundle": {"name": "user-ca-bundle"},
        "fips": False, "olmCatalogPlacement": "management",
        "nodeSelector": {"node-role.kubernetes.io/hosted-control-plane": ""},
        "tolerations": [{"key": "hypershift.openshift.io/control-plane", "operator": "Equal", "value": "true", "effect": "NoSchedule"}],
        "imageContentSources": [{"source": "quay.io/prod-%d" % i, "mirrors": ["mirror-a.corp.example.com:5000/prod-%d" % i]} for i in range(6)],
    }
    m = {"name": "hc-prod-eu-1", "namespace": "clusters", "uid": "7b2f7c1c-5c0e-4c62-8a54-1f8a0f6f2a10",
         "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1,
         "labels": {"hypershift.openshift.io/auto-created-for-infra": "hc-prod-eu-1-x7k2p", "env": "prod", "region": "eu-central-1"},
         "annotations": {"cluster.open-cluster-management.io/managedcluster-name": "hc-prod-eu-1",
                         "hypershift.openshift.io/topology": "dedicated-request-serving-components",
                         "resource-request-override.hypershift.openshift.io/kube-apiserver.kube-apiserver": "memory=3Gi,cpu=2000m"},
         "managedFields": [{"manager": "hypershift-cli", "operation": "Update", "apiVersion": "hypershift.openshift.io/v1beta1",
                            "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                            "fieldsV1": {"f:metadata": {"f:annotations": {".": {}, "f:hypershift.openshift.io/topology": {}}, "f:labels": {".": {}, "f:env": {}, "f:region": {}}},
                                         "f:spec": {".": {}, **{"f:" + k: {".": {}} for k in spec}}}}]}
    return {"apiVersion": "hypershift.openshift.io/v1beta1", "kind": "HostedCluster", "metadata": m, "spec": spec}


def write(name, obj):
    data = json.dumps(obj, separators=(",", ":"))
    with open(os.path.join(OUT, name), "w") as f:
        f.write(data)
    print("%-28s %8d bytes" % (name, len(data)))


def main():
    os.makedirs(OUT, exist_ok=True)
    for n in (10, 1000):
        items = [mirrorset(i) for i in range(n)]
        write("state-%d.json" % n, {"apiVersion": "v1", "kind": "List", "items": items})
    c = ("config.openshift.io", "v1", "ImageDigestMirrorSet", "imagedigestmirrorsets")
    write("review-idms-20.json", review(*c, new_idms(20), "new-mirrors"))
    write("review-idms-2000.json", review(*c, new_idms(2000), "new-mirrors"))
    write("review-idms-conflict.json", review(*c, new_idms(20, True), "new-mirrors"))
    write("review-hc.json", review("hypershift.openshift.io", "v1beta1", "HostedCluster", "hostedclusters", hosted_cluster(), "hc-prod-eu-1", "clusters"))


if __name__ == "__main__":
    main()
