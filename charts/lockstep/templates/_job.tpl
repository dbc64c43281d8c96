{{/* A name that also leaves room for an index behind it. */}}
{{- define "lockstep.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "lockstep.labels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: migrations
{{- end }}

{{/* A pod that is evicted is no attempt; a wrong configuration (exit code 2) is not attempted again. The container's name. */}}
{{- define "lockstep.failurePolicy" -}}
podFailurePolicy:
  rules:
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
    - action: FailJob
      onExitCodes:
        containerName: {{ . }}
        operator: In
        values: [2]
{{- end }}

{{/* What the pods of the Jobs have beside their containers. */}}
{{- define "lockstep.podMetadata" -}}
metadata:
  labels:
    {{- include "lockstep.labels" . | nindent 4 }}
    {{- with .Values.lockstep.migrations.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.lockstep.migrations.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "lockstep.podPlace" -}}
restartPolicy: Never
{{- with .Values.lockstep.migrations.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- with .Values.lockstep.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.lockstep.migrations.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.lockstep.migrations.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The Job that applies the migrations before the release's pods start. */}}
{{- define "lockstep.job" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "lockstep.name" . }}-db-migrate
  labels:
    {{- include "lockstep.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  backoffLimit: {{ .Values.lockstep.migrations.backoffLimit }}
  activeDeadlineSeconds: {{ .Values.lockstep.migrations.activeDeadlineSeconds }}
  {{- include "lockstep.failurePolicy" "db-migrate" | nindent 2 }}
  template:
    {{- include "lockstep.podMetadata" . | nindent 4 }}
    spec:
      {{- include "lockstep.podPlace" . | nindent 6 }}
      containers:
        {{- include "lockstep.deploying" (dict "chart" . "url" "lockstep.migrationsUrl") | nindent 8 }}
{{- end }}
