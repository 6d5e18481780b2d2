import type * as z from "zod";
import type { Finding } from "../../shared/checks/finding.ts";
import type { CheckView } from "../../shared/contract/check.ts";

export function presentFinding(finding: Finding): z.output<typeof CheckView>["findings"][number] {
  const { rule, severity, field, start, end, because, suggestion, facts } = finding;
  return { rule, severity, field, start, end, because, suggestion, ...facts };
}
