/** Groups of deliveries that fit into one request together, in their order; a longer thread stands alone. */
export function inRequests<T>(
  deliveries: readonly T[],
  sizeOf: (delivery: T) => number,
  batch: number,
): T[][] {
  const groups: T[][] = [];
  let size = Infinity;
  for (const one of deliveries) {
    size += sizeOf(one);
    if (size > batch) {
      groups.push([]);
      size = sizeOf(one);
    }
    groups.at(-1)?.push(one);
  }
  return groups;
}
