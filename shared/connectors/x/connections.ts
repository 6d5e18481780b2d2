import { Agent } from "node:https";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import type { Duplex } from "node:stream";

/** Kept-alive connections to the hosts behind base URLs. */
export interface Connections {
  /** The same agent each time, so that thousands of posts share a few connections. */
  agentFor(baseUrl: string): Agent;
  /** False where the connection was never established, so that no byte of a request can have left. */
  wasEstablished(socket: Duplex | null | undefined): boolean;
}

/**
 * An idle connection is closed by us after this long. It must be less than the platform's own limit: a request written
 * into a connection that the other side is just closing ends as an unknown outcome.
 */
const IDLE_MS = 3_000;

const MAX_IDLE_CONNECTIONS = 256;

/**
 * Keeps one agent a base URL for as long as the result lives: the only state of this connector, and none of it is truth.
 * The library always asks for `https://api.x.com`; the agent decides where the connection really leads.
 */
export function openConnections(): Connections {
  const agents = new Map<string, Agent>();
  const established = new WeakSet<Duplex>();
  return {
    agentFor(baseUrl) {
      const known = agents.get(baseUrl);
      if (known) return known;
      const agent = agentTo(new URL(baseUrl), (socket) => established.add(socket));
      agents.set(baseUrl, agent);
      return agent;
    },
    wasEstablished: (socket) => socket !== null && socket !== undefined && established.has(socket),
  };
}

function agentTo(url: URL, onEstablished: (socket: Socket) => void): Agent {
  const agent = new Agent({
    keepAlive: true,
    timeout: IDLE_MS,
    maxFreeSockets: MAX_IDLE_CONNECTIONS,
    scheduling: "lifo",
  });
  const isPlain = url.protocol === "http:";
  const address = { host: hostOf(url), port: Number(url.port) || (isPlain ? 80 : 443) };
  // A certificate is asked for by name; an address has none.
  const named = isIP(address.host) ? {} : { servername: address.host };
  const createConnection = (): Socket => {
    const socket = isPlain
      ? connectPlain({ ...address, noDelay: true })
      : connectSecurely({ ...address, ...named, ALPNProtocols: ["http/1.1"] });
    socket.once(isPlain ? "connect" : "secureConnect", () => onEstablished(socket));
    return socket;
  };
  return Object.assign(agent, { createConnection });
}

/** `URL` keeps the brackets of an IPv6 address, sockets want it without. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}
