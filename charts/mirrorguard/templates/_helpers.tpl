{{/* Name of the chart, for labels. */}}
{{- define "mirrorguard.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Name of the namespaced objects. It is also the name of the Service and therefore a DNS label: it contains no dots and
starts with a letter, although Helm allows other release names.
*/}}
{{- define "mirrorguard.fullname" -}}
{{- $fullname := .Values.fullnameOverride }}
{{- if not $fullname }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- $fullname = contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) }}
{{- end }}
{{- if regexMatch "^[0-9]" $fullname }}
{{- $fullname = printf "%s-%s" .Chart.Name $fullname }}
{{- end }}
{{- $fullname | replace "." "-" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
Name of the cluster-scoped objects. Neither part contains a dot, so releases in different namespaces never share a name.
*/}}
{{- define "mirrorguard.clusterScopedName" -}}
{{- printf "%s.%s" (include "mirrorguard.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "mirrorguard.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Selector of the Service and the Deployment. It is immutable, so it includes the component from the start. */}}
{{- define "mirrorguard.selectorLabels" -}}
app.kubernetes.io/name: {{ include "mirrorguard.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end }}

{{- define "mirrorguard.labels" -}}
helm.sh/chart: {{ include "mirrorguard.chart" . }}
{{ include "mirrorguard.selectorLabels" . }}
app.kubernetes.io/part-of: mirrorguard
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "mirrorguard.serviceAccountName" -}}
{{- default (include "mirrorguard.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "mirrorguard.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/*
Name of the Secret with the serving certificate. selfManaged uses a name of its own, so that no issuer finds a Secret that
another issuer left.
*/}}
{{- define "mirrorguard.tlsSecretName" -}}
{{- $suffix := eq .Values.certificates.mode "selfManaged" | ternary "self-managed-tls" "tls" }}
{{- default (printf "%s-%s" (include "mirrorguard.fullname" .) $suffix) .Values.certificates.secretName }}
{{- end }}

{{/* DNS name under which the API server calls the webhook. */}}
{{- define "mirrorguard.serverName" -}}
{{- printf "%s.%s.svc" (include "mirrorguard.fullname" .) .Release.Namespace }}
{{- end }}

{{/*
The files that client libraries expect in a pod, in the layout of the automounted token, but with a token that is valid for
one hour. The kubelet renews the token, and the client reads it again.
*/}}
{{- define "mirrorguard.apiAccessVolume" -}}
- name: api-access
  projected:
    sources:
      - serviceAccountToken:
          path: token
          # Not 3607: API servers recognize the automounted token by that number, and extend it to a year.
          expirationSeconds: 3600
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- end }}

{{- define "mirrorguard.apiAccessMount" -}}
- name: api-access
  mountPath: /var/run/secrets/kubernetes.io/serviceaccount
  readOnly: true
{{- end }}

{{/*
Whether this is a hosted cluster: "true" or empty. Helm can determine this only with a cluster.
*/}}
{{- define "mirrorguard.isHostedControlPlane" -}}
{{- if .Capabilities.APIVersions.Has "config.openshift.io/v1/Infrastructure" }}
{{- $infrastructure := lookup "config.openshift.io/v1" "Infrastructure" "" "cluster" | default dict }}
{{- if eq (dig "status" "controlPlaneTopology" "" $infrastructure) "External" }}true{{ end }}
{{- end }}
{{- end }}

{{/* Name of the pod and ServiceAccount of `helm test`. The Service does not select the pod, whose component differs. */}}
{{- define "mirrorguard.checkName" -}}
{{- printf "%s-check" (include "mirrorguard.fullname" . | trunc 57 | trimSuffix "-") }}
{{- end }}

{{/* Name of the cluster-scoped objects of `helm test`. No object of a release itself has two dots in its name. */}}
{{- define "mirrorguard.checkClusterScopedName" -}}
{{- printf "check.%s" (include "mirrorguard.clusterScopedName" .) }}
{{- end }}

{{- define "mirrorguard.checkLabels" -}}
{{- include "mirrorguard.labels" . | replace "app.kubernetes.io/component: webhook" "app.kubernetes.io/component: check" }}
{{- end }}

{{/* Annotations of all objects of `helm test`: Helm deletes them whatever the result is. Takes the hook weight. */}}
{{- define "mirrorguard.checkAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end }}

{{/*
certificates.caBundle as the API expects it, base64-encoded PEM. Empty if only certificates.secretName is set, and in all
modes in which something else writes the field.
*/}}
{{- define "mirrorguard.caBundle" -}}
{{- $certificates := .Values.certificates }}
{{- $given := $certificates.caBundle | default "" | trim }}
{{- if ne $certificates.mode "existingSecret" }}
{{- if $given }}
{{- fail (printf "certificates.caBundle must be empty if certificates.mode is %s, because something else writes the CA: remove it, or set certificates.mode=existingSecret" $certificates.mode) }}
{{- end }}
{{- else if not (or $given $certificates.secretName) }}
{{- fail "certificates.mode=existingSecret requires certificates.secretName or certificates.caBundle: set certificates.caBundle (--set-file certificates.caBundle=ca.crt) to the CA that issued the serving certificate in Secret certificates.secretName. certs/README.md in the source tree shows how to issue both" }}
{{- end }}
{{- if $given }}
{{- $pem := contains "-----BEGIN " $given | ternary $given (regexReplaceAll "\\s" $given "" | b64dec) }}
{{- if contains "PRIVATE KEY-----" $pem }}
{{- fail "certificates.caBundle contains a private key: set it to the CA certificate (ca.crt) only" }}
{{- end }}
{{- if not (contains "-----BEGIN CERTIFICATE-----" $pem) }}
{{- fail "certificates.caBundle is neither a PEM certificate nor a base64-encoded one: use --set-file certificates.caBundle=ca.crt" }}
{{- end }}
{{- printf "%s\n" (trim $pem) | b64enc }}
{{- end }}
{{- end }}

{{/* Annotations of both webhook configurations: those of the values, and those that request injection of the CA. */}}
{{- define "mirrorguard.webhookAnnotations" -}}
{{- $injected := dict }}
{{- if eq .Values.certificates.mode "serviceCA" }}
{{- $injected = dict "service.beta.openshift.io/inject-cabundle" "true" }}
{{- else if eq .Values.certificates.mode "certManager" }}
{{- $injected = dict "cert-manager.io/inject-ca-from" (printf "%s/%s" .Release.Namespace (include "mirrorguard.fullname" .)) }}
{{- end }}
{{- with merge $injected .Values.webhooks.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
The fields that all webhooks share. Takes a dict with root (the context of the chart), path (the endpoint) and
failurePolicy.
*/}}
{{- define "mirrorguard.webhook" -}}
admissionReviewVersions: [v1]
clientConfig:
  service:
    name: {{ include "mirrorguard.fullname" .root }}
    namespace: {{ .root.Release.Namespace }}
    path: {{ .path }}
    port: 443
  {{- with include "mirrorguard.caBundle" .root }}
  caBundle: {{ . }}
  {{- end }}
failurePolicy: {{ .failurePolicy }}
matchPolicy: Equivalent
{{- /* No request causes a write, dry run or not. */}}
sideEffects: None
timeoutSeconds: {{ .root.Values.webhooks.timeoutSeconds }}
{{- end }}

{{/* Rules that match the three kinds of mirror sets. Takes the list of operations. */}}
{{- define "mirrorguard.mirrorSetRules" -}}
- apiGroups: [operator.openshift.io]
  apiVersions: [v1alpha1]
  operations: [{{ join ", " . }}]
  resources: [imagecontentsourcepolicies]
  scope: Cluster
- apiGroups: [config.openshift.io]
  apiVersions: [v1]
  operations: [{{ join ", " . }}]
  resources: [imagedigestmirrorsets, imagetagmirrorsets]
  scope: Cluster
{{- end }}

{{/* Rules that match HostedClusters. */}}
{{- define "mirrorguard.hostedClusterRules" -}}
- apiGroups: [hypershift.openshift.io]
  apiVersions: [v1beta1]
  operations: [CREATE, UPDATE]
  resources: [hostedclusters]
  scope: Namespaced
{{- end }}

{{/* Match conditions for writes of mirror sets. */}}
{{- define "mirrorguard.mirrorSetConditions" -}}
- name: spec-changes
  expression: >-
    request.operation != 'UPDATE'
    || !has(object.spec) || !has(oldObject.spec)
    || object.spec != oldObject.spec
{{- end }}

{{/*
Match conditions for writes of HostedClusters. Of the metadata, only annotations affect catalogs and images: updates of
labels, finalizers and owner references do not call the webhook. The webhook itself ignores the same updates, so
Kubernetes 1.27, which drops these conditions, gives the same answers. Only the accounts are excluded here alone.
Neither condition can fail to evaluate.
*/}}
{{- define "mirrorguard.hostedClusterConditions" -}}
{{- with .Values.webhooks.hyperShiftAccounts }}
- name: not-by-hypershift
  expression: {{ printf "!(request.userInfo.username in %s)" (toJson .) | quote }}
{{- end }}
- name: spec-or-annotations-change
  expression: >-
    request.operation != 'UPDATE'
    || !has(object.spec) || !has(oldObject.spec)
    || object.spec != oldObject.spec
    || has(object.metadata.annotations) != has(oldObject.metadata.annotations)
    || has(object.metadata.annotations) && object.metadata.annotations != oldObject.metadata.annotations
{{- end }}

{{/*
Match conditions of a webhook: those of the chart, then those of the values. Takes a dict with root, own (YAML) and
further. Kubernetes 1.27 drops the field, which is behind a feature gate there.
*/}}
{{- define "mirrorguard.matchConditions" -}}
{{- $conditions := concat (fromYamlArray .own) .further }}
{{- if and $conditions (semverCompare ">=1.28-0" .root.Capabilities.KubeVersion.Version) }}
matchConditions:
  {{- toYaml $conditions | nindent 2 }}
{{- end }}
{{- end }}
