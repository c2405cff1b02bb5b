# One of our programs, alone: build_push.sh puts the static binary beside this file as `service`.
FROM scratch
ARG NAME
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="${NAME}" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://github.com/woodytoys/woodytoys" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY service /service
USER 65534:65534
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/service", "--healthcheck"]
ENTRYPOINT ["/service"]
