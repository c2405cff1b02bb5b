# nginx with our configuration; the limits and TLS come from the environment, see entrypoint.d.
ARG NGINX_IMAGE=nginx:1.30
FROM ${NGINX_IMAGE}
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="gateway" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://github.com/woodytoys/woodytoys" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY nginx.conf /etc/nginx/nginx.conf
COPY templates/ /etc/nginx/templates/
COPY entrypoint.d/ /docker-entrypoint.d/
# The root file system is read-only: what the templates become goes to memory.
ENV NGINX_ENVSUBST_OUTPUT_DIR=/tmp NGINX_ENVSUBST_FILTER=^WOODY_
USER 101:101
EXPOSE 8080 8443
