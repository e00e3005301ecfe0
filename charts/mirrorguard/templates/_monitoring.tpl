{{/* Name of the scraped Service, and therefore the job label of all metrics. */}}
{{- define "mirrorguard.metricsName" -}}
{{- printf "%s-metrics" (include "mirrorguard.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{/* Labels of the monitoring objects. They distinguish the metrics Service from that of the webhook for the ServiceMonitor. */}}
{{- define "mirrorguard.monitoringLabels" -}}
{{- include "mirrorguard.labels" . | fromYaml | merge (dict "app.kubernetes.io/component" "monitoring") | toYaml }}
{{- end }}

{{/*
Fails if the cluster does not serve the API of an object. `helm template` has no cluster and renders everything: every real
API server serves the API of APIServices, which Helm by itself does not know. Takes a dict with root (the context of the
chart), api, kind, value and remedy.
*/}}
{{- define "mirrorguard.requireKind" -}}
{{- $known := .root.Capabilities.APIVersions -}}
{{- if and ($known.Has "apiregistration.k8s.io/v1") (not ($known.Has (printf "%s/%s" .api .kind))) }}
{{- $article := hasPrefix "A" .kind | ternary "an" "a" }}
{{- fail (printf "%s creates %s %s (%s), which this cluster does not serve: %s" .value $article .kind .api .remedy) }}
{{- end }}
{{- end }}

{{/* OpenTelemetry variables, if traces are sent. Variables in the values override ours of the same name. */}}
{{- define "mirrorguard.tracingEnv" -}}
{{- if .Values.tracing.endpoint }}
{{- $given := list }}
{{- range .Values.tracing.env }}{{ $given = append $given .name }}{{ end }}
{{- range include "mirrorguard.ownTracingEnv" . | fromYamlArray }}
{{- if not (has .name $given) }}
{{ list . | toYaml }}
{{- end }}
{{- end }}
{{- with .Values.tracing.env }}
{{ toYaml . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "mirrorguard.ownTracingEnv" -}}
{{- with .Values.tracing }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: {{ .serviceName | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .ratio | quote }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: OTEL_RESOURCE_ATTRIBUTES
  value: k8s.namespace.name=$(POD_NAMESPACE),k8s.pod.name=$(POD_NAME)
{{- if .ca.configMap }}
- name: OTEL_EXPORTER_OTLP_CERTIFICATE
  value: /etc/mirrorguard/tracing-ca/{{ .ca.key }}
{{- end }}
{{- end }}
{{- end }}

{{/* Port of the collector, or empty if no traces are sent. */}}
{{- define "mirrorguard.tracingPort" -}}
{{- with .Values.tracing.endpoint }}
{{- $host := regexReplaceAll "^https?://([^/?#]*).*$" . "${1}" }}
{{- regexFind ":[0-9]+$" $host | trimPrefix ":" | default (hasPrefix "https:" . | ternary "443" "80") }}
{{- end }}
{{- end }}
