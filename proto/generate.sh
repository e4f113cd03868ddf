#!/bin/sh
# Writes the TypeScript of the .proto files into src/*/rpc/gen, which is committed. Needs protoc
# (Debian: protobuf-compiler and libprotobuf-dev) and ts-proto (npm ci).
set -eu
cd -- "$(dirname -- "$0")/.."

options=outputServices=grpc-js,esModuleInterop=true,env=node,importSuffix=.ts
options=$options,enumsAsLiterals=true,oneof=unions-value,forceLong=bigint,useDate=true
options=$options,outputJsonMethods=false,outputPartialMethods=false

generate() {
  out=$1
  shift
  rm -rf "$out"
  mkdir -p "$out"
  protoc --plugin=node_modules/.bin/protoc-gen-ts_proto --proto_path=proto \
    --ts_proto_out="$out" --ts_proto_opt="$options" "$@"
}

generate src/runtime/rpc/gen v1alpha1/resource.proto v1alpha1/state.proto
generate src/apps/rpc/gen google/rpc/status.proto common/common.proto machine/machine.proto \
  inspect/inspect.proto time/time.proto cluster/cluster.proto control/control.proto \
  security/security.proto node/node.proto
