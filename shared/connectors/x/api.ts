import {
  ApiPartialResponseError,
  ApiRequestError,
  ApiResponseError,
  TwitterApi,
  type ITwitterApiClientPlugin,
} from "twitter-api-v2";
import type * as z from "zod";
import type { Call } from "../connector.ts";
import { ConnectorError } from "../error.ts";
import type { Connections } from "./connections.ts";
import type { Credentials, Settings } from "./credentials.ts";
import { toConnectorError, type Purpose } from "./errors.ts";

/** A call of the connector, with the connections over which it goes. */
export interface XCall extends Call<Credentials, Settings> {
  readonly connections: Connections;
}

/** Sends one request as the channel's account and reads its answer. Nothing is ever sent twice. */
export function ask<T>(
  call: XCall,
  request: Request<T>,
  run: (client: TwitterApi) => Promise<unknown>,
): Promise<T> {
  return exchange(call, request, () =>
    run(new TwitterApi(call.credentials.accessToken, options(call))),
  );
}

/** As `ask`, but as the developer app: with its id and secret where it has them. */
export function askAsApp<T>(
  call: XCall,
  request: Request<T>,
  run: (client: TwitterApi) => Promise<unknown>,
): Promise<T> {
  const { clientId, clientSecret } = call.settings;
  const app = { clientId: clientId ?? "", ...(clientSecret === undefined ? {} : { clientSecret }) };
  return exchange(call, request, () => run(new TwitterApi(app, options(call))));
}

export interface Request<T> {
  readonly purpose: Purpose;
  /** What of the answer is needed; an answer that lacks it counts as lost. */
  readonly answer: z.ZodType<T>;
}

async function exchange<T>(
  call: XCall,
  { purpose, answer }: Request<T>,
  send: () => Promise<unknown>,
): Promise<T> {
  if (call.signal.aborted) throw new ConnectorError("unavailable", { platformCode: "ABORT_ERR" });
  let body: unknown;
  try {
    body = await send();
  } catch (error) {
    throw translate(error, purpose, call);
  }
  const parsed = answer.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ConnectorError(purpose.onLostAnswer, { platformCode: "unreadable_answer" });
}

/**
 * The library neither retries nor follows redirects by itself. It has no way to abort, but hands Node's request options
 * to plugins, and those take a signal. Compression is off because the library leaves errors of its decompressors
 * unhandled, which would end the process (twitter-api-v2 1.29.1, source read 2026-11-22).
 */
function options(call: XCall): ConstructorParameters<typeof TwitterApi>[1] {
  const aborting: ITwitterApiClientPlugin = {
    onBeforeRequest({ requestOptions }) {
      requestOptions.signal = call.signal;
    },
  };
  return {
    httpAgent: call.connections.agentFor(call.settings.baseUrl),
    compression: "identity",
    plugins: [aborting],
  };
}

/** The library's errors hold the request with its token, so they never become a `cause`. */
function translate(error: unknown, purpose: Purpose, call: XCall): ConnectorError {
  if (error instanceof ApiResponseError) {
    const refusal = { status: error.code, body: error.data, headers: error.headers };
    return toConnectorError(refusal, purpose, call.now());
  }
  if (error instanceof ApiPartialResponseError) {
    const platformCode = `incomplete_answer_${error.response.statusCode ?? "unknown"}`;
    return new ConnectorError(purpose.onLostAnswer, { platformCode });
  }
  if (error instanceof ApiRequestError) {
    const { socket, errored } = error.request;
    const cause = errored ?? socket?.errored ?? null;
    const mayHaveArrived = call.connections.wasEstablished(socket);
    const kind = mayHaveArrived ? purpose.onLostAnswer : "unavailable";
    return new ConnectorError(kind, { platformCode: systemCode(cause), cause });
  }
  // Thrown while the request was being put together.
  return new ConnectorError("bug", { cause: error });
}

function systemCode(cause: Error | null): string | null {
  return cause && "code" in cause && typeof cause.code === "string" ? cause.code : null;
}
