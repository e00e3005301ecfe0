{{/* Converts a duration such as 90d or 1h30m to seconds. */}}
{{- define "mirrorguard.seconds" -}}
{{- $text := . }}
{{- $seconds := 0 }}
{{- range $unit, $length := dict "d" 86400 "h" 3600 "m" 60 "s" 1 }}
{{- $count := regexFind (printf "[0-9]+%s" $unit) $text | trimSuffix $unit | default "0" | atoi }}
{{- $seconds = mul $count $length | add $seconds }}
{{- end }}
{{- $seconds }}
{{- end }}

{{/* Rejects lifetimes that make the pods exit, or make cert-manager issue certificates that outlive their CA. */}}
{{- define "mirrorguard.refuseLifetimes" -}}
{{- $certificates := .Values.certificates }}
{{- if eq $certificates.mode "selfManaged" }}
{{- with $certificates.selfManaged }}
{{- $duration := include "mirrorguard.seconds" .duration | atoi }}
{{- $overlap := include "mirrorguard.seconds" .overlap | atoi }}
{{- if gt (mul 3 $duration) (include "mirrorguard.seconds" .caDuration | atoi | int64) }}
{{- fail (printf "certificates.selfManaged.caDuration (%s) must be at least three times certificates.selfManaged.duration (%s)" .caDuration .duration) }}
{{- end }}
{{- if or (eq $overlap 0) (ge (mul 3 $overlap) (int64 $duration)) }}
{{- fail (printf "certificates.selfManaged.overlap (%s) must be greater than zero and less than a third of certificates.selfManaged.duration (%s)" .overlap .duration) }}
{{- end }}
{{- end }}
{{- else if eq $certificates.mode "certManager" }}
{{- with $certificates.certManager }}
{{- if and (not .issuer.name) (ge (include "mirrorguard.seconds" .duration | atoi) (include "mirrorguard.seconds" .caDuration | atoi)) }}
{{- fail (printf "certificates.certManager.caDuration (%s) must be greater than certificates.certManager.duration (%s): a certificate must not outlive its CA" .caDuration .duration) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
