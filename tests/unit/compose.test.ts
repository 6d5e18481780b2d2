import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import * as z from "zod";
import { SETTING_NAMES } from "../../shared/config.ts";
import { loadConnectors } from "../../shared/connectors/registry.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";

const Service = z.object({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z
    .object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() })
    .optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  deploy: z.object({ replicas: z.number() }).optional(),
});

const text = read("docker-compose.yml");
const { services, volumes } = z
  .object({ services: z.record(z.string(), Service), volumes: z.record(z.string(), z.null()) })
  .parse(parse(text, { merge: true }));
const dockerfile = read("Dockerfile");
const OURS = ["api", "worker", "migrate"];
const STORES = ["postgres", "redis"];

test("runs an api, two workers, the migrations and both stores", () => {
  expect(new Set(Object.keys(services))).toEqual(new Set([...OURS, ...STORES]));
  expect(service("worker").deploy?.replicas).toBe(2);
});

test("passes on only settings that the configuration or a platform knows", async () => {
  const ofPlatforms = [...(await loadConnectors()).values()].flatMap(({ id, settings }) =>
    Object.keys(z.toJSONSchema(settings, { io: "input" }).properties ?? {}).map(
      (name) => `POSTWELL_${id}_${name.replace(/[A-Z]/g, (letter) => `_${letter}`)}`,
    ),
  );
  const known = [...SETTING_NAMES, ...ofPlatforms.map((name) => name.toUpperCase())];

  const names = OURS.flatMap((name) => Object.keys(service(name).environment));

  expect(names.filter((name) => !known.includes(name))).toEqual([]);
});

test("uses one image for the api, the workers and the migrations", () => {
  expect(new Set(OURS.map((name) => service(name).image)).size).toBe(1);
});

test("starts api and workers after the migrations, and those after PostgreSQL", () => {
  for (const name of ["api", "worker"]) {
    expect(service(name).depends_on["migrate"]?.condition).toBe("service_completed_successfully");
    expect(service(name).depends_on["redis"]?.condition).toBe("service_healthy");
  }
  expect(service("migrate").depends_on["postgres"]?.condition).toBe("service_healthy");
});

test("keeps the queue on disk and evicts nothing", () => {
  const command = service("redis").command?.join(" ");

  expect(command).toContain("--appendonly yes");
  expect(command).toContain("--maxmemory-policy noeviction");
});

test("publishes no port but the api's, and that one to this machine alone", () => {
  const published = Object.entries(services).filter(([, { ports }]) => ports.length > 0);

  expect(published.map(([name]) => name)).toEqual(["api"]);
  expect(service("api").ports).toEqual(["${POSTWELL_PUBLISH:-127.0.0.1:3000}:3000"]);
});

test("checks the health of everything that keeps running", () => {
  // The api has its check from the image.
  expect(dockerfile).toMatch(/^HEALTHCHECK .*\n.*readyz/m);
  for (const name of ["worker", ...STORES]) {
    expect(service(name).healthcheck?.test?.length).toBeGreaterThan(1);
  }
  expect(service("api").healthcheck).toBeUndefined();
});

test("keeps data in named volumes", () => {
  const mounted = Object.values(services).flatMap((one) =>
    one.volumes.map((mount) => mount.split(":")[0]),
  );

  expect(new Set(mounted)).toEqual(new Set(Object.keys(volumes)));
});

describe("secrets", () => {
  test.each(["POSTWELL_SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD"])(
    "%s must be given, and has no default",
    (name) => {
      const uses = [...text.matchAll(new RegExp(`\\$\\{${name}([^}]*)\\}`, "g"))];

      expect(uses.length).toBeGreaterThan(0);
      for (const [, rest] of uses) expect(rest).toMatch(/^:\?/);
    },
  );

  test("are all named in the example file, without a value", () => {
    const example = read(".env.example");

    const required = [...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
    for (const name of required) expect(example).toMatch(new RegExp(`^${name}=$`, "m"));
  });
});

test("builds an image of the current LTS that does not run as root", () => {
  const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
  const last = dockerfile.slice(dockerfile.lastIndexOf("FROM "));

  expect(new Set(bases)).toEqual(new Set(["node:24-bookworm-slim"]));
  expect(last).toContain("npm ci --ignore-scripts --omit=dev");
  expect(last).toMatch(/^USER node$/m);
});

function read(name: string): string {
  return readFileSync(path.join(PROJECT_ROOT, name), "utf8");
}

function service(name: string): z.infer<typeof Service> {
  return Service.parse(services[name]);
}
