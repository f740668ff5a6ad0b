# Two stages: one that compiles, one that runs. The hub in the image needs DATABASE_URL; the embedded PostgreSQL is left
# out, since a container's database belongs into a container or service of its own.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY bin ./bin
COPY schemas ./schemas
COPY migrations ./migrations
COPY examples ./examples
COPY --from=build /app/dist ./dist
RUN ln -s /app/bin/taxiway.js /usr/local/bin/taxiway
USER node
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/readyz').then(answer => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["taxiway", "serve"]
