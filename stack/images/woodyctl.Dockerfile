# The operator's command: docker run --rm --network woodytoys_data woodytoys/woodyctl orders audit
FROM scratch
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="woodyctl" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://github.com/woodytoys/woodytoys" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY woodyctl /woodyctl
USER 65534:65534
ENTRYPOINT ["/woodyctl"]
