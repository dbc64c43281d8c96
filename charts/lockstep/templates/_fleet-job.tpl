{{/*
A Job that deploys to a fleet. `chart`: the chart that uses this library; `name`, `weight`; `spec`: the Job's own fields;
`which`: which of the targets.
*/}}
{{- define "lockstep.ofFleet" -}}
{{- $fleet := .chart.Values.lockstep.fleet -}}
{{- $options := include "lockstep.options" .chart -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "lockstep.name" .chart }}-{{ .name }}
  labels:
    {{- include "lockstep.labels" .chart | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: {{ .weight | quote }}
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  {{- toYaml .spec | nindent 2 }}
  activeDeadlineSeconds: {{ $fleet.activeDeadlineSeconds }}
  {{- include "lockstep.failurePolicy" .name | nindent 2 }}
  {{- include "lockstep.overTargets" (dict "chart" .chart "name" .name "verb" "deploy" "which" .which "options" $options) | nindent 2 }}
{{- end }}

{{/* A Job's pod that works on targets of the list. `verb`: what lockstep does; `options`: its environment. */}}
{{- define "lockstep.overTargets" -}}
{{- $fleet := .chart.Values.lockstep.fleet -}}
template:
  {{- include "lockstep.podMetadata" .chart | nindent 2 }}
  spec:
    {{- include "lockstep.podPlace" .chart | nindent 4 }}
    containers:
      - name: {{ .name }}
        image: {{ include "lockstep.image" .chart | quote }}
        command: {{ list "lockstep" .verb "--targets" (printf "/targets/%s" $fleet.secretKey) .which "--json" "--termination-log" "/dev/termination-log" | toJson }}
        env:
          - name: DATABASE_URL
            valueFrom:
              secretKeyRef:
                name: {{ .chart.Values.lockstep.migrations.secretName | default .chart.Values.lockstep.database.secretName | default "none" }}
                key: {{ .chart.Values.lockstep.migrations.secretKey }}
                optional: true
          {{- with .options | trim }}
          {{- nindent 10 . }}
          {{- end }}
        volumeMounts:
          - name: targets
            mountPath: /targets
            readOnly: true
        {{- include "lockstep.rest" .chart | nindent 8 }}
    volumes:
      - name: targets
        secret:
          secretName: {{ required "lockstep.fleet.secretName: name the Secret that holds the list of targets" $fleet.secretName }}
{{- end }}

{{/* The Job of the canaries: the targets of a group, before all others. */}}
{{- define "lockstep.canaryJob" -}}
{{- $which := printf "--groups=%s" .Values.lockstep.fleet.canaryGroup -}}
{{ include "lockstep.ofFleet" (dict "chart" . "name" "db-canary" "weight" "1" "spec" (dict "backoffLimit" 2) "which" $which) }}
{{- end }}

{{/* The Indexed Job of the fleet: each pod takes its share of the list by JOB_COMPLETION_INDEX. */}}
{{- define "lockstep.fleetJob" -}}
{{- $fleet := .Values.lockstep.fleet -}}
{{- $spec := dict "completionMode" "Indexed" "completions" $fleet.completions "parallelism" $fleet.parallelism "backoffLimitPerIndex" $fleet.backoffLimitPerIndex "maxFailedIndexes" $fleet.maxFailedIndexes -}}
{{- $which := printf "--shards=%v" $fleet.completions -}}
{{ include "lockstep.ofFleet" (dict "chart" . "name" "db-fleet" "weight" "2" "spec" $spec "which" $which) }}
{{- end }}
