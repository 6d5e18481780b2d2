/** What a token may do. An admin may do everything in the workspace. */
export const SCOPES = ["admin", "author"] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * Every action that somebody may ask for, with the scopes that may. One table for API, CSV and commands.
 * Authors plan posts; what touches credentials, or sends again what may be out already, is for admins.
 */
const ALLOWED = {
  "platforms.read": ["admin", "author"],
  "status.read": ["admin", "author"],
  "channels.read": ["admin", "author"],
  "channels.write": ["admin"],
  "posts.read": ["admin", "author"],
  "posts.write": ["admin", "author"],
  "media.read": ["admin", "author"],
  "media.write": ["admin", "author"],
  "imports.write": ["admin", "author"],
  "deliveries.read": ["admin", "author"],
  "deliveries.retry": ["admin"],
  "deliveries.cancel": ["admin", "author"],
  "deliveries.resolve": ["admin"],
  "deliveries.remove": ["admin"],
  "holds.read": ["admin", "author"],
  // Whoever sees the fire may stop everything; to go on is a decision.
  "holds.start": ["admin", "author"],
  "holds.end": ["admin"],
  // Everybody's own.
  "notices.read": ["admin", "author"],
  "engagement.read": ["admin", "author"],
  "events.read": ["admin", "author"],
  "queues.read": ["admin"],
} as const satisfies Record<string, readonly Scope[]>;

export type Action = keyof typeof ALLOWED;

/** Whether somebody with this scope may do this. */
export function may(scope: Scope, action: Action): boolean {
  const scopes: readonly Scope[] = ALLOWED[action];
  return scopes.includes(scope);
}
