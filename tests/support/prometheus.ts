/** The samples of a page that Prometheus reads, by name and labels as they stand there. */
export function samplesOf(page: string): Readonly<Record<string, number>> {
  const lines = page.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(" ");
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}
