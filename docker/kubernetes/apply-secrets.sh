#!/bin/bash
# Creates or replaces the Secrets, and writes a checksum of each into the pods that mount it: `kubectl apply -k` then
# restarts those whose secrets have changed.
#
# docker/kubernetes/apply-secrets.sh SECRETS OVERLAY, as: apply-secrets.sh ./secrets docker/kubernetes/overlays/production
set -euo pipefail
export LC_ALL=C
secrets=$1 overlay=$2 namespace=${NAMESPACE:-holdfast}

checksum() {
  (cd "$1" && sha256sum -- *) | sha256sum | cut -c 1-32
}

for folder in "$secrets"/{migrate-*,tools,router,user,product,shop,warehouse,order}; do
  kubectl -n "$namespace" create secret generic "holdfast-$(basename "$folder")" --from-file="$folder" \
    --dry-run=client -o yaml | kubectl -n "$namespace" apply -f -
done

mkdir -p "$overlay/secret-checksums"
for name in router user product shop warehouse order verify; do
  folder=$name
  if [ "$name" = verify ]; then folder=tools; fi
  cat > "$overlay/secret-checksums/$name.yaml" <<YAML
# Written by docker/kubernetes/apply-secrets.sh.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $name
spec:
  template:
    metadata:
      annotations:
        holdfast.example/secrets: '$(checksum "$secrets/$folder")'
YAML
done
