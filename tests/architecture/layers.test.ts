import { expect, test } from "@jest/globals";
import { readdirSync } from "node:fs";
import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";
import { sourceFiles, type SourceFile } from "./source-files.ts";

const files = sourceFiles();
const platforms = readdirSync(path.join(PROJECT_ROOT, "shared/connectors"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

const CONNECTOR_CONTRACT = /^shared\/connectors\/[^/]+\.ts$/;
const PLATFORM_FOLDER = /^shared\/connectors\/([^/]+)\//;
const FOUNDATION = /^shared\/(errors|project-root|store-error)\.ts$/;

/** Who may import whom, besides its own layer and Node itself. The first rule whose `files` fits a file is its layer. */
const LAYERS: readonly { readonly files: RegExp; readonly may: readonly (RegExp | string)[] }[] = [
  { files: /^shared\/domain\//, may: [FOUNDATION, "luxon"] },
  {
    files: /^shared\/checks\//,
    may: [FOUNDATION, /^shared\/domain\//, CONNECTOR_CONTRACT],
  },
  {
    files: /^shared\/contract\//,
    may: [/^shared\/domain\//, CONNECTOR_CONTRACT, "zod", "@asteasolutions/zod-to-openapi"],
  },
  {
    files: PLATFORM_FOLDER,
    may: [
      CONNECTOR_CONTRACT,
      "shared/domain/failure.ts",
      "zod",
      "luxon",
      "twitter-api-v2",
      "twitter-text",
      "linkify-it",
      "uuid",
    ],
  },
  { files: CONNECTOR_CONTRACT, may: [/^shared\/domain\//, "zod"] },
  {
    files: /^shared\/db\//,
    may: [
      /^shared\/domain\//,
      FOUNDATION,
      "shared/connectors/capabilities.ts",
      "shared/connectors/connector.ts",
      "kysely",
      "pg",
      "uuid",
    ],
  },
  { files: /^shared\/jobs\//, may: [/^shared\/(db|domain)\//, "kysely", "zod"] },
  {
    files: /^shared\/queries\//,
    may: [
      /^shared\/(db|domain|jobs|contract)\//,
      CONNECTOR_CONTRACT,
      FOUNDATION,
      "shared/context.ts",
      "kysely",
      "zod",
    ],
  },
  {
    files: /^shared\/commands\//,
    may: [
      /^shared\/(db|domain|checks|jobs|queries|contract)\//,
      CONNECTOR_CONTRACT,
      FOUNDATION,
      /^shared\/[^/]+\.ts$/,
      "kysely",
      "uuid",
      "zod",
      "csv-parse",
      "sharp",
      "file-type",
      "luxon",
    ],
  },
  {
    files: /^shared\/[^/]+\.ts$/,
    may: [
      /^shared\/(db|domain)\//,
      CONNECTOR_CONTRACT,
      /^shared\/[^/]+\.ts$/,
      "zod",
      "pino",
      "undici",
      "pg",
      "ioredis",
      "uuid",
      "sharp",
      "file-type",
    ],
  },
  {
    files: /^api\/admin\//,
    may: [
      /^shared\/(?!connectors\/[^/]+\/)/,
      /^api\//,
      "express",
      "zod",
      "bullmq",
      "ioredis",
      /^@bull-board\//,
    ],
  },
  {
    files: /^api\//,
    may: [
      /^api\/admin\//,
      /^shared\/(?!connectors\/[^/]+\/)/,
      "express",
      "zod",
      "helmet",
      "multer",
      "csv-parse",
      "kysely",
      "uuid",
      "pino",
      "prom-client",
      "swagger-ui-dist",
      "@asteasolutions/zod-to-openapi",
      "ioredis",
    ],
  },
  {
    files: /^worker\//,
    may: [
      /^shared\/(?!connectors\/[^/]+\/)/,
      "bullmq",
      "ioredis",
      "rate-limiter-flexible",
      "cockatiel",
      "prom-client",
      "zod",
      "uuid",
    ],
  },
  { files: /^scripts\//, may: [/^shared\//, /^.*$/] },
  { files: /^tests\//, may: [/^.*$/] },
];

function layerOf(file: string): number {
  return LAYERS.findIndex((layer) => layer.files.test(file));
}

function isAllowed(file: SourceFile, imported: string): boolean {
  if (imported.startsWith("node:")) return true;
  const own = layerOf(file.path);
  const isOwnPlatform =
    PLATFORM_FOLDER.exec(file.path)?.[1] === PLATFORM_FOLDER.exec(imported)?.[1];
  if (imported.endsWith(".ts") && layerOf(imported) === own && isOwnPlatform) return true;
  return (LAYERS[own]?.may ?? []).some((rule) =>
    typeof rule === "string" ? rule === imported : rule.test(imported),
  );
}

test("every file belongs to a layer", () => {
  expect(files.filter((file) => layerOf(file.path) < 0).map((file) => file.path)).toEqual([]);
});

test("nobody imports from a layer that is not open to it", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter((imported) => !isAllowed(file, imported))
      .map((imported) => `${file.path} imports ${imported}`),
  );

  expect(wrong).toEqual([]);
});

test("nothing but scripts and tests imports api, worker, scripts or tests", () => {
  const wrong = files
    .filter((file) => file.path.startsWith("shared/"))
    .flatMap((file) =>
      file.imports.filter((imported) => /^(api|worker|scripts|tests)\//.test(imported)),
    );

  expect(wrong).toEqual([]);
});

test("no platform is named outside its folder", () => {
  // A platform's id as a whole word in quotes is how code would branch on it. "x" alone is too short to be looked for in
  // any other way.
  const named = new RegExp(`["'\`](${platforms.join("|")})["'\`]`);
  const wrong = files
    .filter((file) => /^(api|worker|shared)\//.test(file.path) && !PLATFORM_FOLDER.test(file.path))
    .filter((file) => named.test(file.text))
    .map((file) => file.path);

  expect(wrong).toEqual([]);
});

test("only the worker and the queue's admin page know BullMQ", () => {
  const knowing = files.filter((file) => file.imports.includes("bullmq")).map((file) => file.path);

  expect(knowing.filter((file) => !/^(worker|api\/admin|scripts|tests)\//.test(file))).toEqual([]);
});

test("only the configuration reads the environment", () => {
  const reading = files
    .filter((file) => /^(api|worker|shared)\//.test(file.path) && file.text.includes("process.env"))
    .map((file) => file.path);

  expect(reading).toEqual(["shared/config.ts"]);
});

test("no file is longer than 300 lines", () => {
  const long = files
    .map((file) => ({ path: file.path, lines: file.text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > 300);

  expect(long).toEqual([]);
});
