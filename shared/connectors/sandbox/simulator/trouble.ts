/** An error in the network's own shape. */
export function trouble(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): Response {
  return Response.json({ error: { code, message: "Simulated trouble." } }, { status, headers });
}
