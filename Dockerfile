# docker buildx build --platform linux/amd64,linux/arm64,linux/arm/v7,linux/arm/v6 -t hanbridge/hanbridge .

# The compiler runs on the processor of the build machine, without emulation, and compiles for the target platform.
# With the digest, every build uses the same compiler. Dependabot updates version and digest.
FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine@sha256:8ac98ca534ac3f51e1f420a1dd2c15e74c75cfa0f23f3ad27eb5d7236c349a0c AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT
ARG VERSION=dev
# On arm, TARGETVARIANT is v6 or v7, and GOARM is 6 or 7. On other processors, TARGETVARIANT is not used.
# The build tag timetzdata puts the time zones into the program, so that TZ=Europe/Stockholm works. The image has no zone files.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    if [ "$TARGETARCH" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi; \
    CGO_ENABLED=0 GOOS="$TARGETOS" GOARCH="$TARGETARCH" \
    go build -trimpath -tags timetzdata -ldflags "-s -w -X github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli.version=$VERSION" -o /hanbridge ./cmd/hanbridge
# The state folder. A volume that is mounted there gets the owner of this folder.
RUN mkdir -p /state/hanbridge

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /hanbridge /hanbridge
COPY --from=build --chown=65532:65532 /state /var/lib
# The user has no rights, and cannot open a serial port, which belongs to the group dialout. So give the container this
# group by its number: --group-add 20 (Compose: group_add: ["20"]). On the host, `stat -c %g /dev/ttyUSB0` prints the number.
USER 65532:65532
# To keep the state after a restart: --volume hanbridge:/var/lib/hanbridge
# Settings are environment variables (HANBRIDGE_MQTT_URL …), or a file:
# --volume ./config.yaml:/etc/hanbridge/config.yaml:ro and the arguments `run --config /etc/hanbridge/config.yaml`.
# The health check fails if a part of the bridge is stuck. It does not fail if the broker is absent or a meter is silent.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s CMD ["/hanbridge", "health"]
ENTRYPOINT ["/hanbridge"]
CMD ["run"]
