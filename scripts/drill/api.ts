import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { errorCode } from "../../shared/connectors/http.ts";

/** What the API said. */
export interface ApiAnswer {
  /** 0 where there was no answer; -1 where nobody can have heard the question. */
  readonly status: number;
  readonly body: unknown;
}

/** How a wish ended, as far as the one who made it can know. */
export type Wish = "done" | "refused" | "perhaps";

export interface WishAnswer {
  readonly wish: Wish;
  readonly answer: ApiAnswer;
  /** The answer that counts was there. Milliseconds since 1970. */
  readonly answeredAt: number;
}

/** The public API, as an impatient client uses it. */
export interface ApiClient {
  get(path: string): Promise<ApiAnswer>;
  /** Asks again, under the same key, until there is an answer that says yes or no. */
  wish(method: "POST" | "PATCH", path: string, body: unknown): Promise<WishAnswer>;
  upload(path: string, form: FormData): Promise<ApiAnswer>;
}

/** A hold is answered when every worker has confirmed it, frozen ones when their leases have ended. */
const ANSWER_WITHIN_MS = 15_000;
/** Longer than the API takes to come back on a busy machine. */
const INSIST_MS = 40_000;
const PAUSE_MS = 300;

export function openApi(url: string, token: string): ApiClient {
  const authorization = { authorization: `Bearer ${token}` };
  async function ask(path: string, init: RequestInit): Promise<ApiAnswer> {
    try {
      const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
      const response = await fetch(`${url}${path}`, { ...init, signal });
      const text = await response.text();
      return { status: response.status, body: text === "" ? null : JSON.parse(text) };
    } catch (error) {
      return { status: errorCode(error) === "ECONNREFUSED" ? -1 : 0, body: null };
    }
  }
  return {
    get: (path) => ask(path, { headers: authorization }),
    upload: (path, form) => ask(path, { method: "POST", headers: authorization, body: form }),
    async wish(method, path, body) {
      const key = { "idempotency-key": randomUUID() };
      const headers = { ...authorization, ...key, "content-type": "application/json" };
      const request = { method, headers, body: JSON.stringify(body) };
      const end = performance.now() + INSIST_MS;
      let mayBeHeard = false;
      for (;;) {
        const answer = await ask(path, request);
        const answeredAt = Date.now();
        if (isYes(answer)) return { wish: "done", answer, answeredAt };
        // After an unclear answer, a "no" may mean that an earlier request was heard.
        const no = mayBeHeard ? "perhaps" : "refused";
        if (isNo(answer)) return { wish: no, answer, answeredAt };
        mayBeHeard ||= answer.status !== -1;
        if (performance.now() > end) {
          return { wish: mayBeHeard ? "perhaps" : "refused", answer, answeredAt };
        }
        await delay(PAUSE_MS);
      }
    },
  };
}

function isYes({ status }: ApiAnswer): boolean {
  return status >= 200 && status < 300;
}

function isNo({ status }: ApiAnswer): boolean {
  return status >= 400 && status < 500;
}
