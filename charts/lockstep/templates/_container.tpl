{{/* The image that holds the migrations. */}}
{{- define "lockstep.image" -}}
{{- $image := .Values.lockstep.image -}}
{{ required "lockstep.image.repository: name the image that holds the migrations" $image.repository }}:{{ required "lockstep.image.tag: name the image's tag" $image.tag }}
{{- end }}

{{/* DATABASE_URL from a Secret. */}}
{{- define "lockstep.applicationUrl" -}}
{{- $own := .Values.lockstep.database -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "lockstep.database.secretName: name the Secret that holds the database's URL" $own.secretName }}
      key: {{ $own.secretKey }}
{{- end }}

{{/* The same from the Secret of the Jobs alone, where there is one. */}}
{{- define "lockstep.migrationsUrl" -}}
{{- with .Values.lockstep.migrations.secretName -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.lockstep.migrations.secretKey }}
{{- else -}}
{{ include "lockstep.applicationUrl" . }}
{{- end }}
{{- end }}

{{/* The deploy's options. */}}
{{- define "lockstep.options" -}}
{{- range $name, $value := .Values.lockstep.migrations.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}

{{/* What every container of this library has below its own fields. */}}
{{- define "lockstep.rest" -}}
imagePullPolicy: {{ .Values.lockstep.image.pullPolicy }}
{{- with .Values.lockstep.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.lockstep.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/* The container that deploys. `chart`: the chart that uses this library; `url`: the template of its DATABASE_URL. */}}
{{- define "lockstep.deploying" -}}
- name: db-migrate
  image: {{ include "lockstep.image" .chart | quote }}
  command: {{ ternary (list "lockstep" "deploy") (list "npx" "prisma" "migrate" "deploy") .chart.Values.lockstep.image.slim | toJson }}
  env:
    {{- include .url .chart | nindent 4 }}
    {{- with include "lockstep.options" .chart | trim }}
    {{- nindent 4 . }}
    {{- end }}
  {{- include "lockstep.rest" .chart | nindent 2 }}
{{- end }}

{{/* The init container that applies the migrations: an item of a pod's initContainers. */}}
{{- define "lockstep.initContainer" -}}
{{ include "lockstep.deploying" (dict "chart" . "url" "lockstep.applicationUrl") }}
{{- end }}

{{/* The init container that waits for the Job and changes nothing: an item of a pod's initContainers. */}}
{{- define "lockstep.waitContainer" -}}
- name: db-wait
  image: {{ include "lockstep.image" . | quote }}
  command: {{ concat (ternary list (list "npx") .Values.lockstep.image.slim) (list "lockstep" "wait" "--applied") | toJson }}
  env:
    {{- include "lockstep.applicationUrl" . | nindent 4 }}
    - name: LOCKSTEP_TIMEOUT
      value: {{ .Values.lockstep.wait.timeout | quote }}
  {{- include "lockstep.rest" . | nindent 2 }}
{{- end }}
