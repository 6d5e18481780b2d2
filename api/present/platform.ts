import * as z from "zod";
import type { Config } from "../../shared/config.ts";
import type { Connector } from "../../shared/connectors/connector.ts";
import type { PlatformView } from "../../shared/contract/platform.ts";

type JsonSchema = Readonly<Record<string, unknown>>;

/** A platform as its connector describes it, and what this installation has set for it. */
export function presentPlatform(connector: Connector, config: Config): PlatformView {
  const { id, name, capabilities } = connector;
  const credentialsSchema = schemaOf(connector.credentials);
  return {
    id,
    name,
    capabilities,
    can: {
      removePosts: connector.remove !== undefined,
      readEngagement: connector.readEngagement !== undefined,
      renewCredentials: connector.renewal !== undefined,
    },
    feed: connector.host ? `/${id}` : null,
    settings: settingsOf(connector, config),
    credentialsSchema,
    connect: { method: "POST", path: "/api/v1/channels", body: connectBody(id, credentialsSchema) },
  };
}

/** As a client writes it: before defaults and transformations. */
function schemaOf(schema: z.ZodType): Record<string, unknown> {
  return { ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
}

function connectBody(id: string, credentials: JsonSchema): Record<string, unknown> {
  return {
    type: "object",
    properties: { platform: { const: id }, name: { type: "string" }, credentials },
    required: ["platform", "name", "credentials"],
  };
}

function settingsOf({ id, settings }: Connector, config: Config): PlatformView["settings"] {
  const { properties, required } = schemaOf(settings);
  const isRequired = (key: string) => Array.isArray(required) && required.includes(key);
  return Object.entries(isObject(properties) ? properties : {}).map(([key, schema]) => {
    const name = variableOf(id, key);
    const isSet = config.platformVariables[name] !== undefined;
    return { name, isRequired: isRequired(key), isSet, schema: isObject(schema) ? schema : {} };
  });
}

/** The environment variable of a setting: what `platformSettings` reads, the other way round. */
function variableOf(platform: string, key: string): string {
  const words = key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`);
  return `POSTWELL_${platform.replaceAll("-", "_")}_${words}`.toUpperCase();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
