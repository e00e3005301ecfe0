{{/*
Affinity of the pods: that of the values, plus a preference for different nodes. During a rollout, new pods avoid
only each other, not the old pods, if the API server enables matchLabelKeys in affinity by default (Kubernetes 1.31).
*/}}
{{- define "mirrorguard.affinity" -}}
{{- $affinity := .Values.affinity | default dict | deepCopy }}
{{- $apart := $affinity.podAntiAffinity | default dict }}
{{- $selector := dict "matchLabels" (include "mirrorguard.selectorLabels" . | fromYaml) }}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" $selector }}
{{- if semverCompare ">=1.31-0" .Capabilities.KubeVersion.Version }}
{{- $_ := set $term "matchLabelKeys" (list "pod-template-hash") }}
{{- end }}
{{- $preferred := $apart.preferredDuringSchedulingIgnoredDuringExecution | default list }}
{{- $preferred = append $preferred (dict "weight" 100 "podAffinityTerm" $term) }}
{{- $_ := set $apart "preferredDuringSchedulingIgnoredDuringExecution" $preferred }}
{{- set $affinity "podAntiAffinity" $apart | toYaml }}
{{- end }}

{{/* Environment variables of the container. */}}
{{- define "mirrorguard.env" -}}
{{- with .Values.logging.level }}
- name: RUST_LOG
  value: {{ . | quote }}
{{- end }}
{{- include "mirrorguard.tracingEnv" . }}
{{- end }}
