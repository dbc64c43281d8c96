{{/* For `helm test`: passes where every migration of the image is applied, and none was edited or has failed. */}}
{{- define "lockstep.test" -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "lockstep.name" . }}-db-status
  labels:
    {{- include "lockstep.labels" . | nindent 4 }}
  annotations:
    helm.sh/hook: test
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  {{- include "lockstep.podPlace" . | nindent 2 }}
  containers:
    - name: db-status
      image: {{ include "lockstep.image" . | quote }}
      command: {{ concat (ternary list (list "npx") .Values.lockstep.image.slim) (list "lockstep" "status") | toJson }}
      env:
        {{- include "lockstep.applicationUrl" . | nindent 8 }}
      {{- include "lockstep.rest" . | nindent 6 }}
{{- end }}
