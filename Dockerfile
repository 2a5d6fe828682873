# docker buildx build --platform linux/amd64,linux/arm64,linux/arm/v7,linux/arm/v6 -t hanbridge/hanbridge .

# The compiler runs on the processor of the machine that builds, and cross-compiles: nothing is emulated.
# The digest is that of the index of all platforms, so that everybody builds with the same compiler. Dependabot renews both.
FROM --platform=$BUILDPLATFORM golang:1.26.8-alpine@sha256:8ac98ca534ac3f51e1f420a1dd2c15e74c75cfa0f23f3ad27eb5d7236c349a0c AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH TARGETVARIANT
ARG VERSION=dev
# TARGETVARIANT is v6 or v7 on arm; on others it means something else, and Go refuses it as GOARM.
# timetzdata: the image has no zone files, and TZ=Europe/Stockholm should work.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    if [ "$TARGETARCH" = arm ]; then export GOARM="${TARGETVARIANT#v}"; fi; \
    CGO_ENABLED=0 GOOS="$TARGETOS" GOARCH="$TARGETARCH" \
    go build -trimpath -tags timetzdata -ldflags "-s -w -X github.com/hanbridge/hanbridge/cmd/hanbridge/internal/cli.version=$VERSION" -o /hanbridge ./cmd/hanbridge
# What survives a restart is kept there: a volume takes its owner from the image's folder.
RUN mkdir -p /state/hanbridge

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /hanbridge /hanbridge
COPY --from=build --chown=65532:65532 /state /var/lib
# Nobody in particular. A serial port belongs to the group dialout, so give the container that group by its number:
# --group-add 20 (compose: group_add: ["20"]). `stat -c %g /dev/ttyUSB0` on the host tells the number.
USER 65532:65532
# What must survive a restart: --volume hanbridge:/var/lib/hanbridge
# Settings are environment variables (HANBRIDGE_MQTT_URL …), or a file:
# --volume ./config.yaml:/etc/hanbridge/config.yaml:ro and the arguments `run --config /etc/hanbridge/config.yaml`.
# It asks the bridge itself whether a part of it is stuck. Neither a broker that is away nor a silent meter makes it unhealthy.
HEALTHCHECK --interval=30s --timeout=10s --start-period=15s CMD ["/hanbridge", "health"]
ENTRYPOINT ["/hanbridge"]
CMD ["run"]
