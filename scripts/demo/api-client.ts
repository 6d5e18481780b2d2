import * as z from "zod";
import { Problem } from "../../shared/contract/problem.ts";

/** Asks the public API, as any program of a user would. Paths are below `/api/v1`. */
export interface ApiClient {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** All pages of a list. */
  list<T>(path: string, item: z.ZodType<T>): Promise<T[]>;
  post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T>;
  patch<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T>;
  /** A file in the form field `file`. */
  upload<T>(path: string, file: File, schema: z.ZodType<T>): Promise<T>;
}

const TIMEOUT_MS = 60_000;

/** @throws {Error} with the API's own sentence, from every method */
export function createApiClient(address: string, token: string, stop: AbortSignal): ApiClient {
  async function ask<T>(path: string, schema: z.ZodType<T>, init: RequestInit): Promise<T> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${token}`);
    const signal = AbortSignal.any([stop, AbortSignal.timeout(TIMEOUT_MS)]);
    const response = await fetch(`${address}/api/v1${path}`, { ...init, headers, signal });
    const body: unknown = await response.json().catch(() => null);
    if (!response.ok) throw new Error(refusal(`${init.method ?? "GET"} ${path}`, response, body));
    return schema.parse(body);
  }
  const withJson = (method: string, body: unknown): RequestInit => ({
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return {
    get: (path, schema) => ask(path, schema, {}),
    list: (path, item) => listAll((page, schema) => ask(page, schema, {}), path, item),
    post: (path, body, schema) => ask(path, schema, withJson("POST", body)),
    patch: (path, body, schema) => ask(path, schema, withJson("PATCH", body)),
    upload(path, file, schema) {
      const form = new FormData();
      form.append("file", file);
      return ask(path, schema, { method: "POST", body: form });
    },
  };
}

async function listAll<T>(get: ApiClient["get"], path: string, item: z.ZodType<T>): Promise<T[]> {
  const Page = z.object({ items: z.array(item), nextCursor: z.string().nullable() });
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: z.infer<typeof Page> = await get(`${path}?limit=200${query}`, Page);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

function refusal(request: string, response: Response, body: unknown): string {
  const problem = Problem.safeParse(body);
  if (!problem.success) return `${request} answers ${response.status}.`;
  const { code, detail, errors } = problem.data;
  const fields = errors.slice(0, 5).map((field) => `\n  ${field.path}: ${field.detail}`);
  return `${request} answers ${response.status} ${code}: ${detail}${fields.join("")}`;
}
