{{/*
The alerts, as a list of rules of Prometheus. docs/alerts.md has a section on each.

None looks at a single sample: what is gone or wrong has to be so for minutes, and `increase` bridges a missed scrape.
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
    summary: No mirrorguard pod is ready, as far as Prometheus sees
    description: >-
      For five minutes, no pod of {{ .Release.Namespace }}/{{ include "mirrorguard.fullname" . }} has told Prometheus that it is ready. If none is,
      writes of mirror sets are {{ eq .Values.webhooks.mirrorSets.failurePolicy "Fail" | ternary "refused" "not judged" }}. Look at the pods, and at what
      keeps Prometheus from port 8080.
- alert: MirrorguardNotReady
  expr: max by (namespace, pod) (mirrorguard_ready{ {{- $ours -}} }) == 0
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: A mirrorguard pod is not ready
    description: >-
      Pod {{`{{ $labels.pod }}`}} has not been ready for ten minutes. GET /readyz on its port 8080 says why: the mirror sets
      could not be read yet, or the webhook configurations do not trust its certificate.
{{- if gt (int .Values.replicaCount) 1 }}
- alert: MirrorguardReplicaMissing
  {{- /* The least of some minutes: a pod that crashes again and again is ready now and then. */}}
  expr: min_over_time(count(mirrorguard_ready{ {{- $ours -}} } == 1)[5m:1m]) < {{ .Values.replicaCount }}
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: Fewer mirrorguard pods are ready than should be
    description: >-
      For a quarter of an hour, {{ .Release.Namespace }}/{{ include "mirrorguard.fullname" . }} has had, again and again or all the time, only
      {{`{{ $value }}`}} of {{ .Values.replicaCount }} pods ready. One may be crashing again and again, or there is no node for it; when
      the others go too, writes of mirror sets are {{ eq .Values.webhooks.mirrorSets.failurePolicy "Fail" | ternary "refused" "not judged" }}.
{{- end }}
- alert: MirrorguardCertificateEnds
  expr: >-
    min by (namespace, pod) ((mirrorguard_certificate_expiry_timestamp_seconds{ {{- $ours -}} } > 0) - time())
    < {{ $settings.certificateDays }} * 86400
  for: 15m
  labels: {severity: critical}
  annotations:
    summary: The serving certificate of mirrorguard ends soon
    description: >-
      The certificate that pod {{`{{ $labels.pod }}`}} serves ends in {{`{{ $value | humanizeDuration }}`}} and has not been renewed.
      Once it has ended, writes of mirror sets are {{ eq .Values.webhooks.mirrorSets.failurePolicy "Fail" | ternary "refused" "not judged" }}. Look at whoever issues it
      (certificates.mode is {{ .Values.certificates.mode }}).
- alert: MirrorguardCertificateNotLoaded
  expr: increase(mirrorguard_certificate_reload_failures_total{ {{- $ours -}} }[30m]) > 0
  for: 2m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard could not load or renew its certificate
    description: >-
      Pod {{`{{ $labels.pod }}`}} goes on with the certificate it had. Its log says what is wrong with the new one.
- alert: MirrorguardDenialsRise
  expr: >-
    sum by (namespace) (increase(mirrorguard_admission_requests_total{verdict="denied", {{ $ours -}} }[15m]))
    > {{ $settings.denials }}
    and sum by (namespace) (increase(mirrorguard_admission_requests_total{verdict="denied", {{ $ours -}} }[15m]))
    > 3 * sum by (namespace) (increase(mirrorguard_admission_requests_total{verdict="denied", {{ $ours -}} }[1d] offset 15m)) / 96
  for: 5m
  labels: {severity: info}
  annotations:
    summary: mirrorguard denies more writes than usual
    description: >-
      {{`{{ $value | humanize }}`}} writes were denied within a quarter of an hour, thrice what is usual for the last day. Lines
      "denied" of the log name the objects, the rules and the users; something may be trying again and again.
- alert: MirrorguardWatchStale
  {{- /* 0 is no time: the apiserver has not answered yet, and MirrorguardNotReady tells that. */}}
  expr: time() - min by (namespace, pod, kind) (mirrorguard_watch_contact_timestamp_seconds{ {{- $ours -}} } > 0) > 900
  for: 5m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard decides on an old picture of the cluster
    description: >-
      The apiserver has not answered the watch of {{`{{ $labels.kind }}`}} in pod {{`{{ $labels.pod }}`}} for {{`{{ $value | humanizeDuration }}`}}.
      Decisions on mirror sets ask the apiserver again; those on HostedClusters, and what is filled in, rest on what is known.
- alert: MirrorguardWatchFails
  expr: sum by (namespace, pod, kind) (increase(mirrorguard_watch_errors_total{ {{- $ours -}} }[10m])) > 5
  for: 10m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard cannot watch the cluster
    description: >-
      Pod {{`{{ $labels.pod }}`}} fails again and again to list or watch {{`{{ $labels.kind }}`}}. Lines "cannot watch" of its log say
      why: a role that is missing, or an apiserver that does not answer.
- alert: MirrorguardUnverified
  expr: sum by (namespace, pod) (increase(mirrorguard_unverified_decisions_total{ {{- $ours -}} }[15m])) > 0
  for: 2m
  labels: {severity: warning}
  annotations:
    summary: mirrorguard could not ask the apiserver before it decided
    description: >-
      Pod {{`{{ $labels.pod }}`}} judged writes of mirror sets although the apiserver did not tell it which others there are within
      3 s. With whenUnverified deny, the default, they were refused.
{{- end }}

{{/*
The alerts on calls that never arrived: only the apiserver knows of them. Its counters do not exist before the first
such call, so that a series which is new on an apiserver that was scraped before counts too.
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
    summary: Writes are refused because mirrorguard cannot be called
    description: >-
      An apiserver could not call webhook {{`{{ $labels.name }}`}} and refused the writes, as its failurePolicy says. Look at the
      pods, at the endpoints of the Service, and at the CA in the webhook configurations.
- alert: MirrorguardFailedOpen
  expr: >-
    sum by (name) (
    (({{ $open }} unless {{ $open }} offset 10m) and on (job, instance) (up offset 10m == 1))
    or increase({{ $open }}[10m])
    ) > 0
  for: 1m
  labels: {severity: warning}
  annotations:
    summary: Writes go unjudged because mirrorguard cannot be called
    description: >-
      An apiserver could not call webhook {{`{{ $labels.name }}`}} and let the writes through, as its failurePolicy says. Judge what
      was written meanwhile with `mirrorguard audit`.
{{- end }}

{{/* Leaves out what is disabled, and adds labels and runbooks. Takes a dict of root and alerts, a list. */}}
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
