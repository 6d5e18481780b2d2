import { lookup as resolve, type LookupAddress, type LookupOptions } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector, fetch as undiciFetch, FormData as UndiciFormData } from "undici";

export interface OutgoingOptions {
  /** Hosts that may be private: "host" for every port, "host:port" for one. IPv6 addresses in brackets or without. */
  readonly allowPrivateHosts: readonly string[];
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Enough that no channel waits for another one's request to the same platform. */
const CONNECTIONS_PER_ORIGIN = 256;

/** Ranges that are not the public internet. Source: IANA's special-purpose address registries (read 2026-11-22). */
const SPECIAL_IPV4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

/** Inside the public IPv6 range, yet not public: Teredo and other protocols, documentation, 6to4. */
const SPECIAL_IPV6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

/** Where a network translates, IPv4 addresses appear below this prefix; they are judged as the IPv4 that they are. */
const NAT64 = { prefix: "64:ff9b::", bits: 96 };

const special = specialAddresses();
const reachableIpv6 = new BlockList();
reachableIpv6.addSubnet("2000::", 3, "ipv6");
reachableIpv6.addSubnet(NAT64.prefix, NAT64.bits, "ipv6");

/**
 * A `fetch` for requests to the outside. It connects to public addresses only, whatever the name resolves to at that
 * moment, follows no redirect (the caller sees the 3xx), and keeps connections open.
 * A refusal rejects as any failed request does, with an error of code `POSTWELL_PRIVATE_ADDRESS` among its causes.
 */
export function createFetch({ allowPrivateHosts }: OutgoingOptions): typeof fetch {
  const dispatcher = new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    connect: guardedConnector(new Set(allowPrivateHosts.map(normalized))),
  });
  const send: typeof fetch = async (input, init) => {
    const request = input instanceof Request ? input : null;
    const url = new URL(input instanceof Request ? input.url : input);
    if (url.protocol !== "http:" && url.protocol !== "https:") {
      throw new TypeError("fetch failed", { cause: refusal(`the scheme ${url.protocol}`) });
    }
    const options = { ...(request ? fromRequest(request) : {}), ...init };
    const redirect = options.redirect === "error" ? "error" : "manual";
    const body = options.body instanceof FormData ? copyOf(options.body) : options.body;
    const headers = [...new Headers(options.headers)];
    return undiciFetch(url, { ...options, headers, body: body ?? null, redirect, dispatcher });
  };
  return send;
}

/** True for an address that anybody on the internet could reach. */
export function isPublicAddress(address: string): boolean {
  const [bare = ""] = address.split("%", 1);
  const family = isIP(bare);
  if (family === 4) return !special.check(bare, "ipv4");
  return family === 6 && reachableIpv6.check(bare, "ipv6") && !special.check(bare, "ipv6");
}

/** The check stands where the connection is made, so that the address that was checked is the one that is used. */
function guardedConnector(allowed: ReadonlySet<string>): buildConnector.connector {
  const open = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  const guarded = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: publicLookup });
  return (options, callback) => {
    const host = normalized(options.hostname);
    const port = options.port || (options.protocol === "https:" ? "443" : "80");
    if (allowed.has(host) || allowed.has(`${host}:${port}`)) return open(options, callback);
    if (isIP(host) !== 0 && !isPublicAddress(host)) return callback(refusal(host), null);
    return guarded(options, callback);
  };
}

/** Refuses a name as soon as one of its addresses is not public: nobody's honest name has both. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    if (!addresses.every(({ address }) => isPublicAddress(address))) {
      return callback(refusal(hostname), []);
    }
    return hand(addresses, options, callback);
  });
};

function hand(
  addresses: readonly LookupAddress[],
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const [first] = addresses;
  if (options.all || !first) return callback(null, [...addresses]);
  return callback(null, first.address, first.family);
}

function refusal(what: string): Error & { code: string } {
  const error = new Error(
    `Postwell does not connect to ${what}: it is not public. POSTWELL_ALLOW_PRIVATE_HOSTS lists exceptions.`,
  );
  return Object.assign(error, { code: "POSTWELL_PRIVATE_ADDRESS" });
}

function specialAddresses(): BlockList {
  const list = new BlockList();
  for (const [net, bits] of SPECIAL_IPV4) {
    list.addSubnet(net, bits, "ipv4");
    list.addSubnet(`${NAT64.prefix}${net}`, NAT64.bits + bits, "ipv6");
  }
  for (const [net, bits] of SPECIAL_IPV6) list.addSubnet(net, bits, "ipv6");
  return list;
}

/** Lower case, no final dot, and an IPv6 address without its brackets. */
function normalized(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]/, "$1")
    .replace(/\.(?=$|:\d+$)/, "");
}

function fromRequest(request: Request): RequestInit {
  const { method, headers, body, signal, redirect } = request;
  return { method, headers, body, signal, redirect, ...(body ? { duplex: "half" } : {}) };
}

/** The package knows its own forms only and would send Node's as the text "[object FormData]". */
function copyOf(form: FormData): UndiciFormData {
  const copy = new UndiciFormData();
  for (const [name, value] of form) {
    if (typeof value === "string") copy.append(name, value);
    else copy.append(name, value, value.name);
  }
  return copy;
}
