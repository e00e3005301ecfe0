{{/*
The alerts, as a list of Prometheus rules. docs/alerts.md has a section for each alert.

No alert relies on a single sample: a condition must hold for minutes, and `increase` tolerates a missed scrape.
*/}}
{{- define "mirrorguard.alerts" -}}
{{- $settings := .Values.monitoring.prometheusRule -}}
{{- $job := default (include "mirrorguard.metricsName" .) $settings.job -}}
{{- $ours := printf "job=%q, namespace=%q" $job .Release.Namespace -}}
- alert: MirrorguardAbsent
  expr: absent(mirrorguard_ready{ {{- $ours -}} } == 1)
  for: 5m
  labels: {severity: critical}
  annotations:
    summary: No mirrorguard pod is ready.
    description: >-
      For 5 minutes, no pod of {{ .Release.Namespace }}/{{ include "mirrorguard.fullname" . }} has reported to Prometheus that it is ready. While no pod is
      ready, writes of mirror sets are {{ eq .Values.webhooks.mirrorSets.failurePolicy "Fail" | ternary "rejected" "admitted unchecked" }}. Check the pods, and whether
      Prometheus can reach their port 8080.
- alert: MirrorguardNotReady
  expr: max by (namespace, pod) (mirrorguard_ready{ {{- $ours -}} }) == 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: A mirrorguard pod is not ready.
    description: >-
      Pod {{`{{ $labels.pod }}`}} has not been ready for 10 minutes. GET /readyz on its port 8080 returns the reason, for example
      that the pod has not read the mirror sets yet, or that the webhook configurations do not trust its certificate.
{{- if gt (int .Values.replicaCount) 1 }}
- alert: MirrorguardReplicaMissing
  {{- /* The minimum over some minutes: a pod in a crash loop is ready from time to time. */}}
  expr: min_over_time(count(mirrorguard_ready{ {{- $ours -}} } == 1)[5m:1m]) < {{ .Values.replicaCount }}
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: Fewer mirrorguard pods are ready than expected.
    description: >-
      For 15 minutes, {{ .Release.Namespace }}/{{ include "mirrorguard.fullname" . }} has had only {{`{{ $value }}`}} of {{ .Values.replicaCount }} pods ready,
      repeatedly or all the time. A pod may be in a crash loop or unschedulable. If the remaining pods fail too,
      writes of mirror sets are {{ eq .Values.webhooks.mirrorSets.failurePolicy "Fail" | ternary "rejected" "admitted unchecked" }}.
{{- end }}
- alert: MirrorguardCertificateEnds
  expr: >-
    min by (namespace, pod) ((mirrorguard_certificate_expiry_timestamp_seconds{ {{- $ours -}} } > 0) - time())
    < {{ $settings.certificateDays }} * 86400
  for: 15m
  labels: {severity: critical}
  annotations:
    summary: The serving certificate of mirrorguard expires soon.
    description: >-
      The serving certificate of pod {{`{{ $labels.pod }}`}} expires in {{`{{ $value | humanizeDuration }}`}} and has not been renewed.
      After that, writes of mirror sets are {{ eq .Values.webhooks.mirrorSets.failurePolicy "Fail" | ternary "rejected" "admitted unchecked" }}. Check the issuer of the
      certificate (certificates.mode is {{ .Values.certificates.mode }}).
- alert: MirrorguardCertificateNotLoaded
  expr: increase(mirrorguard_certificate_reload_failures_total{ {{- $ours -}} }[30m]) > 0
  for: 2m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard failed to load or renew its certificate.
    description: >-
      Pod {{`{{ $labels.pod }}`}} continues to serve its previous certificate. Its log contains the error.
- alert: MirrorguardDenialsRise
  expr: >-
    sum by (namespace) (increase(mirrorguard_admission_requests_total{verdict="denied", {{ $ours -}} }[15m]))
    > {{ $settings.denials }}
    and sum by (namespace) (increase(mirrorguard_admission_requests_total{verdict="denied", {{ $ours -}} }[15m]))
    > 3 * sum by (namespace) (increase(mirrorguard_admission_requests_total{verdict="denied", {{ $ours -}} }[1d] offset 15m)) / 96
  for: 5m
  labels: {severity: info}
  annotations:
    summary: mirrorguard denies more writes than usual.
    description: >-
      mirrorguard denied {{`{{ $value | humanize }}`}} writes within 15 minutes, more than three times the average of the last day.
      Log lines with the message "denied" show the objects, rules and users. Often a client keeps retrying a denied write.
- alert: MirrorguardWatchStale
  {{- /* 0 is not a time: the API server has not answered yet, and MirrorguardNotReady covers that. */}}
  expr: time() - min by (namespace, pod, kind) (mirrorguard_watch_contact_timestamp_seconds{ {{- $ours -}} } > 0) > 900
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard uses an outdated cluster state.
    description: >-
      The API server has not answered the watch of {{`{{ $labels.kind }}`}} in pod {{`{{ $labels.pod }}`}} for {{`{{ $value | humanizeDuration }}`}}.
      Decisions on mirror sets still query the API server. Decisions on HostedClusters, and the annotations added to
      them, use the last known state.
- alert: MirrorguardWatchFails
  expr: sum by (namespace, pod, kind) (increase(mirrorguard_watch_errors_total{ {{- $ours -}} }[10m])) > 5
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard cannot watch the cluster.
    description: >-
      Pod {{`{{ $labels.pod }}`}} repeatedly fails to list or watch {{`{{ $labels.kind }}`}}. Log lines with "cannot watch" contain the
      reason: a missing role, or an API server that does not answer.
- alert: MirrorguardUnverified
  expr: sum by (namespace, pod) (increase(mirrorguard_unverified_decisions_total{ {{- $ours -}} }[15m])) > 0
  for: 2m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard could not query the API server for a decision.
    description: >-
      Pod {{`{{ $labels.pod }}`}} decided on writes of mirror sets although the API server did not return the other mirror sets
      within 3 s. With whenUnverified deny, the default, the writes were denied.
{{- end }}

{{/*
The alerts on calls that did not reach mirrorguard: only the API server counts them. Its counters do not exist before the
first such call, so a new series of an API server that was already scraped counts too.
*/}}
{{- define "mirrorguard.apiserverAlerts" -}}
{{- $name := `name=~".+[.]mirrorguard[.]io"` -}}
{{- $rejected := printf "apiserver_admission_webhook_rejection_count{%s, error_type=\"calling_webhook_error\"}" $name -}}
{{- $open := printf "apiserver_admission_webhook_fail_open_count{%s}" $name -}}
- alert: MirrorguardFailedClosed
  expr: >-
    sum by (name) (
    (({{ $rejected }} unless {{ $rejected }} offset 10m) and on (job, instance) (up offset 10m == 1))
    or increase({{ $rejected }}[10m])
    ) > 0
  for: 1m
  labels: {severity: critical}
  annotations:
    summary: Writes are rejected because the API server cannot call mirrorguard.
    description: >-
      An API server could not call webhook {{`{{ $labels.name }}`}} and rejected the writes, because the failurePolicy is Fail.
      Check the pods, the endpoints of the Service, and the CA in the webhook configurations.
- alert: MirrorguardFailedOpen
  expr: >-
    sum by (name) (
    (({{ $open }} unless {{ $open }} offset 10m) and on (job, instance) (up offset 10m == 1))
    or increase({{ $open }}[10m])
    ) > 0
  for: 1m
  labels: {severity: warning}
  annotations:
    summary: Writes are admitted unchecked because the API server cannot call mirrorguard.
    description: >-
      An API server could not call webhook {{`{{ $labels.name }}`}} and admitted the writes unchecked, because the failurePolicy
      is Ignore. Run `mirrorguard audit` to check what was written.
{{- end }}

{{/* Removes disabled alerts, and adds labels and runbook URLs. Takes a dict with root and alerts (a list). */}}
{{- define "mirrorguard.alertRules" -}}
{{- $settings := .root.Values.monitoring.prometheusRule -}}
{{- $rules := list -}}
{{- range $alert := .alerts }}
{{- if not (has .alert $settings.disabled) }}
{{- $labels := merge (dict) $settings.alertLabels .labels }}
{{- $annotations := .annotations }}
{{- with $settings.runbookUrl }}
{{- $annotations = merge (dict "runbook_url" (printf "%s#%s" . (lower $alert.alert))) $annotations }}
{{- end }}
{{- $rules = append $rules (merge (dict "labels" $labels "annotations" $annotations) .) }}
{{- end }}
{{- end }}
{{- toYaml $rules }}
{{- end }}
