{{/* The Service that is scraped, and thus the job in all metrics. */}}
{{- define "mirrorguard.metricsName" -}}
{{- printf "%s-metrics" (include "mirrorguard.fullname" . | trunc 55 | trimSuffix "-") }}
{{- end }}

{{/* Labels of what belongs to monitoring, by which the ServiceMonitor tells this Service from the webhook's. */}}
{{- define "mirrorguard.monitoringLabels" -}}
{{- include "mirrorguard.labels" . | fromYaml | merge (dict "app.kubernetes.io/component" "monitoring") | toYaml }}
{{- end }}

{{/*
Fails where the cluster does not have the API of an object. `helm template` knows of no cluster, and renders everything:
every real apiserver has the API of APIServices, and Helm alone does not know it. Takes a dict of root (the chart's
context), api, kind, value and remedy.
*/}}
{{- define "mirrorguard.requireKind" -}}
{{- $known := .root.Capabilities.APIVersions -}}
{{- if and ($known.Has "apiregistration.k8s.io/v1") (not ($known.Has (printf "%s/%s" .api .kind))) }}
{{- $article := hasPrefix "A" .kind | ternary "an" "a" }}
{{- fail (printf "%s asks for %s %s of %s, which this cluster does not know: %s" .value $article .kind .api .remedy) }}
{{- end }}
{{- end }}

{{/* Variables of OpenTelemetry, where traces are to be sent. What the values give by the same name is in place of ours. */}}
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

{{/* The port of the collector, or nothing where no traces are made. */}}
{{- define "mirrorguard.tracingPort" -}}
{{- with .Values.tracing.endpoint }}
{{- $host := regexReplaceAll "^https?://([^/?#]*).*$" . "${1}" }}
{{- regexFind ":[0-9]+$" $host | trimPrefix ":" | default (hasPrefix "https:" . | ternary "443" "80") }}
{{- end }}
{{- end }}
