# syntax=docker/dockerfile:1
# One image for every role; TOCSIN_ROLE and the command choose. It works on servers (CLICKHOUSE_URL, NEO4J_URL): the
# embedded archive is half a gigabyte and stays outside.
ARG NODE=node:20.20.2-bookworm-slim

FROM ${NODE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

FROM ${NODE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@chdb

FROM ${NODE}
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY models ./models
COPY filters/library ./filters/library
COPY ingest/catalogs/definitions ./ingest/catalogs/definitions
COPY package.json LICENSE* ./
RUN mkdir /data && chown node:node /data
VOLUME /data
USER 1000:1000
EXPOSE 4000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ready`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The program closes down by itself on SIGTERM; --init or `init: true` adds a reaper where something else needs one.
CMD ["node", "--max-semi-space-size=64", "dist/cli/main.js", "serve"]
