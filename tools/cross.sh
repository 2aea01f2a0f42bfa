#!/bin/sh
# Builds the command for six systems, without cgo. Called by make cross.
set -eu
cd "$(dirname "$0")/.."
for system in linux darwin windows; do
	for machine in amd64 arm64; do
		suffix=
		[ "$system" != windows ] || suffix=.exe
		out=dist/yan-$system-$machine$suffix
		echo "cross: $out"
		CGO_ENABLED=0 GOOS=$system GOARCH=$machine go build -trimpath -o "$out" ./cmd/yan
	done
done
