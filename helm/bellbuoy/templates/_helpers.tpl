{{- define "bellbuoy.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- /* 40 characters leave room for "-broadcaster", a ReplicaSet's hash and a pod's suffix. */}}
{{- define "bellbuoy.fullname" -}}
{{- $name := include "bellbuoy.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{- /* The helpers below take (list $ COMPONENT), where COMPONENT is broker, receiver, broadcaster and so on. */}}

{{- define "bellbuoy.selector" -}}
{{- $component := last . -}}
{{- with first . -}}
app.kubernetes.io/name: {{ include "bellbuoy.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ $component }}
{{- end }}
{{- end }}

{{- define "bellbuoy.podLabels" -}}
{{- include "bellbuoy.selector" . }}
app.kubernetes.io/version: {{ (first .).Chart.AppVersion | quote }}
app.kubernetes.io/part-of: bellbuoy
app.kubernetes.io/managed-by: {{ (first .).Release.Service }}
{{- end }}

{{- define "bellbuoy.labels" -}}
{{- include "bellbuoy.podLabels" . }}
helm.sh/chart: {{ printf "%s-%s" (first .).Chart.Name (first .).Chart.Version }}
{{- end }}

{{- /* The manager's objects are in a namespace of their own, which admits its hostPath. */}}
{{- define "bellbuoy.namespace" -}}
{{- $release := (first .).Release.Namespace -}}
{{- if hasPrefix "manager" (last .) -}}
{{- (first .).Values.manager.namespace | default (printf "%s-nodes" $release) -}}
{{- else -}}
{{- $release -}}
{{- end -}}
{{- end }}

{{- /* Those that have a certificate, as a JSON list. */}}
{{- define "bellbuoy.certified" -}}
{{- $services := list "broker" "receiver" "broadcaster" "operator" -}}
{{- if .Values.manager.enabled }}{{ $services = append $services "manager" }}{{ end -}}
{{- $services | toJson -}}
{{- end }}

{{- /* Name, namespace and labels of an object that bears its component's name. */}}
{{- define "bellbuoy.metadata" -}}
name: {{ include "bellbuoy.fullname" (first .) }}-{{ last . }}
namespace: {{ include "bellbuoy.namespace" . }}
labels:
  {{- include "bellbuoy.labels" . | nindent 2 }}
{{- end }}

{{- /* Metadata of a pod's template. */}}
{{- define "bellbuoy.podMetadata" -}}
{{- $values := index (first .).Values (last .) -}}
labels:
  {{- include "bellbuoy.podLabels" . | nindent 2 }}
annotations:
  kubectl.kubernetes.io/default-container: {{ last . }}
  {{- with $values.image.id }}
  bellbuoy.io/image-id: {{ . | quote }}
  {{- end }}
  {{- with $values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* What every pod has, up to its containers. */}}
{{- define "bellbuoy.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  {{- if eq (last .) "manager" }}
  # The group of the engine's socket.
  supplementalGroups: [{{ (first .).Values.manager.docker.gid | int64 }}]
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- with (first .).Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "bellbuoy.pod" -}}
{{- include "bellbuoy.podSecurity" . }}
{{- with index (first .).Values (last .) }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "bellbuoy.image" -}}
{{- $values := index (first .).Values (last .) -}}
{{- with first . -}}
{{- with .Values.image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ $values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* What every container has. */}}
{{- define "bellbuoy.container" -}}
image: {{ include "bellbuoy.image" . }}
imagePullPolicy: {{ (first .).Values.image.pullPolicy }}
securityContext:
  {{- include "bellbuoy.containerSecurity" . | nindent 2 }}
resources:
  {{- toYaml (index (first .).Values (last .)).resources | nindent 2 }}
{{- end }}

{{- define "bellbuoy.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end }}

{{- /* (list $ COMPONENT DICT): the environment in DICT, with the user's own put over it. */}}
{{- define "bellbuoy.env" -}}
{{- range $name, $value := mergeOverwrite (last .) (index (first .).Values (index . 1)).env }}
- name: {{ $name }}
  value: {{ ternary ($value | int64) $value (kindIs "float64" $value) | quote }}
{{- end }}
{{- end }}

{{- /* Environment of a client of the broker, with DICT put over it. */}}
{{- define "bellbuoy.clientEnv" -}}
{{- $values := (first .).Values -}}
{{- $env := dict "BELLBUOY_BROKER_URL" (printf "mqtts://%s-broker:8883" (include "bellbuoy.fullname" (first .)))
  "BELLBUOY_CA_FILE" "/etc/bellbuoy/tls/ca.crt"
  "BELLBUOY_CERT_FILE" "/etc/bellbuoy/tls/tls.crt"
  "BELLBUOY_KEY_FILE" "/etc/bellbuoy/tls/tls.key"
  "BELLBUOY_LOG_LEVEL" $values.log.level
  "BELLBUOY_LOG_FORMAT" $values.log.format -}}
{{- include "bellbuoy.env" (list (first .) (index . 1) (merge (last .) $env)) }}
{{- end }}

{{- define "bellbuoy.tlsMount" -}}
- name: tls
  mountPath: /etc/bellbuoy/tls
  readOnly: true
{{- end }}

{{- define "bellbuoy.tlsVolume" -}}
- name: tls
  secret:
    secretName: {{ include "bellbuoy.fullname" (first .) }}-{{ last . }}-tls
    defaultMode: 0440
{{- end }}

{{- define "bellbuoy.dataClaim" -}}
{{- $persistence := (index (first .).Values (last .)).persistence -}}
- metadata:
    name: data
    labels:
      {{- include "bellbuoy.selector" . | nindent 6 }}
  spec:
    accessModes: [ReadWriteOnce]
    {{- with $persistence.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ $persistence.size }}
{{- end }}

{{- /* An egress rule of a client of the broker, and one to find it by name. */}}
{{- define "bellbuoy.egressToBroker" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "bellbuoy.selector" (list . "broker") | nindent 10 }}
  ports:
    - {port: 8883, protocol: TCP}
{{ include "bellbuoy.egressToDns" . }}
{{- end }}

{{- define "bellbuoy.egressToDns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dnsPeers | nindent 4 }}
  ports:
    - {port: {{ .Values.networkPolicy.dnsPort }}, protocol: UDP}
    - {port: {{ .Values.networkPolicy.dnsPort }}, protocol: TCP}
{{- end }}

{{- /* Subject alternative names of the broker's certificate, as a JSON list. */}}
{{- define "bellbuoy.brokerDnsNames" -}}
{{- $name := printf "%s-broker" (include "bellbuoy.fullname" .) -}}
{{- $ns := .Release.Namespace -}}
{{- list $name (printf "%s.%s" $name $ns) (printf "%s.%s.svc" $name $ns) (printf "%s.%s.svc.cluster.local" $name $ns) "localhost" | toJson -}}
{{- end }}
