{{/*
What both Jobs of backfills have. It is no hook: Helm waits for its hooks, and a backfill may take hours. A Job cannot be
changed, so each release has one of its own name; Helm removes the one before, whose place it takes.
*/}}
{{- define "lockstep.ofBackfill" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "lockstep.name" . }}-db-backfill-{{ .Release.Revision }}
  labels:
    {{- include "lockstep.labels" . | nindent 4 }}
{{- end }}

{{- define "lockstep.backfillLimits" -}}
activeDeadlineSeconds: {{ .Values.lockstep.backfill.activeDeadlineSeconds }}
ttlSecondsAfterFinished: {{ .Values.lockstep.backfill.ttlSecondsAfterFinished }}
{{- include "lockstep.failurePolicy" "db-backfill" | nindent 0 }}
{{- end }}

{{/* The options of backfills. */}}
{{- define "lockstep.backfillOptions" -}}
{{- range $name, $value := .Values.lockstep.backfill.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* The Job that runs the backfills of a database beside the release's pods. */}}
{{- define "lockstep.backfillJob" -}}
{{ include "lockstep.ofBackfill" . }}
spec:
  backoffLimit: {{ .Values.lockstep.backfill.backoffLimit }}
  {{- include "lockstep.backfillLimits" . | nindent 2 }}
  template:
    {{- include "lockstep.podMetadata" . | nindent 4 }}
    spec:
      {{- include "lockstep.podPlace" . | nindent 6 }}
      containers:
        - name: db-backfill
          image: {{ include "lockstep.image" . | quote }}
          command: ["lockstep", "backfill"]
          env:
            {{- include "lockstep.migrationsUrl" . | nindent 12 }}
            {{- with include "lockstep.backfillOptions" . | trim }}
            {{- nindent 12 . }}
            {{- end }}
          {{- include "lockstep.rest" . | nindent 10 }}
{{- end }}

{{/* The same for a fleet: an Indexed Job in which each pod takes its share of the list. */}}
{{- define "lockstep.backfillFleetJob" -}}
{{- $fleet := .Values.lockstep.fleet -}}
{{ include "lockstep.ofBackfill" . }}
spec:
  completionMode: Indexed
  completions: {{ $fleet.completions }}
  parallelism: {{ $fleet.parallelism }}
  backoffLimitPerIndex: {{ $fleet.backoffLimitPerIndex }}
  maxFailedIndexes: {{ $fleet.maxFailedIndexes }}
  {{- include "lockstep.backfillLimits" . | nindent 2 }}
  {{- include "lockstep.overTargets" (dict "chart" . "name" "db-backfill" "verb" "backfill" "which" (printf "--shards=%v" $fleet.completions) "options" (include "lockstep.backfillOptions" .)) | nindent 2 }}
{{- end }}
