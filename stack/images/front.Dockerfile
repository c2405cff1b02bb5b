# The shop's page: static files behind nginx.
ARG NGINX_IMAGE=nginx:1.30
FROM ${NGINX_IMAGE}
ARG VERSION
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="front" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.source="https://github.com/woodytoys/woodytoys" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY nginx.conf /etc/nginx/nginx.conf
COPY files/ /usr/share/nginx/html/
USER 101:101
EXPOSE 8080
