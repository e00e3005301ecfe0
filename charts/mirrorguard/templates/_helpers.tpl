{{/* The chart's name, for labels. */}}
{{- define "mirrorguard.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/*
The name of the namespaced objects. It is also the Service's name and so a DNS label:
no dots and a letter first, though Helm allows others in a release's name.
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
The name of the cluster-scoped objects. Neither part has a dot, so releases in two namespaces
never share one.
*/}}
{{- define "mirrorguard.clusterScopedName" -}}
{{- printf "%s.%s" (include "mirrorguard.fullname" .) .Release.Namespace }}
{{- end }}

{{- define "mirrorguard.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* What the Service and the Deployment select by: immutable, and so with the component named from the start. */}}
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

{{/* The Secret with the serving certificate. No two makers share a name: neither finds what the other has left. */}}
{{- define "mirrorguard.tlsSecretName" -}}
{{- $suffix := eq .Values.certificates.mode "selfManaged" | ternary "self-managed-tls" "tls" }}
{{- default (printf "%s-%s" (include "mirrorguard.fullname" .) $suffix) .Values.certificates.secretName }}
{{- end }}

{{/* The name by which the apiserver calls the webhook. */}}
{{- define "mirrorguard.serverName" -}}
{{- printf "%s.%s.svc" (include "mirrorguard.fullname" .) .Release.Namespace }}
{{- end }}

{{/*
What client libraries look for in a pod, as the kubelet would lay it out unasked, but with a token that is good for
an hour. The kubelet renews it, and the client reads it again.
*/}}
{{- define "mirrorguard.apiAccessVolume" -}}
- name: api-access
  projected:
    sources:
      - serviceAccountToken:
          path: token
          # Not 3607: by that number apiservers know the token that was mounted unasked, and extend it to a year.
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
Whether this is the cluster of a hosted control plane: "true" or nothing. Known only to Helm with a cluster before it.
*/}}
{{- define "mirrorguard.isHostedControlPlane" -}}
{{- if .Capabilities.APIVersions.Has "config.openshift.io/v1/Infrastructure" }}
{{- $infrastructure := lookup "config.openshift.io/v1" "Infrastructure" "" "cluster" | default dict }}
{{- if eq (dig "status" "controlPlaneTopology" "" $infrastructure) "External" }}true{{ end }}
{{- end }}
{{- end }}

{{/* The pod and the account of `helm test`: never behind the Service, whose selector names another component. */}}
{{- define "mirrorguard.checkName" -}}
{{- printf "%s-check" (include "mirrorguard.fullname" . | trunc 57 | trimSuffix "-") }}
{{- end }}

{{/* Its cluster-scoped objects. No release's own have two dots. */}}
{{- define "mirrorguard.checkClusterScopedName" -}}
{{- printf "check.%s" (include "mirrorguard.clusterScopedName" .) }}
{{- end }}

{{- define "mirrorguard.checkLabels" -}}
{{- include "mirrorguard.labels" . | replace "app.kubernetes.io/component: webhook" "app.kubernetes.io/component: check" }}
{{- end }}

{{/* Annotations of everything that `helm test` makes: nothing of it stays, whatever comes out. Takes the hook's weight. */}}
{{- define "mirrorguard.checkAnnotations" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded,hook-failed
{{- end }}

{{/*
certificates.caBundle as the API wants it, base64 of PEM. Empty where certificates.secretName stands alone,
and in every mode in which something else writes the field.
*/}}
{{- define "mirrorguard.caBundle" -}}
{{- $certificates := .Values.certificates }}
{{- $given := $certificates.caBundle | default "" | trim }}
{{- if ne $certificates.mode "existingSecret" }}
{{- if $given }}
{{- fail (printf "certificates.caBundle is set, but with certificates.mode %s something else writes the CA: remove it, or set certificates.mode=existingSecret" $certificates.mode) }}
{{- end }}
{{- else if not (or $given $certificates.secretName) }}
{{- fail "no serving certificate: set certificates.caBundle (--set-file certificates.caBundle=ca.crt) to the CA that issued the one in Secret certificates.secretName; certs/README.md in the source tree shows how to issue both" }}
{{- end }}
{{- if $given }}
{{- $pem := contains "-----BEGIN " $given | ternary $given (regexReplaceAll "\\s" $given "" | b64dec) }}
{{- if contains "PRIVATE KEY-----" $pem }}
{{- fail "certificates.caBundle holds a private key: give the CA certificate (ca.crt) alone" }}
{{- end }}
{{- if not (contains "-----BEGIN CERTIFICATE-----" $pem) }}
{{- fail "certificates.caBundle is neither a PEM certificate nor base64 of one: use --set-file certificates.caBundle=ca.crt" }}
{{- end }}
{{- printf "%s\n" (trim $pem) | b64enc }}
{{- end }}
{{- end }}

{{/* Annotations of both webhook configurations: those that are given, and those that have the CA injected. */}}
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
What every webhook has in common. Takes a dict of root (the chart's context), path (the endpoint)
and failurePolicy.
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
{{- /* Nothing is written for any request, dry run or not. */}}
sideEffects: None
timeoutSeconds: {{ .root.Values.webhooks.timeoutSeconds }}
{{- end }}

{{/* The rules of the three mirror kinds. Takes the list of operations. */}}
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

{{/* The rules of the webhooks for HostedClusters. */}}
{{- define "mirrorguard.hostedClusterRules" -}}
- apiGroups: [hypershift.openshift.io]
  apiVersions: [v1beta1]
  operations: [CREATE, UPDATE]
  resources: [hostedclusters]
  scope: Namespaced
{{- end }}

{{/* What of mirror sets is asked about. */}}
{{- define "mirrorguard.mirrorSetConditions" -}}
- name: spec-changes
  expression: >-
    request.operation != 'UPDATE'
    || !has(object.spec) || !has(oldObject.spec)
    || object.spec != oldObject.spec
{{- end }}

{{/*
What of HostedClusters is asked about. Of the metadata only annotations say anything about catalogs and images:
labels, finalizers and owner references are written without being asked about. What is left out here is left alone by
the webhook itself too, so that Kubernetes 1.27, which drops these conditions, gives the same answers; only the
accounts are known here alone. Neither condition can fail to evaluate.
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
The conditions under which a webhook is asked, those of the chart and then those of the values. Takes a dict of root,
own (YAML) and further. Kubernetes 1.27 knows the field behind a feature gate only, and drops it.
*/}}
{{- define "mirrorguard.matchConditions" -}}
{{- $conditions := concat (fromYamlArray .own) .further }}
{{- if and $conditions (semverCompare ">=1.28-0" .root.Capabilities.KubeVersion.Version) }}
matchConditions:
  {{- toYaml $conditions | nindent 2 }}
{{- end }}
{{- end }}
